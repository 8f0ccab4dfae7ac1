import { useState } from "react";
import { config } from "./config";
import { demoToken, type Role } from "./demo";

/** Puts a token into the headers of all tabs, those to come included. */
export type TakeToken = (token: string) => void;

const Mark = () => (
  <svg className="gw-mark" viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="8" fill="#0b7a6b" />
    <path d="M7 21c4 0 4-10 9-10s5 10 9 10" fill="none" stroke="#fff" strokeWidth="3" strokeLinecap="round" />
    <circle cx="7" cy="21" r="3" fill="#fff" />
    <circle cx="25" cy="21" r="3" fill="#ffc857" />
  </svg>
);

const ROLES: [Role, string][] = [
  ["CUSTOMER", "Customer"],
  ["CONTRACTOR", "Contractor"],
];

function DemoUser({ takeToken }: { takeToken: TakeToken }) {
  const [active, setActive] = useState<Role>();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");

  async function become(role: Role) {
    setBusy(true);
    setProblem("");
    try {
      takeToken(await demoToken(role));
      setActive(role);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <div className="gw-demo" role="group" aria-label="Demo user">
      <span className="gw-demo-label">Demo user</span>
      {ROLES.map(([role, label]) => (
        <button
          key={role}
          type="button"
          disabled={busy}
          aria-pressed={active === role}
          title={`Signs a throw-away ${label.toLowerCase()} up, or returns to it, and puts its token into the headers of all tabs`}
          onClick={() => become(role)}
        >
          {label}
        </button>
      ))}
      {problem && (
        <span className="gw-demo-problem" role="alert">
          {problem}
        </span>
      )}
    </div>
  );
}

/** The right end of the tab bar: who we act as, and whose page this is. */
export function Brand({ takeToken }: { takeToken: TakeToken }) {
  return (
    <>
      {config.dev && <DemoUser takeToken={takeToken} />}
      <span className="gw-brand">
        <Mark />
        gigwire
      </span>
    </>
  );
}
