// What must hold of the deals when everybody has fallen silent: what was acknowledged is there, once, and nothing else; the
// wallets hold what follows from it; and the program's own proof finds nothing.

import { differences } from './checks.mjs';
import { hexOf } from './database.mjs';

/** The tables of what a pair makes, and whose it is. */
const TABLES = [
  ['payments', 'user_id'],
  ['jobs', 'customer_id'],
  ['offers', 'customer_id'],
  ['bookings', 'customer_id'],
];
const WALLET = '{ viewer { wallet { available { amount } held { amount } escrow { amount } } } }';

/** Compares the deals of all pairs with the tables, the wallets and the proof. */
export async function checkBooks(world, couples) {
  await checkKeys(world);
  await checkObjects(world, couples);
  for (const [customer, contractor] of couples) {
    const { available, held, escrow, earned } = customer.trade.money;
    await checkWallet(customer, [available, held, escrow]);
    await checkWallet(contractor, [earned, 0, 0]);
  }
  // Its exit status is 1 if anything is wrong.
  await world.command('proof').catch(({ stdout, stderr }) => world.wrong(`the proof fails:\n${stdout}${stderr}`));
}

/** Each key whose effect was acknowledged is there with that effect; no other is, as refusals leave none. */
async function checkKeys({ database, people }) {
  const rows = await database.rows(
    'select u.email, i.operation, i.key, i.effect from idempotency i join users u on u.id = i.viewer_id',
  );
  for (const person of people) {
    const kept = new Map();
    for (const { email, operation, key, effect } of rows) {
      if (email === person.login.email) kept.set(`${operation} ${key}`, effect);
    }
    const wrongs = differences([...person.keys.keys()].sort(), [...kept.keys()].sort());
    wrongs.forEach((it) => person.wrong(`${it} among the keys`));
    for (const [name, ids] of person.keys) {
      const lost = ids.filter((id) => !(kept.get(name) ?? id).includes(id));
      if (lost.length) person.wrong(`${name} is kept as ${kept.get(name)}, without ${lost}`);
    }
  }
}

/** Everything that was made is there, where it was acknowledged to stand, and nothing else. */
async function checkObjects({ database }, couples) {
  const found = new Map(couples.map(([customer]) => [customer.login.email, []]));
  for (const [table, owner] of TABLES) {
    const rows = await database.rows(
      `select u.email, ${database.hex('t.id')} as id, t.status from ${table} t join users u on u.id = t.${owner}`,
    );
    for (const { email, id, status } of rows) found.get(email).push(`${id} ${status}`);
  }
  for (const [customer] of couples) {
    const wanted = [...customer.trade.objects].map(([id, status]) => `${hexOf(id)} ${status}`);
    const kept = found.get(customer.login.email);
    differences(wanted.sort(), kept.sort()).forEach((it) => customer.wrong(`${it} in the tables`));
  }
}

/** What a wallet has available, held and in escrow, in dollars. */
async function checkWallet(person, wanted) {
  const { viewer } = await person.ask(WALLET);
  const { available, held, escrow } = viewer.wallet;
  const found = [available, held, escrow].map(({ amount }) => Number(amount));
  if (`${found}` !== `${wanted}`) person.wrong(`available, held and in escrow are ${found}, and should be ${wanted}`);
}
