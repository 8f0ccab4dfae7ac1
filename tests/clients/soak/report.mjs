// What a soak has shown, as figures and as a table in Markdown.

import { FAULTS } from './faults.mjs';

const sum = (list, value) => list.reduce((total, item) => total + value(item), 0);
const most = (list, value) => list.reduce((found, item) => Math.max(found, value(item)), 0);
const whole = (number) => Math.round(number).toLocaleString('en');

/** The middle, all but one in a hundred, and the longest. */
function spread(list) {
  const sorted = list.toSorted((a, b) => a - b);
  const part = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { count: sorted.length, p50: part(0.5), p99: part(0.99), max: sorted.at(-1) ?? 0 };
}

/** The figures. */
export function report(world) {
  const { people, faults, delays, problems, wrongs, refusals } = world;
  const delay = spread(delays);
  const steps = [...world.steps.values()];
  const feeds = people.flatMap((person) => person.feeds);
  const kinds = [...new Set(faults.map(({ kind }) => kind))].map((kind) => {
    const those = faults.filter((fault) => fault.kind === kind);
    const [silence, delay, late] = ['silence', 'delay', 'late'].map((name) => most(those, (fault) => fault[name]));
    const asked = those.flatMap((fault) => fault.http);
    const http = { ...spread(asked.map(({ ms }) => ms)), failed: asked.filter(({ failed }) => failed).length };
    return { kind, times: those.length, silence, delay, late, http };
  });
  return {
    pairs: people.length / 2,
    seed: world.seed,
    seconds: world.talked / 1000,
    acknowledged: sum(people, (person) => person.acknowledged.length),
    steps: sum(steps, (step) => step.times),
    repeatedSteps: sum(steps, (step) => step.repeated),
    doneSteps: sum(steps, (step) => step.done),
    byStep: Object.fromEntries([...world.steps].map(([name, step]) => [name, step.times])),
    delivered: sum(people, (person) => person.got.length),
    crossed: world.crossed,
    events: sum(feeds, (feed) => feed.count),
    repeats: sum(feeds, (feed) => feed.repeats),
    reconnects: sum(people, (person) => person.connects - 1),
    repeated: sum(people, (person) => person.repeated),
    refusals: Object.fromEntries(refusals),
    delay: { ...delay, late: world.latest.delay },
    latest: world.latest,
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
  const { away, resuming, rest } = figures.latest;
  const steps = Object.entries(figures.byStep).map(([name, times]) => `${name} ${whole(times)}`);
  const codes = Object.entries(refusals).map(([code, times]) => `${code} ${times}`);
  const rows = [
    ['pairs, seed, seconds', `${figures.pairs}, ${figures.seed}, ${whole(figures.seconds)}`],
    ['messages acknowledged', whole(figures.acknowledged)],
    ['delivered to the other side', `${whole(figures.delivered)}, of them across instances ${whole(figures.crossed)}`],
    ['steps of deals acknowledged', `${whole(figures.steps)} (${steps.join(', ')})`],
    ['of them asked more than once', whole(figures.repeatedSteps)],
    ['of them found done already: only the answer was lost', whole(figures.doneSteps)],
    ['events delivered, over two operations each', whole(figures.events)],
    ['events that came again after a reconnect', whole(figures.repeats)],
    ['reconnects of a client', whole(figures.reconnects)],
    ['requests sent again', `${whole(figures.repeated)}${codes.length ? ` (${codes.join(', ')})` : ''}`],
    ['delay while connected: p50, p99, longest', [delay.p50, delay.p99, delay.max].map(ms).join(', ')],
    ['delay with reconnects: longest', ms(delay.late)],
    ['of it without a connection, until resumed, otherwise', [away, resuming, rest].map(ms).join(', ')],
    ['lateness of the soak itself, on a busy machine', ms(figures.lag)],
    ['missing, twice, out of order, or otherwise wrong', whole(wrongs)],
  ];
  const lines = ['| what | figure |', '|---|---|', ...rows.map(([what, figure]) => `| ${what} | ${figure} |`)];
  lines.push('', '| fault | times | longest silence | longest delay while connected | with reconnects |', '|---|---|---|---|---|');
  for (const { kind, times, silence, delay: live, late } of kinds) {
    lines.push(`| ${FAULTS[kind][0]} | ${times} | ${ms(silence)} | ${ms(live)} | ${ms(late)} |`);
  }
  lines.push('', '| requests over HTTP meanwhile | number | failed | p50 | p99 | longest |', '|---|---|---|---|---|---|');
  for (const { kind, http } of kinds) {
    const { count, failed, p50, p99, max } = http;
    lines.push(`| ${FAULTS[kind][0]} | ${whole(count)} | ${failed} | ${[p50, p99, max].map(ms).join(' | ')} |`);
  }
  if (problems.length) lines.push('', ...problems.map((problem) => `WRONG: ${problem}`));
  return lines.join('\n');
}
