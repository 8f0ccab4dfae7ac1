// Apollo Client, set up as in examples/apollo.ts.

import { connect } from '#examples/apollo';

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
    close() {
      client.stop();
      return socket.dispose();
    },
  };
}

tryClient(`Apollo Client ${version('@apollo/client')}`, open);
