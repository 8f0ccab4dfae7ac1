// What a peer is told by its environment, and how each of them starts and stops.

function needed(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

export const DATABASE_URL = needed('DATABASE_URL');
export const REDIS_URL = needed('REDIS_URL');
/** Begins the name of every channel, so that runs on one Redis do not hear each other. */
export const REDIS_PREFIX = needed('REDIS_PREFIX');
export const JWT_SECRET = needed('JWT_SECRET');
export const HOST = '127.0.0.1';
export const PORT = Number(needed('PORT'));

/**
 * Says that the peer listens, and ends it on SIGTERM after `stop`. Connections to Redis end with the process: subscriptions
 * leave Redis some time after their sockets are closed, and a client that was closed would fail them.
 */
export function ready(stop) {
  process.once('SIGTERM', async () => {
    await stop();
    process.exit();
  });
  console.log('ready');
}

/** Characters of a text, at most. */
export const LIMITS = { title: 200, content: 5_000 };
