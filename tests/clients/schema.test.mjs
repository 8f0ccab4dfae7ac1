// What tools make of schema.graphql: code generators, compilers and linters.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { eslint, schemaLinter } from './lint/run.mjs';
import { figure, version } from './report.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const ROOT = join(HERE, '../..');
const EXAMPLES = join(ROOT, 'examples');

/** Runs a tool of node_modules: `{ code, output }`. */
async function tool(name, args, cwd) {
  const run = promisify(execFile)(join(HERE, 'node_modules/.bin', name), args, { cwd });
  const { code = 0, stdout, stderr } = await run.catch((failure) => failure);
  return { code, output: stdout + stderr };
}

/** A copy of the examples beside a copy of the schema, with some texts replaced: `[file, from, to]`. */
async function changed(t, ...changes) {
  const root = await mkdtemp(join(HERE, 'generated/changed-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const copy = join(root, 'examples');
  await cp(join(ROOT, 'schema.graphql'), join(root, 'schema.graphql'));
  await cp(EXAMPLES, copy, { recursive: true, filter: (path) => !/node_modules|generated/.test(path.slice(EXAMPLES.length)) });
  await symlink(join(HERE, 'node_modules'), join(copy, 'node_modules'));
  await mkdir(join(copy, 'relay/generated'));
  for (const [file, from, to] of changes) {
    const path = join(copy, file);
    const text = await readFile(path, 'utf8');
    assert.ok(text.includes(from), `${file} has no ${from}`);
    await writeFile(path, text.replace(from, to));
  }
  return copy;
}

const compile = (copy) => tool('tsc', ['--noEmit', '--strict'], copy);

test('graphql-codegen makes types that hold', async (t) => {
  const copy = await changed(t);
  const made = await tool('graphql-codegen', ['--silent'], copy);
  assert.equal(made.code, 0, made.output);
  const checked = await compile(copy);
  assert.equal(checked.code, 0, checked.output);
  figure(t, {
    what: `graphql-codegen ${version('@graphql-codegen/cli')}, tsc ${version('typescript')} --strict`,
    on: 'schema.graphql',
    figures: 'examples generate and compile',
  });

  await t.test('a field that is not there is found', async (t) => {
    const wrong = await changed(t, ['operations.graphql', 'displayName', 'fullName']);
    const { code, output } = await tool('graphql-codegen', [], wrong);
    assert.notEqual(code, 0);
    assert.match(output, /Cannot query field .?"fullName/);
  });

  await t.test('a value of the wrong type is found', async (t) => {
    const wrong = await changed(t);
    await tool('graphql-codegen', ['--silent'], wrong);
    const use = `import type { BookingQuery } from './generated/graphql.js';
      export const version = (data: BookingQuery): string | undefined => data.booking?.version;`;
    await writeFile(join(wrong, 'use.ts'), use);
    const { code, output } = await compile(wrong);
    assert.notEqual(code, 0);
    assert.match(output, /use\.ts.*'number' is not assignable to type 'string'/s);
  });
});

test('relay-compiler takes the schema and our documents', async (t) => {
  const compileRelay = async (copy) => tool('relay-compiler', ['relay.config.json'], join(copy, 'relay'));
  const { code, output } = await compileRelay(await changed(t));
  assert.equal(code, 0, output);
  const [, artifacts] = /compiled documents:.*?(\d+) normalization/s.exec(output) ?? [];
  assert.ok(artifacts > 0, output);
  const wrong = await changed(t, ['relay/bookings.ts', 'bookings(first: $count, after: $cursor)', 'bookings(after: $cursor)']);
  assert.notEqual((await compileRelay(wrong)).code, 0, 'a connection without a size is found');
  figure(t, {
    what: `relay-compiler ${version('relay-compiler')}`,
    on: 'schema.graphql',
    figures: `${artifacts} operations, with connections, refetching and a subscription`,
  });
});

test('linters find nothing', async (t) => {
  for (const lint of [eslint, schemaLinter]) {
    const { name, rules, off, findings } = await lint(join(ROOT, 'schema.graphql'));
    assert.deepEqual(findings, [], name);
    assert.ok(rules > 15, `${name} ran ${rules} rules`);
    figure(t, { what: name, on: 'schema.graphql', figures: `${rules} rules, ${off} off, 0 findings` });
  }
  await t.test('they would find something', async (t) => {
    const odd = 'type booking_row {\n  When: Int\n}\n\ntype Booking implements';
    const copy = await changed(t, ['../schema.graphql', 'type Booking implements', odd]);
    const path = join(copy, '../schema.graphql');
    for (const lint of [eslint, schemaLinter]) {
      const { findings } = await lint(path);
      assert.ok(findings.length >= 4, findings.join('\n'));
    }
  });
});

test('the recipes are printed as they are tested', async () => {
  const page = await readFile(join(ROOT, 'docs/clients.md'), 'utf8');
  for (const file of ['codegen.ts', 'resume.ts', 'live.ts', 'feed.ts', 'apollo.ts', 'screen.ts', 'lists.ts', 'urql.ts', 'flutter/live.dart']) {
    const text = await readFile(join(EXAMPLES, file), 'utf8');
    assert.ok(page.includes(`\`\`\`${file.split('.')[1]}\n${text}\`\`\``), `docs/clients.md does not print examples/${file} as it is`);
  }
});
