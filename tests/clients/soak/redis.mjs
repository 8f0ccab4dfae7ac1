// A Redis of the soak's own, to be mistreated.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { freePort, start } from '../support.mjs';

/** It may take this long to listen. */
const START_MS = 10_000;
/** It may take this long to answer. */
const ANSWER_MS = 5_000;

export class Redis {
  /** Finds a place for it, and starts it there. */
  static async create() {
    const redis = new Redis();
    redis.port = await freePort();
    redis.folder = await mkdtemp(join(tmpdir(), 'gigwire-redis-'));
    await redis.start();
    return redis;
  }

  get url() {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it, always at the same address and always empty. */
  async start() {
    const args = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    this.child = start('redis-server', args, { cwd: this.folder, stdio: 'ignore' });
    for (const end = Date.now() + START_MS; Date.now() < end; await sleep(20)) {
      if ((await this.run('PING').catch(() => null)) === '+PONG') return;
    }
    throw new Error('redis-server does not answer');
  }

  /** Ends it in good order. */
  async stop() {
    const { child } = this;
    this.child = null;
    child.kill('SIGTERM');
    await child.ended;
  }

  /** Kills it, without a goodbye to its clients. Nothing to do if it is down. */
  async kill() {
    const { child } = this;
    this.child = null;
    child?.kill('SIGKILL');
    await child?.ended;
  }

  /** Stops it from running without closing anything, or lets it run on. */
  freeze(frozen) {
    this.child.kill(frozen ? 'SIGSTOP' : 'SIGCONT');
  }

  /** Runs one command on a connection of its own and gives the first line of the answer. */
  async run(...words) {
    const socket = connect(this.port, '127.0.0.1').setTimeout(ANSWER_MS, () => socket.destroy(new Error('no answer')));
    try {
      const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
      socket.write(`*${words.length}\r\n${parts.join('')}`);
      let answer = '';
      for await (const bytes of socket) {
        answer += bytes;
        if (answer.includes('\r\n')) break;
      }
      assert.ok(answer && !answer.startsWith('-'), `${words[0]}: ${answer}`);
      return answer.split('\r\n')[0];
    } finally {
      socket.destroy();
    }
  }

  /** Ends it for good. */
  async remove() {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}
