// What a Relay app asks for: a page of bookings that grows, one booking that is fetched anew, and live changes of both.

import { graphql } from 'relay-runtime';

export const page = graphql`
  query bookingsPageQuery($count: Int!, $cursor: String) {
    viewer {
      streamCursor
      ...bookings_list
    }
  }
`;

export const list = graphql`
  fragment bookings_list on Viewer @refetchable(queryName: "bookingsListQuery") {
    bookings(first: $count, after: $cursor) @connection(key: "bookings_bookings") {
      edges {
        node {
          id
          ...bookings_card
        }
      }
    }
  }
`;

export const card = graphql`
  fragment bookings_card on Booking @refetchable(queryName: "bookingsCardQuery") {
    status
    version
    amount {
      amount
      currency
    }
    contractor {
      displayName
    }
    conversation {
      ...bookings_messages
    }
  }
`;

export const messages = graphql`
  fragment bookings_messages on Conversation
  @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" })
  @refetchable(queryName: "bookingsMessagesQuery") {
    messages(last: $count, before: $cursor) @connection(key: "bookings_messages") {
      edges {
        node {
          number
          content
        }
      }
    }
  }
`;

export const accept = graphql`
  mutation bookingsAcceptMutation($input: OfferAcceptInput!, $connections: [ID!]!) {
    offerAccept(input: $input) {
      booking @prependNode(connections: $connections, edgeTypeName: "BookingEdge") {
        ...bookings_card
      }
      userErrors {
        code
        message
      }
    }
  }
`;

export const changed = graphql`
  subscription bookingsChangedSubscription($after: String) {
    bookingChanged(after: $after) {
      __typename
      id
      cursor
      ... on BookingCreated {
        booking {
          ...bookings_card
        }
      }
      ... on BookingStatusChanged {
        booking {
          ...bookings_card
        }
      }
      ... on BookingCancelled {
        booking {
          ...bookings_card
        }
      }
    }
  }
`;
