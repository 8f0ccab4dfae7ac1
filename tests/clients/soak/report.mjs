// What a soak has shown, as figures and as a table in Markdown.

import { FAULTS } from './faults.mjs';

const sum = (list, value) => list.reduce((total, item) => total + value(item), 0);
const most = (list, value) => list.reduce((found, item) => Math.max(found, value(item)), 0);
const whole = (number) => Math.round(number).toLocaleString('en');

/** The figures. */
export function report(world) {
  const { people, faults, delays, problems, wrongs, refusals } = world;
  const sorted = delays.toSorted((a, b) => a - b);
  const part = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  const feeds = people.flatMap((person) => person.feeds);
  const kinds = [...new Set(faults.map(({ kind }) => kind))].map((kind) => {
    const those = faults.filter((fault) => fault.kind === kind);
    const [silence, delay, late] = ['silence', 'delay', 'late'].map((name) => most(those, (fault) => fault[name]));
    return { kind, times: those.length, silence, delay, late };
  });
  return {
    pairs: people.length / 2,
    seed: world.seed,
    seconds: world.talked / 1000,
    acknowledged: sum(people, (person) => person.acknowledged.length),
    deposits: sum(people, (person) => person.deposited),
    delivered: sum(people, (person) => person.got.length),
    crossed: world.crossed,
    events: sum(feeds, (feed) => feed.count),
    repeats: sum(feeds, (feed) => feed.repeats),
    reconnects: sum(people, (person) => person.connects - 1),
    repeated: sum(people, (person) => person.repeated),
    refusals: Object.fromEntries(refusals),
    delay: { p50: part(0.5), p99: part(0.99), max: sorted.at(-1) ?? 0, late: world.lateness },
    lag: world.lag.max / 1e6,
    kinds,
    wrongs,
    problems,
  };
}

/** The same for people. */
export function table(figures) {
  const { delay, kinds, refusals, problems, wrongs } = figures;
  const ms = (value) => `${whole(value)} ms`;
  const codes = Object.entries(refusals).map(([code, times]) => `${code} ${times}`);
  const rows = [
    ['pairs, seed, seconds', `${figures.pairs}, ${figures.seed}, ${whole(figures.seconds)}`],
    ['messages acknowledged', whole(figures.acknowledged)],
    ['delivered to the other side', `${whole(figures.delivered)}, of them across instances ${whole(figures.crossed)}`],
    ['deposits acknowledged', whole(figures.deposits)],
    ['events delivered, over two operations each', whole(figures.events)],
    ['events that came again after a reconnect', whole(figures.repeats)],
    ['reconnects of a client', whole(figures.reconnects)],
    ['requests sent again', `${whole(figures.repeated)}${codes.length ? ` (${codes.join(', ')})` : ''}`],
    ['delay while connected: p50, p99, longest', [delay.p50, delay.p99, delay.max].map(ms).join(', ')],
    ['delay with reconnects: longest', ms(delay.late)],
    ['lateness of the soak itself, on a busy machine', ms(figures.lag)],
    ['missing, twice, out of order, or otherwise wrong', whole(wrongs)],
  ];
  const lines = ['| what | figure |', '|---|---|', ...rows.map(([what, figure]) => `| ${what} | ${figure} |`)];
  lines.push('', '| fault | times | longest silence | longest delay while connected | with reconnects |', '|---|---|---|---|---|');
  for (const { kind, times, silence, delay: live, late } of kinds) {
    lines.push(`| ${FAULTS[kind][0]} | ${times} | ${ms(silence)} | ${ms(live)} | ${ms(late)} |`);
  }
  if (problems.length) lines.push('', ...problems.map((problem) => `WRONG: ${problem}`));
  return lines.join('\n');
}
