// What a peer refuses, and with which code. A GraphQL error carries the code to clients by itself.

import { GraphQLError } from 'graphql';

export class Refusal extends GraphQLError {
  constructor(code, message) {
    super(message, { extensions: { code } });
  }

  get code() {
    return this.extensions.code;
  }
}

/** The viewer, or a refusal where nobody is signed in. */
export function signedIn(viewer) {
  if (!viewer) throw new Refusal('UNAUTHENTICATED', 'Sign in first.');
  return viewer;
}

export function admin(viewer) {
  if (signedIn(viewer).role !== 'ADMIN') throw new Refusal('FORBIDDEN', 'For admins only.');
  return viewer;
}

/** Offers are sealed: the customer of the job and staff see them. */
export function readsOffers(viewer, job) {
  if (signedIn(viewer).role !== 'ADMIN' && viewer.id !== job.customerId) {
    throw new Refusal('FORBIDDEN', 'The offers of this job are sealed.');
  }
}

/** A list's size as asked for. */
export function size(first) {
  if (first < 1 || first > 100) throw new Refusal('BAD_USER_INPUT', 'first is 1 to 100.');
  return first;
}

/** What somebody wrote. */
export function text(value, limit) {
  if (typeof value !== 'string' || value.length === 0 || value.length > limit) {
    throw new Refusal('BAD_USER_INPUT', `A text has 1 to ${limit} characters.`);
  }
  return value;
}
