/**
 * Changes the definitions in every small way that `test/machine/mutants.ts` knows, looks for the fact that sees it, and
 * writes the result. Fails if one survives that is not explained. Some minutes.
 *
 *     node --import tsx bin/mutants.ts <result.md>                every mutant, told one by one; then the result
 *     node --import tsx bin/mutants.ts part <machine> <n> <of>    one of so many parts of its mutants, as JSON: what the above starts
 */
import { execFile, execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { rendered } from '../lib/definitions';
import { MACHINES } from '../lib/names';
import { whySurvives } from '../test/machine/explained';
import { FACTS } from '../test/machine/facts';
import { statesOf } from '../test/machine/graph';
import { type Found, hunt } from '../test/machine/hunt';
import { mutantsOf } from '../test/machine/mutants';

type Results = [machine: string, found: Found[]][];

const row = (...cells: (string | number)[]) => `| ${cells.join(' | ')} |`;
const isAlive = ({ caughtBy }: Found) => !caughtBy;

/** How many of each, the most first. */
function counted<T>(items: T[], key: (item: T) => string): [string, number][] {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return [...counts].sort(([, one], [, other]) => other - one);
}

function summary(results: Results): string[] {
  const kinds = counted(
    results.flatMap(([, found]) => found),
    ({ kind }) => kind,
  ).map(([kind]) => kind);
  const of = (found: Found[]) => `${found.length - found.filter(isAlive).length} of ${found.length}`;
  return [
    row('kind', ...results.map(([machine]) => `\`${machine}\``)),
    row('---', ...results.map(() => '---')),
    ...kinds.map((kind) => row(kind, ...results.map(([, found]) => of(found.filter((one) => one.kind === kind))))),
    row('all', ...results.map(([, found]) => of(found))),
  ];
}

function survivors(results: Results): string[] {
  const alive = results.flatMap(([machine, found]) => found.filter(isAlive).map((one) => ({ ...one, machine })));
  return [
    row('machine', 'state', 'changed', 'why it may survive'),
    '|---|---|---|---|',
    ...alive.map((one) => {
      const changed = `\`${one.what.replaceAll('|', '\\|').slice(0, 100)}\``;
      return row(one.machine, one.state, changed, whySurvives(one) ?? '**not explained**');
    }),
  ];
}

/** Which facts caught the mutants of each state, by the facts' numbers. */
function byState([machine, found]: Results[number]): string[] {
  const facts = (FACTS[machine] ?? []).map(({ name }) => name);
  const number = (name?: string) => (name ? `${facts.indexOf(name) + 1}` : 'survives');
  const states = statesOf(JSON.parse(rendered(machine))).map(([name]) => name);
  const list = (items: [string, number][]) => items.map(([what, count]) => `${what}: ${count}`).join(', ');
  return [
    '',
    `## \`${machine}\``,
    '',
    ...facts.map((name, index) => `${index + 1}. ${name}`),
    '',
    row('state', 'changed', 'seen first by fact'),
    '|---|---|---|',
    ...states.map((name) => {
      const own = found.filter(({ state }) => state === name);
      return row(name, list(counted(own, ({ kind }) => kind)), list(counted(own, ({ caughtBy }) => number(caughtBy))));
    }),
  ];
}

function document(results: Results): string {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  return [
    '# Mutants of the definitions: the last results',
    '',
    `\`npm run mutants\` in \`infra/\`, ${new Date().toISOString().slice(0, 10)}, ${commit}. Each definition is changed in one place`,
    '(`infra/test/machine/mutants.ts` has the kinds), and walked through with scripted answers: a mutant is caught when one of the facts',
    'of `infra/test/behaviour.test.ts` fails. These run with `npm test`, and so with the suite.',
    '',
    ...summary(results),
    '',
    '## What survives',
    '',
    ...survivors(results),
    ...results.flatMap(byState),
    '',
  ].join('\n');
}

/** One of so many parts of a machine's mutants. */
function part(machine: string, nth: number, of: number): Promise<Found[]> {
  const isMine = (_: unknown, index: number) => index % of === nth;
  return hunt(mutantsOf(JSON.parse(rendered(machine))).filter(isMine), FACTS[machine] ?? []);
}

/** All of a machine's mutants, in as many processes as this computer has processors. */
async function inParts(machine: string): Promise<Found[]> {
  const of = availableParallelism();
  const parts = Array.from({ length: of }, async (_, nth): Promise<Found[]> => {
    const command = ['--import', 'tsx', __filename, 'part', machine, `${nth}`, `${of}`];
    const { stdout } = await promisify(execFile)(process.execPath, command, { maxBuffer: 2 ** 28 });
    return JSON.parse(stdout);
  });
  return (await Promise.all(parts)).flat();
}

async function main(file: string) {
  const results: Results = [];
  for (const machine of MACHINES) {
    const found = await inParts(machine);
    for (const one of found) console.log(`${machine} ${one.state}: ${one.what}: ${one.caughtBy ?? 'survives'}`);
    results.push([machine, found]);
  }
  writeFileSync(file, document(results));
  const left = results.flatMap(([, found]) => found.filter((one) => isAlive(one) && !whySurvives(one)));
  for (const { state, what } of left) console.error(`not explained: ${state}: ${what}`);
  process.exit(left.length > 0 ? 1 : 0);
}

const [command = '', machine = '', nth, of] = process.argv.slice(2);
const done =
  command === 'part'
    ? part(machine, Number(nth), Number(of)).then((found) => process.stdout.write(JSON.stringify(found)))
    : main(command);
done.catch((error: Error) => {
  console.error(`error: ${error.message}`);
  process.exit(1);
});
