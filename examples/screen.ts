// A screen that shows where a booking stands, and follows it.

import type { ApolloClient } from '@apollo/client';

import { BookingChangedDocument, BookingDocument, type BookingStatus, StartDocument } from './generated/graphql.js';

/** Calls `show` now and whenever the booking changes. The answer ends it. */
export async function followBooking(client: ApolloClient, id: string, show: (status: BookingStatus) => void) {
  // The cursor first: what happens between the two questions is an event behind it.
  const { data } = await client.query({ query: StartDocument, fetchPolicy: 'network-only' });
  const after = data?.viewer?.streamCursor ?? null;
  // Events write the booking into the cache, and the cache tells the screen.
  const screen = client.watchQuery({ query: BookingDocument, variables: { id } }).subscribe(({ data }) => {
    const status = data?.booking?.status;
    if (status) show(status);
  });
  const variables = { after, bookingId: id };
  const events = client.subscribe({ query: BookingChangedDocument, variables }).subscribe(() => {});
  return () => {
    screen.unsubscribe();
    events.unsubscribe();
  };
}
