// urql, set up as in examples/urql.ts.

import { connect } from '#examples/urql';

import { tryClient } from './front.mjs';
import { version } from './report.mjs';

const isQuery = ({ definitions }) => definitions[0].operation === 'query';

function open(settings) {
  const { client, socket } = connect(settings);
  return {
    async run(document, variables) {
      const { data, error } = isQuery(document)
        ? await client.query(document, variables, { requestPolicy: 'network-only' })
        : await client.mutation(document, variables);
      if (error) throw error;
      return data;
    },
    watch(query, variables, take) {
      client.subscription(query, variables).subscribe(({ data, error }) => take({ data, errors: error }));
    },
    cached: async (query, variables) => (await client.query(query, variables, { requestPolicy: 'cache-only' })).data,
    close: () => socket.dispose(),
  };
}

tryClient(`urql ${version('@urql/core')}`, open);
