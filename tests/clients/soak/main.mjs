// The command line of the soak: `scripts/soak`.

import { parseArgs } from 'node:util';

import { EMBEDDED, FAULTS } from './faults.mjs';
import { table } from './report.mjs';
import { soak } from './world.mjs';

const options = {
  pairs: { type: 'string', default: '50' },
  seed: { type: 'string', default: '1' },
  pace: { type: 'string', default: '1000' },
  kinds: { type: 'string' },
  sqlite: { type: 'boolean', default: false },
  faults: { type: 'string' },
  minutes: { type: 'string' },
  kills: { type: 'string' },
};

function wanted() {
  const { values } = parseArgs({ options });
  const number = (name) => {
    if (values[name] === undefined) return undefined;
    const value = Number(values[name]);
    if (!(value > 0)) throw new Error(`--${name} takes a number above 0, not ${values[name]}`);
    return value;
  };
  const known = values.sqlite ? EMBEDDED : Object.keys(FAULTS);
  const named = values.kills ? 'kill' : (values.kinds ?? (values.sqlite ? 'kill' : 'kill,redis-kill'));
  // `redis` is short for all that begin with it.
  const meant = (name) => known.filter((kind) => name === 'all' || kind === name || kind.startsWith(`${name}-`));
  const kinds = named.split(',').flatMap((name) => (meant(name).length ? meant(name) : [name]));
  const unknown = kinds.filter((kind) => !known.includes(kind));
  if (unknown.length) throw new Error(`--kinds takes all, redis, or of these: ${known.join(', ')}; not ${unknown}`);
  const minutes = number('minutes');
  const faults = number('kills') ?? number('faults') ?? (minutes ? undefined : kinds.length);
  return { pairs: number('pairs'), pace: number('pace'), seed: values.seed, embedded: values.sqlite, kinds, faults, minutes };
}

const steps = [];
try {
  const say = (line) => console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);
  const figures = await soak({ after: (step) => steps.push(step) }, { ...wanted(), say });
  console.log(table(figures));
  process.exitCode = figures.wrongs ? 1 : 0;
} catch (error) {
  console.error(`soak: ${error.message}`);
  process.exitCode = 2;
} finally {
  for (const step of steps) {
    await Promise.resolve()
      .then(step)
      .catch((error) => {
        console.error(`soak: ${error.message}`);
        process.exitCode ||= 1;
      });
  }
}
