import type { Storage } from "@graphiql/toolkit";

/** GraphiQL writes these prefixed names, and we do too. */
const PREFIX = "graphiql:";

/** The lists of past operations, which GraphiQL saves with their headers even when it is told to keep no headers. */
const HISTORIES = ["graphiql:queries", "graphiql:favorites"];

const ours = () => Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));

const dropHeaders = (key: string, value: unknown) => (key === "headers" ? undefined : value);

/** The browser's storage without access tokens in the history. */
export const storage: Storage = {
  getItem: (key) => localStorage.getItem(key),
  setItem: (key, value) =>
    localStorage.setItem(key, HISTORIES.includes(key) ? JSON.stringify(JSON.parse(value), dropHeaders) : value),
  removeItem: (key) => localStorage.removeItem(key),
  get length() {
    return ours().length;
  },
  clear: () => ours().forEach((key) => localStorage.removeItem(key)),
};
