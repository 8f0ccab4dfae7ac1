import { post, type Result } from "./fetcher";
import { random } from "./random";

export type Role = "CUSTOMER" | "CONTRACTOR";

interface Session {
  accessToken: string;
  expiresAt: string;
}

interface Credentials {
  email: string;
  password: string;
}

// The users outlive a reload and are shared by all windows, so that two windows can chat with each other.
// GraphiQL's own prefix: "Clear data" in the settings forgets them too, and the next press makes new ones.
const key = (role: Role) => `graphiql:demo:${role}`;

/** Tokens stay in memory. */
const sessions = new Map<Role, Session>();

const SIGN_UP = `mutation DemoSignUp($input: AccountSignUpInput!) {
  answer: accountSignUp(input: $input) { session { accessToken expiresAt } userErrors { message } }
}`;

const SIGN_IN = `mutation DemoSignIn($input: AccountSignInInput!) {
  answer: accountSignIn(input: $input) { session { accessToken expiresAt } userErrors { message } }
}`;

function sessionOf(result: Result): Session {
  const answer = result.data?.answer as { session?: Session; userErrors?: { message: string }[] } | null | undefined;
  if (answer?.session) return answer.session;
  throw new Error(result.errors?.[0]?.message ?? answer?.userErrors?.[0]?.message ?? "The server gave no session.");
}

async function signIn(role: Role): Promise<Session | undefined> {
  const stored = localStorage.getItem(key(role));
  if (!stored) return;
  try {
    const input: Credentials = JSON.parse(stored);
    return sessionOf(await post({ query: SIGN_IN, variables: { input } }));
  } catch {
    // A development database is often thrown away, and its users with it: sign up again.
  }
}

async function signUp(role: Role): Promise<Session> {
  const name = `${role.toLowerCase()}-${random(4)}`;
  const credentials: Credentials = { email: `demo-${name}@example.com`, password: random(12) };
  const input = { ...credentials, displayName: `Demo ${name}`, roles: [role] };
  const session = sessionOf(await post({ query: SIGN_UP, variables: { input } }));
  localStorage.setItem(key(role), JSON.stringify(credentials));
  return session;
}

/** The token of the throw-away user of this role. The flow changes sides, so a second press returns to the same user. */
export async function demoToken(role: Role): Promise<string> {
  let session = sessions.get(role);
  if (!session || Date.parse(session.expiresAt) < Date.now() + 60_000) session = (await signIn(role)) ?? (await signUp(role));
  sessions.set(role, session);
  return session.accessToken;
}

/** Puts the token into the text of a headers editor and keeps what else is there. */
export function withToken(headers: string, token: string): string {
  let others: [string, unknown][] = [];
  try {
    others = Object.entries(JSON.parse(headers || "{}")).filter(([name]) => name.toLowerCase() !== "authorization");
  } catch {
    // Not JSON, so nothing that could be kept.
  }
  return JSON.stringify({ Authorization: `Bearer ${token}`, ...Object.fromEntries(others) }, null, 2);
}
