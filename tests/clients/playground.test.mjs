// The playground in a real browser against the real binary: a query, an event, and no request that leaves the origin.
//
// Needs playwright-core from npm and a Chromium (CHROMIUM names it, else /usr/bin/chromium). GIGWIRE_BIN names the binary.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "playwright-core";

const BINARY = process.env.GIGWIRE_BIN ?? "target/debug/gigwire";
const BROWSER = process.env.CHROMIUM ?? "/usr/bin/chromium";
const QUIET = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";
const ADMIN = { email: "admin@example.com", password: "correct horse battery" };
const PUBLISH = `mutation ($input: AnnouncementPublishInput!) { announcementPublish(input: $input) { userErrors { message } } }`;
const SIGN_IN = `mutation ($input: AccountSignInInput!) { accountSignIn(input: $input) { session { accessToken } } }`;

/** Repeats `probe` until it gives something true, and gives that. */
async function until(what, probe, seconds = 15) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(100)) {
    const found = await probe().catch(() => undefined);
    if (found) return found;
  }
  assert.fail(`no ${what} within ${seconds} s`);
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** The binary on a port and a directory of its own, with an administrator. */
async function startServer() {
  const dir = mkdtempSync(join(tmpdir(), "gigwire-"));
  const port = await freePort();
  const env = { ...process.env, PORT: String(port), DATA_DIR: dir };
  const child = spawn(BINARY, [], { env, stdio: ["ignore", "inherit", "inherit"] });
  const exit = new Promise((resolve) => child.once("exit", resolve).once("error", resolve));
  const origin = `http://127.0.0.1:${port}`;
  const stop = async () => {
    child.kill("SIGTERM");
    await exit;
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    await until("readiness", async () => (await fetch(`${origin}/readyz`)).ok, 30);
    execFileSync(BINARY, ["admin", "create", "--email", ADMIN.email, "--password", ADMIN.password], { env });
  } catch (error) {
    await stop();
    throw error;
  }
  return { origin, stop };
}

let server, browser, page;
const strangers = [];
const complaints = [];

/** Sends an operation from outside the page. */
async function send(query, variables, token) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const response = await fetch(`${server.origin}/graphql`, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  return response.json();
}

const editor = (pane) => page.locator(`${pane} .CodeMirror`).first();
const text = (pane) => editor(pane).evaluate((element) => element.CodeMirror.getValue());
const write = (pane, value) => editor(pane).evaluate((element, value) => element.CodeMirror.setValue(value), value);
/** GraphiQL looks at a document a moment after it changed; Run means the one before until then. */
const ready = (operation) =>
  until(`look at ${operation}`, () =>
    editor(".graphiql-query-editor").evaluate(
      (element, operation) => element.CodeMirror.operations?.some(({ name }) => name?.value === operation),
      operation,
    ),
  );
const answer = () => text(".graphiql-response");
const answerWith = (part) => until(`answer with ${part}`, async () => (await answer()).includes(part));

/** Where its processes share memory: a folder of temporary files, or, where they die of that, the system's own place. */
const BROWSERS = [{}, { ignoreDefaultArgs: ["--disable-dev-shm-usage"] }];

/** The browser, with its last words in a file. */
function outspoken() {
  const folder = mkdtempSync(join(tmpdir(), "gigwire-browser-"));
  const [program, log] = [join(folder, "browser"), join(folder, "log")];
  writeFileSync(program, `#!/bin/sh\nexec '${BROWSER}' "$@" 2>'${log}'\n`, { mode: 0o755 });
  const said = () => readFileSync(log, "utf8").split("\n").filter((line) => !line.includes("dbus"));
  return { program, said, forget: () => rmSync(folder, { recursive: true, force: true }) };
}

const open = async (options) => {
  const { program, said, forget } = outspoken();
  browser = await chromium.launch({ executablePath: program, args: QUIET.split(" "), ...options });
  page = await browser.newPage();
  const judge = (url) => new URL(url).host === new URL(server.origin).host || url.startsWith("data:") || strangers.push(url);
  page.on("request", (request) => judge(request.url()));
  page.on("websocket", (socket) => judge(socket.url()));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  let crashed = false;
  page.on("crash", () => (crashed = true));
  try {
    await page.goto(`${server.origin}/graphql`);
    await editor(".graphiql-query-editor").waitFor();
  } catch (error) {
    await browser.close();
    console.error("the browser's last words:", said().slice(-40).join("\n"));
    throw Object.assign(error, { crashed });
  } finally {
    forget();
  }
};

before(async () => {
  server = await startServer();
  for (const [index, options] of BROWSERS.entries()) {
    try {
      return await open(options);
    } catch (error) {
      // A browser whose own process dies says nothing about the page.
      if (!error.crashed || index + 1 === BROWSERS.length) throw error;
      await sleep(1000);
    }
  }
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test("a query is answered in the page", async () => {
  await page.getByRole("button", { name: "New tab" }).click();
  await write(".graphiql-query-editor", "query WhoAmI { viewer { user { id } } }");
  await ready("WhoAmI");
  await page.locator(".graphiql-execute-button").click();
  await answerWith('"viewer": null');
});

test("a demo user is signed up and its token put into the headers", async () => {
  await page.getByRole("button", { name: "Customer", exact: true }).click();
  await page.locator('.gw-demo button[aria-pressed="true"]').waitFor();
  await page.locator(".graphiql-execute-button").click();
  await answerWith('"user_');
});

test("the subscription of a ready-made tab shows an event", async () => {
  const signedIn = await send(SIGN_IN, { input: ADMIN });
  const token = signedIn.data?.accountSignIn?.session?.accessToken;
  assert.ok(token, JSON.stringify(signedIn));

  await page.locator(".graphiql-tab-button", { hasText: "News" }).click();
  await ready("News");
  await page.locator(".graphiql-execute-button").click();
  await page.getByRole("menuitem", { name: "News" }).click();
  // Published again until seen: the page does not show when its subscription has begun.
  await until("event", async () => {
    const published = await send(PUBLISH, { input: { title: "Fresh paint", body: "Mind the fence.", level: "INFO" } }, token);
    assert.deepEqual(published.data?.announcementPublish?.userErrors, [], JSON.stringify(published));
    await sleep(300);
    return (await answer()).includes("Fresh paint");
  });
  await page.locator(".graphiql-execute-button").click();
});

test("nothing leaves the origin and nothing is refused by the policy", () => {
  assert.deepEqual(strangers, []);
  assert.deepEqual(complaints, []);
});
