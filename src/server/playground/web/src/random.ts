/** Hex digits that nobody else has. `crypto.randomUUID` is missing on plain HTTP other than localhost. */
export function random(bytes: number): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
