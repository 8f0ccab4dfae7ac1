// Who is asking: HS256 tokens, checked once each and remembered as long as they hold.

import { createVerifier } from 'fast-jwt';

import { JWT_SECRET } from './settings.mjs';

/** More than the sockets of any run. */
const TOKENS_REMEMBERED = 20_000;

const verify = createVerifier({ key: JWT_SECRET, algorithms: ['HS256'], cache: TOKENS_REMEMBERED });

/** The viewer whom a bare token names, or null. */
export function viewerOfToken(token) {
  try {
    const { sub, role } = verify(token);
    return { id: sub, role };
  } catch {
    return null;
  }
}

/** The viewer whom `Bearer <token>` names, or null. */
export function viewerOfHeader(header) {
  return typeof header === 'string' && header.startsWith('Bearer ')
    ? viewerOfToken(header.slice('Bearer '.length))
    : null;
}
