// A short slice of `scripts/soak`: strict in counts, patient in time.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { table } from './soak/report.mjs';
import { soak } from './soak/world.mjs';

test('nothing is lost when an instance is killed and Redis restarts', async (t) => {
  const figures = await soak(t, { pairs: 8, seed: 1, kinds: ['kill', 'redis-kill'], faults: 2, pace: 400 });
  t.diagnostic(table(figures));
  assert.deepEqual(figures.problems, []);
  assert.equal(figures.delivered, figures.acknowledged);
  assert.ok(figures.acknowledged > 100 && figures.reconnects > 0, table(figures));
});
