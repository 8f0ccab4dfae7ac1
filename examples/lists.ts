// What stays right while it is shown: the wallet, and lists of bookings, offers and notifications.
//
// Each function calls `show` now and after every change, and answers with what ends it: call that when the screen goes.
// What a list holds already follows its events by itself, for the cache knows it by its id. New rows must be put in, and
// gone ones taken out; events come once and in order, so nothing more is to be looked at.

import type { ApolloClient } from '@apollo/client';

import {
  BalanceDocument,
  BookingChangedDocument,
  type BookingPartsFragment,
  BookingsDocument,
  NotificationReceivedDocument,
  type NotificationPartsFragment,
  NotificationsDocument,
  OfferChangedDocument,
  type OfferPartsFragment,
  OffersDocument,
  StartDocument,
  WalletChangedDocument,
} from './generated/graphql.js';

const PAGE = { first: 20 };

/** The cursor before what is shown is asked for: what happens between the two is an event behind it. */
async function start(client: ApolloClient) {
  const { data } = await client.query({ query: StartDocument, fetchPolicy: 'network-only' });
  return { after: data?.viewer?.streamCursor ?? null };
}

const without = <Row extends { id: string }>(row: Row, rows: Row[]) => rows.filter(({ id }) => id !== row.id);
const first = <Row extends { id: string }>(row: Row, rows: Row[]) => [row, ...without(row, rows)];

function both(...parts: { unsubscribe(): void }[]) {
  return () => parts.forEach((part) => part.unsubscribe());
}

/** What can be spent. Every event of the wallet brings the wallet whole. */
export async function followWallet(client: ApolloClient, show: (available: string) => void) {
  const variables = await start(client);
  await client.query({ query: BalanceDocument, fetchPolicy: 'network-only' });
  const shown = client.watchQuery({ query: BalanceDocument }).subscribe(({ data, dataState }) => {
    if (dataState === 'complete' && data.viewer) show(data.viewer.wallet.available.amount);
  });
  return both(shown, client.subscribe({ query: WalletChangedDocument, variables }).subscribe(() => {}));
}

/** The newest bookings. */
export async function followBookings(client: ApolloClient, show: (rows: BookingPartsFragment[]) => void) {
  const variables = await start(client);
  const list = { query: BookingsDocument, variables: PAGE };
  await client.query({ ...list, fetchPolicy: 'network-only' });
  const shown = client.watchQuery(list).subscribe(({ data, dataState }) => {
    if (dataState === 'complete' && data.viewer) show(data.viewer.bookings.nodes);
  });
  const heard = client.subscribe({ query: BookingChangedDocument, variables }).subscribe(({ data }) => {
    const item = data?.bookingChanged;
    if (item?.__typename !== 'BookingCreated' || !item.booking) return;
    const { booking } = item;
    client.cache.updateQuery(list, (old) => {
      if (!old?.viewer) return;
      const { bookings } = old.viewer;
      return { ...old, viewer: { ...old.viewer, bookings: { ...bookings, nodes: first(booking, bookings.nodes) } } };
    });
  });
  return both(shown, heard);
}

/** The newest offers, those of both sides. */
export async function followOffers(client: ApolloClient, show: (rows: OfferPartsFragment[]) => void) {
  const variables = await start(client);
  const list = { query: OffersDocument, variables: PAGE };
  await client.query({ ...list, fetchPolicy: 'network-only' });
  const shown = client.watchQuery(list).subscribe(({ data, dataState }) => {
    if (dataState === 'complete' && data.viewer) show(data.viewer.offers.nodes);
  });
  const heard = client.subscribe({ query: OfferChangedDocument, variables }).subscribe(({ data }) => {
    const item = data?.offerChanged;
    if (item?.__typename !== 'OfferSent' || !item.offer) return;
    const { offer } = item;
    client.cache.updateQuery(list, (old) => {
      if (!old?.viewer) return;
      const { offers } = old.viewer;
      return { ...old, viewer: { ...old.viewer, offers: { ...offers, nodes: first(offer, offers.nodes) } } };
    });
  });
  return both(shown, heard);
}

/** The newest notifications, and how many are unread. */
export async function followNotifications(
  client: ApolloClient,
  show: (rows: NotificationPartsFragment[], unread: number) => void,
) {
  const variables = await start(client);
  const list = { query: NotificationsDocument, variables: PAGE };
  await client.query({ ...list, fetchPolicy: 'network-only' });
  const shown = client.watchQuery(list).subscribe(({ data, dataState }) => {
    if (dataState !== 'complete' || !data.viewer) return;
    show(data.viewer.notifications.nodes, data.viewer.unreadNotificationCount);
  });
  const heard = client.subscribe({ query: NotificationReceivedDocument, variables }).subscribe(({ data }) => {
    const item = data?.notificationReceived;
    if (item?.__typename === 'NotificationsRead') void client.refetchQueries({ include: [NotificationsDocument] });
    if (!item || !('unreadCount' in item)) return;
    client.cache.updateQuery(list, (old) => {
      if (!old?.viewer) return;
      const { notifications } = old.viewer;
      const row = 'notification' in item ? item.notification : null;
      const placed = { NotificationReceived: first, NotificationDismissed: without }[item.__typename as string];
      const nodes = row && placed ? placed(row, notifications.nodes) : notifications.nodes;
      const viewer = { ...old.viewer, unreadNotificationCount: item.unreadCount };
      return { ...old, viewer: { ...viewer, notifications: { ...notifications, nodes } } };
    });
  });
  return both(shown, heard);
}
