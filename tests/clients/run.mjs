// Runs test files and prints the table at the end.
//
// One file at a time, since each starts servers of its own and some look at the clock. Files that mostly wait run beside
// them, and are told when the others are done.

import { resolve } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

import { Table } from './report.mjs';

const IDLE = ['idle.test.mjs'];
const TIMEOUT_MS = 180_000;

const table = new Table();

async function told(files) {
  if (!files.length) return '';
  const tests = run({ files: files.map((file) => resolve(file)), concurrency: 1, timeout: TIMEOUT_MS });
  tests.on('test:fail', ({ todo }) => (process.exitCode = todo ? process.exitCode : 1));
  table.follow(tests);
  let text = '';
  const isAside = files === aside;
  for await (const part of tests.compose(new spec())) {
    if (isAside) text += part;
    else process.stdout.write(part);
  }
  return text;
}

const files = process.argv.slice(2);
const aside = files.filter((file) => IDLE.includes(file));
const rest = files.filter((file) => !IDLE.includes(file));
const [late] = await Promise.all([told(aside), told(rest)]);
process.stdout.write(late);
process.stdout.write(table.toString());
