// What may go wrong: a function for each kind. It is over when everything runs again.
//
// To add one: a function of the world and a source of chance, a line in FAULTS. `scripts/soak --kinds` knows it then.

import { setTimeout as sleep } from 'node:timers/promises';

/** An instance is killed in the middle of a step of a deal; after a moment it is started at the same address. */
async function kill(world, random) {
  const server = await world.struck(random);
  await sleep(random.between(0, world.stepMs));
  await server.kill();
  await sleep(random.between(200, 2_000));
  await server.start();
}

/** An instance is told to end, as in a deployment, and must end content. */
async function drain({ servers }, random) {
  const server = random.pick(servers);
  await server.stop();
  await server.start();
}

/** Nothing happens: what the others are compared with. */
function calm(_, random) {
  return sleep(random.between(2_000, 4_000));
}

/** Redis is restarted in good order, and comes back empty at once. */
async function redisRestart({ redis }) {
  await redis.stop();
  await redis.start();
}

/** Redis is killed and comes back empty. */
async function redisKill({ redis }, random) {
  await redis.kill();
  await sleep(random.between(1_000, 8_000));
  await redis.start();
}

/** Redis answers nobody, and nothing is closed. */
async function redisFreeze({ redis }, random) {
  redis.freeze(true);
  await sleep(random.between(500, 4_000));
  redis.freeze(false);
}

/** Redis cuts its clients off: those that listen, or those that write. */
async function redisCut({ redis }, random) {
  await redis.run('CLIENT', 'KILL', 'TYPE', random.pick(['pubsub', 'normal']), 'SKIPME', 'yes');
}

/** Redis forgets everything. */
async function redisFlush({ redis }) {
  await redis.run('FLUSHALL');
}

/** Redis cuts listeners off that are a little behind, because a message is larger than it wants to keep for them. */
async function redisBuffer({ redis }, random) {
  const limit = (sizes) => redis.run('CONFIG', 'SET', 'client-output-buffer-limit', `pubsub ${sizes}`);
  await limit('32kb 32kb 1');
  for (let n = 0; n < 3; n++) {
    await redis.run('PUBLISH', 'gigwire:notes', 'x'.repeat(1 << 20));
    await sleep(random.between(100, 1_000));
  }
  await limit('32mb 8mb 60');
}

/** An instance starts while there is no Redis, which comes later. */
async function redisAbsent({ servers, redis }, random) {
  const server = random.pick(servers);
  await Promise.all([server.kill(), redis.kill()]);
  await server.start();
  await sleep(random.between(500, 4_000));
  await redis.start();
}

/** PostgreSQL ends all connections, in the middle of whatever they do. */
async function postgresCut({ database }) {
  await database.cut();
}

/** The network of half of the people breaks. */
async function networkCut({ people }, random) {
  for (const person of people) if (random.chance(0.5)) person.lose();
}

/** Each kind: what is told about it, and how it is done. */
export const FAULTS = {
  kill: ['an instance killed (SIGKILL)', kill],
  'redis-kill': ['Redis killed for 1 to 8 s', redisKill],
  'redis-restart': ['Redis restarted', redisRestart],
  drain: ['an instance drained (SIGTERM)', drain],
  'redis-freeze': ['Redis frozen for up to 4 s', redisFreeze],
  'redis-cut': ['clients of Redis killed', redisCut],
  'redis-flush': ['Redis flushed', redisFlush],
  'redis-buffer': ['output buffer of Redis full', redisBuffer],
  'redis-absent': ['Redis absent at a start', redisAbsent],
  'postgres-cut': ['connections to PostgreSQL ended', postgresCut],
  'network-cut': ['half of the sockets broken', networkCut],
  calm: ['nothing, for comparison', calm],
};

/** Those that need neither Redis nor PostgreSQL. */
export const EMBEDDED = ['kill', 'drain', 'network-cut', 'calm'];

/** What happens in which order, without an end: each round has every kind once, in another order. */
export function* plan(kinds, random) {
  // The first round is in the order of the kinds, so that few faults are the ones that were named first.
  for (let round = kinds; ; round = random.shuffled(kinds)) yield* round;
}
