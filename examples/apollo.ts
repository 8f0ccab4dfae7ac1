// Apollo Client 4: a cache that follows the events, and subscriptions that survive every reconnect.

import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { SetContextLink } from '@apollo/client/link/context';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { OperationTypeNode } from 'graphql';

import possible from './generated/possible-types.js';
import { liveClient, type Settings } from './live.js';
import { bearer } from './resume.js';

/** The client, and the socket below it: `dispose` it when the user signs out. */
export function connect(settings: Settings) {
  const onGap = () => {
    void client.refetchQueries({ include: 'active' });
    settings.onGap?.();
  };
  const socket = liveClient({ ...settings, onGap });
  const overSocket = new GraphQLWsLink(socket);
  const signed = new SetContextLink(async ({ headers }) => ({
    headers: { ...headers, ...bearer(await settings.token()) },
  }));
  const overHttp = signed.concat(new HttpLink({ uri: settings.url }));
  const usesSocket = ({ operationType }: ApolloLink.Operation) =>
    settings.onlySocket || operationType === OperationTypeNode.SUBSCRIPTION;
  const client = new ApolloClient({
    link: ApolloLink.split(usesSocket, overSocket, overHttp),
    cache: new InMemoryCache({
      possibleTypes: possible.possibleTypes,
      typePolicies: {
        StreamEvent: { keyFields: false }, // events pass: only the objects in them are kept
        Viewer: { keyFields: [] }, // there is one
        Wallet: { keyFields: ['currency'] }, // one for each currency
      },
    }),
  });
  return { client, socket };
}
