/** The load test: turns until it is over, then what its reply says. */
import assert from 'node:assert/strict';
import { cutover, Failure } from './cutover';
import { type Fact, linesAfter, visited } from './fact';

const TURN = { over: false, ask: false, round: 0, turn: 1, slices: ['SLICE-1'] };
const OVER = { over: true, ask: false, round: 1, turn: 4, slices: [], seen: 'LOAD', report: 'KEY' };
const ASKED = { NextLoadTurn: [{ ...OVER, ask: true }] };

export const facts: Fact[] = [
  {
    name: 'turns go on from where the last reply was, also when the whole is repeated',
    holds: async (definition) => {
      const again = { ...TURN, round: 1, slices: ['SLICE-2'] };
      const NextLoadTurn = [TURN, again, OVER];
      const walk = await cutover(definition, { NextLoadTurn, SendSlice: [{}, {}] });
      const asked = walk.lines.filter((line) => line.startsWith('NextLoadTurn'));
      const places = [...asked].map((line) => /round: \d, turn: \d/.exec(line)?.[0]);
      assert.deepEqual(places, ['round: 0, turn: 0', 'round: 0, turn: 1', 'round: 1, turn: 1']);
      assert.equal(walk.ending, 'Succeeded');
    },
  },
  {
    name: 'a slice that fails is left to the verdict, and not sent once more',
    holds: async (definition) => {
      const walk = await cutover(definition, { SendSlice: [new Failure('Test.Boom'), { sent: 1 }] });
      assert.equal(visited(walk).filter((state) => state === 'NextLoadTurn').length, 2);
      assert.equal(visited(walk).filter((state) => state === 'SendSlice').length, 2);
      assert.equal(walk.ending, 'Succeeded');
      // The verdict says why.
      const asked = walk.lines.filter((line) => line.startsWith('NextLoadTurn'));
      assert.match(asked[0] ?? '', /lost: }$/);
      assert.match(asked[1] ?? '', /lost: Test.Boom: why}$/);
    },
  },
  {
    name: 'what the test saw is told at the end where the plan only wants it reported',
    holds: async (definition) => {
      const walk = await cutover(definition, { NextLoadTurn: [{ ...OVER, note: 'TOO SLOW' }] });
      assert.equal(walk.ending, 'Succeeded');
      assert.match(walk.lines.find((line) => line.startsWith('Finish ')) ?? '', /not_done: \[TOO SLOW\]/);
    },
  },
  {
    name: 'where the plan wants a person to decide one is asked, and who let the run go on is told',
    holds: async (definition) => {
      const walk = await cutover(definition, { ...ASKED, AskAfterLoadTest: [{ by: 'a tester' }] });
      const detail = 'detail: {why: LOAD, report: KEY, within_seconds: 3600}';
      const to = 'topic_arn: approvers, application: shop, event: load_test, task_token: TOKEN, plan: PLAN';
      assert.ok(walk.lines.includes(`AskAfterLoadTest within 3600 s Notify {${to}, ${detail}}`), walk.lines.join('\n'));
      assert.match(walk.lines.find((line) => line.startsWith('Finish ')) ?? '', /LOAD; a tester let the run go on/);
      const long = `It begins here and ${'goes on '.repeat(200)}`;
      const signed = await cutover(definition, { ...ASKED, AskAfterLoadTest: [{ by: long }] });
      assert.deepEqual(signed.output.not_done, [`LOAD; ${long.slice(0, 1000)} let the run go on`]);
      const nobody = await cutover(definition, { ...ASKED, AskAfterLoadTest: [{}] });
      assert.deepEqual(nobody.output.not_done, ['LOAD; somebody let the run go on']);
    },
  },
  {
    name: 'a no after the load test, or silence, rolls back before any traffic has moved',
    holds: async (definition) => {
      for (const error of ['Rejected', 'States.Timeout']) {
        const walk = await cutover(definition, { ...ASKED, AskAfterLoadTest: [new Failure(error)] });
        const [start] = linesAfter(walk, 'AskAfterLoadTest');
        assert.match(start ?? '', new RegExp(`^StartRollback .*why: AskAfterLoadTest: ${error}: why}}$`));
        assert.equal(walk.ending, 'RolledBack');
      }
    },
  },
];
