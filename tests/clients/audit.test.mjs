// The rules of GraphQL over HTTP, as the reference implementation checks them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditServer } from 'graphql-http';

import { figure, version } from './report.mjs';
import { stack } from './support.mjs';

test('all 61 audits of GraphQL over HTTP pass', async (t) => {
  const { servers } = await stack(t);
  const results = await auditServer({ url: servers[0].url });
  const bad = results.filter(({ status }) => status !== 'ok');
  assert.deepEqual(bad.map(({ id, status, name, reason }) => `${id} ${status}: ${name}: ${reason}`), []);
  assert.equal(results.length, 61, 'the audits changed: adapt the number here and in the docs');
  figure(t, {
    what: `graphql-http ${version('graphql-http')}`,
    on: 'SQLite',
    figures: `${results.length - bad.length} of ${results.length} audits are ok`,
  });
});
