/** What people are asked, how long they have, and what comes of what they say. */
import assert from 'node:assert/strict';
import type { Definition } from '../../lib/definitions';
import { cutover, PLAN } from './cutover';
import { type Fact, linesAfter, visited } from './fact';
import { Failure, type Script, type Walk } from './walk';

const HOLDING = { ...PLAN, timeout: 10_000, monitoring: { interval: 40, on_failure: 'hold', hold_limit: 900 } };
const SICK = new Failure('Cutover.Unhealthy');
const WELL = { done: true, wait_seconds: 0, tally: 'LOOKS', at: 'M' };
const YES = { by: 'Ada', why: 'known' };
const UNSIGNED = [
  { by: 'YOUR NAME', why: 'agreed' },
  { by: 'Ada', why: 'YOUR REASON' },
];
/** Longer than what is kept of a sentence that a person writes, each part of it another one. */
const LONG = Array.from({ length: 400 }, (_, nth) => `word ${nth}`).join(', ');
const KEPT = LONG.slice(0, 1000);

/** A run whose first check fails, and what a person says to that. */
const held = (definition: Definition, script: Script, plan = HOLDING) =>
  cutover(definition, { Monitor: [SICK, WELL, WELL], AwaitDecision: [YES], ...script }, plan);
const lineOf = (walk: Walk, state: string) => walk.lines.find((line) => line.startsWith(`${state} `)) ?? '';
/** The seconds that were waited for before a state was first called. */
function secondsBefore({ lines }: Walk, state: string): number {
  const before = lines.slice(
    0,
    lines.findIndex((line) => line.startsWith(`${state} `)),
  );
  return before.reduce((sum, line) => sum + Number(/^\w+Wait (\d+) s$/.exec(line)?.[1] ?? 0), 0);
}

export const facts: Fact[] = [
  {
    name: 'who agreed and why is said as far as it is known, the first 1,000 characters of each',
    holds: async (definition) => {
      const walk = await cutover(definition, { AwaitApproval: [{}] });
      const unnamed = { at: 'after 2 s', plan: null, question: null };
      assert.deepEqual(walk.output.approval, { by: 'not said', why: 'not said', ...unnamed });
      const long = await cutover(definition, { AwaitApproval: [{ by: LONG, why: LONG }] });
      assert.deepEqual(long.output.approval, { by: KEPT, why: KEPT, ...unnamed });
      const asked = { plan: 'd'.repeat(64), question: 'q'.repeat(32) };
      const told = await cutover(definition, { AwaitApproval: [{ by: 'Ada', why: 'agreed', ...asked }] });
      assert.deepEqual(told.output.approval, { by: 'Ada', why: 'agreed', at: 'after 2 s', ...asked });
      assert.match(lineOf(told, 'Claim'), /plan: d{64}, question: q{32}/);
      const verified = { by: 'ada@example.com', verified: true };
      const claimed = await cutover(definition, { AwaitApproval: [{}], Claim: [{ approval: verified }] });
      assert.deepEqual(claimed.output.approval, verified, 'as the journal knows it');
    },
  },
  {
    name: 'before the journal has the plan, a message carries those whom the plan names with their part of it',
    holds: async (definition) => {
      const plan = { ...PLAN, stakeholders: { of_stack: null, groups: ['ops'] } };
      const walk = await cutover(definition, { AwaitApproval: [new Failure('Rejected')] }, plan);
      for (const state of ['AwaitApproval', 'AnnounceNothingTouched'])
        assert.match(lineOf(walk, state), /stakeholders: {of_stack: null, groups: \[ops\]}/);
    },
  },
  {
    name: 'a yes that is the command of the message as it stood is none: before traffic moves the run ends',
    holds: async (definition) => {
      for (const answer of UNSIGNED) {
        const walk = await cutover(definition, { AwaitApproval: [answer] });
        assert.equal(walk.ending, 'Rejected');
        assert.deepEqual(visited(walk).slice(-3), ['AwaitApproval', 'AnnounceNothingTouched', 'Rejected']);
        assert.match(
          walk.lines.at(-1) ?? '',
          /"failed_state":"AwaitApproval","error":"Cutover.Rejected","cause":"the yes still said YOUR NAME/,
        );
        const NextLoadTurn = [{ over: true, ask: true, round: 0, turn: 1, slices: [], seen: 'LOAD', report: 'KEY' }];
        const loaded = await cutover(definition, { NextLoadTurn, AskAfterLoadTest: [answer] });
        const [start] = linesAfter(loaded, 'AskAfterLoadTest');
        assert.match(
          start ?? '',
          /^StartRollback .*why: AskAfterLoadTest: Cutover.Rejected: the yes still said YOUR NAME/,
        );
      }
    },
  },
  {
    name: 'while a step is held, whoever sent such a yes is asked again, and neither the run goes on nor what failed is forgotten',
    holds: async (definition) => {
      for (const answer of UNSIGNED) {
        const walk = await held(definition, { AwaitDecision: [answer, YES] });
        const asked = walk.lines.filter((line) => line.startsWith('AwaitDecision'));
        assert.equal(linesAfter(walk, 'AwaitDecision')[0], asked[1]);
        assert.match(asked[1] ?? '', /why: Cutover.Unhealthy: why, /);
        const said = walk.output.decisions.map(({ go_on, by }: Definition) => [go_on, by]);
        assert.deepEqual(said, [
          [false, answer.by],
          [true, 'Ada'],
        ]);
        assert.equal(walk.ending, 'Succeeded');
      }
      const never = await held(definition, { AwaitDecision: UNSIGNED });
      assert.equal(visited(never).filter((state) => state === 'AwaitDecision').length, 5);
      assert.match(
        lineOf(never, 'StartRollback'),
        /why; somebody was asked 5 times, and answered to go on 0 times: not asked again}}$/,
      );
    },
  },
  {
    name: 'a check that fails holds the step where the plan says so: a person is told why, and how long there is',
    holds: async (definition) => {
      const walk = await held(definition, {});
      assert.equal(
        lineOf(walk, 'AwaitDecision'),
        'AwaitDecision within 900 s Notify {topic_arn: everybody, application: shop, event: holding, task_token: TOKEN, plan: PLAN, detail: {title: first, new_weight: 10, why: Cutover.Unhealthy: why, asked: 1, ends_step: false, within_seconds: 900}}',
      );
      // Only what checks say is held.
      for (const error of ['Cutover.Drift', 'Cutover.DeadlineExceeded', 'Test.Boom']) {
        const { lines } = await held(definition, { Monitor: [new Failure(error)] });
        assert.ok(!lines.some((line) => line.startsWith('AwaitDecision')), error);
      }
    },
  },
  {
    name: 'a decision has to come before the run is out of time, counted from the claim; there is always a second for it',
    holds: async (definition) => {
      for (const timeout of [200, 50]) {
        const walk = await held(
          definition,
          { AwaitDecision: [new Failure('States.Timeout')] },
          { ...HOLDING, timeout },
        );
        const since = secondsBefore(walk, 'AwaitDecision') - secondsBefore(walk, 'Claim');
        const left = Math.max(1, timeout - since);
        assert.match(
          lineOf(walk, 'AwaitDecision'),
          new RegExp(`^AwaitDecision within ${left} s .*within_seconds: ${left}}}$`),
        );
        assert.equal(walk.ending, 'RolledBack', 'silence is a no');
        const silence = `; held for a decision: nobody answered within ${left} s}}`;
        assert.ok(lineOf(walk, 'StartRollback').endsWith(silence), lineOf(walk, 'StartRollback'));
      }
    },
  },
  {
    name: 'whoever lets a step go on whose change still settles has it waited for before the hold begins',
    holds: async (definition) => {
      const walk = await held(definition, { Monitor: [WELL], WatchSettling: [SICK, { tally: 'SEEN' }] });
      assert.equal(walk.ending, 'Succeeded');
      const [shift, wait] = linesAfter(walk, 'AwaitDecision');
      assert.match(shift ?? '', /^ShiftWeight WeightShift {route: 1, attempt: 1, change_id: C2, /);
      assert.match(wait ?? '', /^SettleWait /);
    },
  },
  {
    name: 'whoever lets a step go on is told with the ending, and the hold begins again as if nothing had been counted',
    holds: async (definition) => {
      const look = { done: false, wait_seconds: 35, tally: 'LOOKS-1', at: 'M1' };
      const walk = await held(definition, { Monitor: [look, SICK, WELL, WELL] });
      assert.equal(walk.ending, 'Succeeded');
      const [wait, check] = linesAfter(walk, 'AwaitDecision');
      assert.equal(wait, 'HoldWait 40 s');
      assert.match(check ?? '', /^Monitor Monitor {elapsed_seconds: 40, tally: null, .*decisions: 1/);
      assert.equal(walk.variables.failure, null, 'it is no failure any more');
      const { at, ...said } = walk.output.decisions[0];
      const step = { go_on: true, title: 'first', new_weight: 10 };
      assert.deepEqual(said, { ...step, in_spite_of: 'Cutover.Unhealthy: why', ...YES });
      assert.match(at, /^after \d+ s$/);
      const silent = await held(definition, { AwaitDecision: [{}] });
      assert.deepEqual([silent.output.decisions[0].by, silent.output.decisions[0].why], ['not said', 'not said']);
      const Monitor = [new Failure('Cutover.Unhealthy', LONG), WELL];
      const long = await held(definition, { Monitor, AwaitDecision: [{ by: LONG, why: LONG }] });
      const { by, why, in_spite_of } = long.output.decisions[0];
      assert.deepEqual([by, why, in_spite_of], [KEPT, KEPT, `Cutover.Unhealthy: ${KEPT}`]);
    },
  },
  {
    name: 'whoever sends a step back is told behind what failed, and nobody is asked a sixth time',
    holds: async (definition) => {
      for (const [cause, said] of [
        ['why', 'why'],
        [LONG, KEPT],
      ] as const) {
        const back = await held(definition, { AwaitDecision: [new Failure('GoBack', cause)] });
        assert.equal(back.ending, 'RolledBack');
        const why = `Monitor: Cutover.Unhealthy: why; held for a decision: GoBack: ${said}`;
        assert.ok(lineOf(back, 'StartRollback').endsWith(`why: ${why}}}`), lineOf(back, 'StartRollback'));
      }
      const often = await held(definition, { Monitor: Array(9).fill(SICK) });
      assert.equal(visited(often).filter((state) => state === 'AwaitDecision').length, 5);
      assert.equal(often.ending, 'RolledBack');
      assert.match(
        lineOf(often, 'StartRollback'),
        /; somebody was asked 5 times, and answered to go on 5 times: not asked again}}$/,
      );
      const asked = often.lines
        .filter((line) => line.startsWith('AwaitDecision'))
        .map((line) => /asked: (\d)/.exec(line)?.[1]);
      assert.deepEqual(asked, ['1', '2', '3', '4', '5']);
      const unasked = await cutover(definition, { Monitor: [SICK] });
      assert.match(lineOf(unasked, 'StartRollback'), /why: Monitor: Cutover.Unhealthy: why}}$/);
    },
  },
  {
    name: 'a yes to too little data ends the step: it is not held again, and the next one follows',
    holds: async (definition) => {
      const cause = 'step 1 of 1: too little data after a hold of 1m40s: 5xx: 0 of 3 requests failed';
      const unsure = new Failure('Cutover.Inconclusive', cause);
      const walk = await held(definition, { Monitor: [unsure, WELL] });
      assert.match(lineOf(walk, 'AwaitDecision'), /asked: 1, ends_step: true, /);
      const [next] = linesAfter(walk, 'AwaitDecision');
      assert.ok(!next?.startsWith('HoldWait') && !next?.startsWith('Monitor'), next);
      assert.equal(walk.ending, 'Succeeded');
      const steps = walk.output.steps.map(({ title, ended_at }: Definition) => [title, typeof ended_at]);
      assert.deepEqual(steps, [
        ['first', 'string'],
        ['second', 'string'],
      ]);
      assert.equal(walk.output.decisions[0].in_spite_of, `Cutover.Inconclusive: ${cause}`);
      // Silence of all data is none of it: nobody can tell then, and the hold begins again.
      const blind = await held(definition, {
        Monitor: [new Failure('Cutover.Inconclusive', '3 checks in a row without data'), WELL, WELL],
      });
      assert.match(linesAfter(blind, 'AwaitDecision')[0] ?? '', /^HoldWait/);
    },
  },
];
