// The table at the end of a run: what each client and each check came to.

import { readFileSync } from 'node:fs';

const MARK = 'figure ';

/** A line for the table: `{ what, on, figures }`. A test states it when all went well. */
export function figure(t, line) {
  t.diagnostic(MARK + JSON.stringify(line));
}

/** The version of a package that is installed here. */
export function version(name) {
  return JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version;
}

/** Collects figures and failures from running tests. */
export class Table {
  #rows = [];

  follow(tests) {
    tests.on('test:diagnostic', ({ message }) => {
      if (!message.startsWith(MARK)) return;
      const { what, on, figures } = JSON.parse(message.slice(MARK.length));
      this.#rows.push([what, on, 'pass', figures]);
    });
    tests.on('test:fail', ({ name, details: { error } }) => {
      if (error.failureType === 'subtestsFailed') return;
      this.#rows.push([name, '', 'FAIL', String(error.cause?.message ?? error.message).split('\n')[0]]);
    });
  }

  toString() {
    if (!this.#rows.length) return '';
    const lines = [['what', 'on', 'result', 'figures'], ...this.#rows];
    const widths = [0, 1, 2].map((column) => Math.max(...lines.map((cells) => cells[column].length)));
    const padded = lines.map((cells) => cells.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join('  ').trimEnd());
    return `\n${padded.join('\n')}\n`;
  }
}
