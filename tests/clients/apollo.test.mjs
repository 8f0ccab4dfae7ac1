// Apollo Client, set up as in examples/apollo.ts.

import assert from 'node:assert/strict';

import { connect } from '#examples/apollo';
import { followBooking } from '#examples/screen';

import { tryClient } from './front.mjs';
import { version } from './report.mjs';

const isQuery = ({ definitions }) => definitions[0].operation === 'query';

function open(settings) {
  const { client, socket } = connect(settings);
  return {
    async run(document, variables) {
      const options = isQuery(document)
        ? client.query({ query: document, variables, fetchPolicy: 'network-only' })
        : client.mutate({ mutation: document, variables });
      return (await options).data;
    },
    watch(query, variables, take) {
      client.subscribe({ query, variables }).subscribe({ next: ({ data, error }) => take({ data, errors: error }) });
    },
    cached: (query, variables) => client.cache.readQuery({ query, variables }),
    follow: (id, show) => followBooking(client, id, show),
    close() {
      const events = Object.keys(client.extract()).filter((key) => /^(Stream|.*(Created|Changed):)/.test(key));
      assert.deepEqual(events, [], 'events pass through the cache');
      client.stop();
      return socket.dispose();
    },
  };
}

tryClient(`Apollo Client ${version('@apollo/client')}`, open);
