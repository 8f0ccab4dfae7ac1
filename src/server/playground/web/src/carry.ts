import type { Result } from "./fetcher";

/** The ids that one step of the flow makes and a later one needs, by the field that holds the object. */
const CARRIED: Record<string, string> = { job: "jobId", offer: "offerId", booking: "bookingId", conversation: "conversationId" };

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

/** Finds the ids in the payloads of an answer: `jobPost { job { id } }` gives `jobId`. */
export function idsIn(result: Result): Record<string, string> {
  const ids: Record<string, string> = {};
  for (const payload of Object.values(result.data ?? {})) {
    if (!isObject(payload)) continue;
    for (const [field, value] of Object.entries(payload)) {
      const variable = CARRIED[field];
      if (variable && isObject(value) && typeof value.id === "string") ids[variable] = value.id;
    }
  }
  return ids;
}

function fillObject(value: Json, ids: Record<string, string>): Json {
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (isObject(inner)) return [key, fillObject(inner, ids)];
      return [key, typeof inner === "string" && key in ids ? ids[key] : inner];
    }),
  );
}

/** Puts the ids into the variables of a tab. Text that is not an object yet, because someone is typing, stays as it is. */
export function fill(variables: string, ids: Record<string, string>): string {
  try {
    const parsed: unknown = JSON.parse(variables);
    if (!isObject(parsed)) return variables;
    const filled = JSON.stringify(fillObject(parsed, ids), null, 2);
    return filled === JSON.stringify(parsed, null, 2) ? variables : filled;
  } catch {
    return variables;
  }
}
