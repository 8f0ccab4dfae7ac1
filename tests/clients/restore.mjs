// Copies of a database and their return: while the instances are stopped, or under their feet.

import { execFile } from 'node:child_process';
import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';

import { needed } from './support.mjs';
import { Sqlite } from './soak/database.mjs';

/** A file, as the command of SQLite copies and restores it. */
export class SqliteCopies {
  constructor({ folder }) {
    this.path = join(folder, 'gigwire.db');
    this.copy = join(folder, 'copy.db');
    this.database = new Sqlite(this.path);
  }

  async dump() {
    await rm(this.copy, { force: true });
    await this.database.rows(`vacuum into '${this.copy}'`);
  }

  /** Puts the copy into the place of the file that nobody has open. */
  async restore() {
    for (const end of ['', '-wal', '-shm']) await rm(this.path + end, { force: true });
    await copyFile(this.copy, this.path);
  }

  /** Writes the copy over the pages of the file that a server has open. */
  async restoreInPlace() {
    await promisify(execFile)('sqlite3', ['-init', '/dev/null', this.path, `.restore ${this.copy}`]);
  }
}

/** A database made from another one as its template. */
export class PostgresCopies {
  constructor({ databaseUrl }, undo) {
    this.name = new URL(databaseUrl).pathname.slice(1);
    this.copy = `${this.name}_copy`;
    undo.push(() => this.#run(`drop database if exists ${this.copy}`));
  }

  dump() {
    return this.#alone(`create database ${this.copy} template ${this.name}`);
  }

  restore() {
    return this.#alone(`drop database ${this.name}`, `create database ${this.name} template ${this.copy}`);
  }

  /** The instances lose their connections, and find another database behind the same name. */
  restoreInPlace() {
    return this.restore();
  }

  /** Runs statements while nobody is connected to the database. */
  #alone(...statements) {
    return this.#run(
      `alter database ${this.name} allow_connections false`,
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${this.name}'`,
      // Those who are told to end need a moment.
      `select pg_sleep(0.2)`,
      ...statements,
      `alter database ${this.name} allow_connections true`,
    );
  }

  async #run(...statements) {
    const client = new pg.Client({ connectionString: needed('TEST_POSTGRES_URL') });
    await client.connect();
    try {
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end();
    }
  }
}
