// The tables, read without any code of the program: PostgreSQL by its client, SQLite by its command.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import pg from 'pg';

/** What one answer of the command may have. */
const ANSWER_MAX = 256 << 20;

export class Postgres {
  static async open(url) {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    return Object.assign(new Postgres(), { client });
  }

  /** The rows of a query, each as an object. Counts are texts or numbers: read them with `Number`. */
  async rows(sql) {
    return (await this.client.query(sql)).rows;
  }

  /** An id as 32 hexadecimal digits. */
  hex(column) {
    return `replace(${column}::text, '-', '')`;
  }

  /** Ends all connections but this one. */
  cut() {
    return this.rows(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid()`,
    );
  }

  close() {
    return this.client.end();
  }
}

export class Sqlite {
  constructor(path) {
    this.path = path;
  }

  async rows(sql) {
    const args = ['-init', '/dev/null', '-cmd', '.timeout 10000', '-json', this.path, sql];
    const { stdout } = await promisify(execFile)('sqlite3', args, { maxBuffer: ANSWER_MAX });
    return JSON.parse(stdout || '[]');
  }

  hex(column) {
    return `lower(hex(${column}))`;
  }

  close() {}
}

/** The digits of crockford's base 32, of which ids are made. */
const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';

/** An id of the API as the tables have it, in hexadecimal digits. */
export function hexOf(id) {
  const digits = id.slice(id.lastIndexOf('_') + 1);
  const value = [...digits].reduce((sum, digit) => sum * 32n + BigInt(DIGITS.indexOf(digit)), 0n);
  return value.toString(16).padStart(32, '0');
}
