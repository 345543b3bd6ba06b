/** A wave: who follows it, who is asked, how long it is looked at, and how it ends. */
import assert from 'node:assert/strict';
import type { Definition } from '../../lib/definitions';
import { type Fact, visited, went } from './fact';
import { Failure, type Script, walk } from './walk';

const TAKEN = { wave: 'first', follows: true, followed: 0, said: 'claimed' };
const LOOK = { next: 'look', wait_seconds: 5, within_seconds: 0, ending: null, error: null, told: 't', started: [] };
const OVER = { ...LOOK, next: 'over', wait_seconds: 0, ending: 'all moved', told: 'are on their new side: a' };
const ASK = { ...LOOK, next: 'ask', within_seconds: 600 };
const SCRIPT: Script = {
  TakeInput: [TAKEN],
  Look: [LOOK, { ...LOOK, wait_seconds: 30 }, OVER],
  AskForGo: [{ by: 'Ada', why: 'all green' }],
  TakeAnswer: [{ ...TAKEN, follows: false, said: 'let go' }],
  GoOnAnew: [{ ExecutionArn: 'NEXT' }],
};

const wave = (definition: Definition, script: Script = {}, input: Definition = { wave: 'first' }) =>
  walk(definition, input, { ...SCRIPT, ...script });

export const facts: Fact[] = [
  {
    name: 'a wave is looked at for as long as something may come, and told in the end',
    holds: async (definition) =>
      went(
        await wave(definition),
        `
        TakeInput Wave {action: take, execution_arn: RUN, input: {wave: first}, at: ENTERED}
        Look Wave {action: look, execution_arn: RUN, wave: first, at: ENTERED}
        LookWait 5 s
        Look Wave {action: look, execution_arn: RUN, wave: first, at: ENTERED}
        LookWait 30 s
        Look Wave {action: look, execution_arn: RUN, wave: first, at: ENTERED}
        Over {wave: first, ending: all moved, told: are on their new side: a}
        `,
      ),
  },
  {
    name: 'those who have to agree are asked, and what they say is remembered with who said it',
    holds: async (definition) => {
      const asked = await wave(definition, { Look: [ASK, OVER] });
      assert.deepEqual(visited(asked), ['TakeInput', 'Look', 'AskForGo', 'TakeAnswer', 'Look', 'Over']);
      const said = (lines: string[]) => lines.find((line) => line.startsWith('TakeAnswer')) ?? '';
      assert.match(
        said(asked.lines),
        /execution_arn: RUN, wave: first, yes: true, by: Ada, why: all green, at: ENTERED/,
      );
      assert.match(
        asked.lines[2] ?? '',
        /^AskForGo within 600 s Wave \{action: ask, execution_arn: RUN, wave: first, task_token: TOKEN\}/,
      );
      const unsigned = await wave(definition, { Look: [ASK, OVER], AskForGo: [{ by: 'YOUR NAME', why: 'x' }] });
      assert.match(said(unsigned.lines), /yes: false, by: YOUR NAME/);
      const reasonless = await wave(definition, { Look: [ASK, OVER], AskForGo: [{ by: 'Ada', why: 'YOUR REASON' }] });
      assert.match(said(reasonless.lines), /yes: false, by: Ada/);
      const silent = await wave(definition, { Look: [ASK, OVER], AskForGo: [{}] });
      assert.match(said(silent.lines), /yes: true, by: not said, why: not said/);
      const late = await wave(definition, { Look: [ASK, OVER], AskForGo: [new Failure('States.Timeout')] });
      assert.match(said(late.lines), /yes: false, by: nobody, why: nobody has answered in time/);
      const no = await wave(definition, { Look: [ASK, OVER], AskForGo: [new Failure('Rejected', 'Ada: not today')] });
      assert.match(said(no.lines), /yes: false, by: those who were asked, why: Rejected: Ada: not today/);
    },
  },
  {
    name: 'each ending has its own name, and tells where each application is',
    holds: async (definition) => {
      for (const [error, state] of [
        ['Cutover.Stuck', 'Stuck'],
        ['Cutover.RolledBack', 'RolledBack'],
        ['Cutover.Incomplete', 'Incomplete'],
        ['Cutover.PrecheckFailed', 'PrecheckFailed'],
        ['Cutover.Rejected', 'Rejected'],
      ] as const) {
        const ended = await wave(definition, { Look: [{ ...OVER, error }] });
        assert.deepEqual(visited(ended), ['TakeInput', 'Look', state]);
        assert.deepEqual(ended.output, [error, 'all moved: are on their new side: a']);
      }
    },
  },
  {
    name: 'what somebody says is written down, and done by whoever follows the wave',
    holds: async (definition) => {
      const said = await wave(definition, { TakeInput: [{ ...TAKEN, follows: false, said: 'paused' }] });
      assert.deepEqual(visited(said), ['TakeInput', 'Said']);
      assert.deepEqual(said.output, { wave: 'first', said: 'paused' });
    },
  },
  {
    name: 'what cannot be done is told, by its own name',
    holds: async (definition) => {
      for (const [error, state] of [
        ['Cutover.InvalidPlan', 'InvalidPlan'],
        ['Cutover.InvalidGesture', 'InvalidGesture'],
        ['Cutover.Conflict', 'Conflict'],
      ] as const) {
        const refused = await wave(definition, { TakeInput: [new Failure(error, 'so')] });
        assert.deepEqual(visited(refused), ['TakeInput', state]);
        assert.deepEqual(refused.output, [error, 'so']);
      }
    },
  },
  {
    name: 'a look that fails is followed by others, and only many in a row end the execution',
    holds: async (definition) => {
      const once = await wave(definition, { Look: [new Failure('Test.Boom', 'no'), LOOK, OVER] });
      assert.equal(once.ending, 'Over');
      assert.ok(once.lines.includes('LookWait 60 s'));
      const never = await wave(definition, { Look: [new Failure('Test.Boom', 'no')] });
      assert.equal(never.ending, 'Unattended');
      assert.equal(never.lines.filter((line) => line.startsWith('Look Wave')).length, 30);
      assert.deepEqual(never.output, ['Cutover.Refused', 'Test.Boom: no']);
      const seldom = Array.from({ length: 58 }, (_, place) => (place % 2 ? LOOK : new Failure('Test.Boom', 'no')));
      assert.equal((await wave(definition, { Look: [...seldom, OVER] })).ending, 'Over');
    },
  },
  {
    name: 'a long one goes on in a new execution, once, before the history is long',
    holds: async (definition) => {
      const endless: Script = { Look: [LOOK] };
      const first = await wave(definition, endless);
      assert.equal(first.lines.filter((line) => line.startsWith('Look Wave')).length, 200);
      assert.match(first.lines.at(-2) ?? '', /StateMachineArn: Wave, Name: .*-1, Input: \{of: first, follow: 1\}/);
      assert.equal(first.lines.at(-1), 'GoesOn {wave: first, followed: 1}');
      const next = await wave(definition, { ...endless, TakeInput: [{ ...TAKEN, followed: 1 }] });
      assert.match(next.lines.at(-2) ?? '', /Name: .*-2, Input: \{of: first, follow: 2\}/);
      const again = { ...endless, GoOnAnew: [new Failure('StepFunctions.ExecutionAlreadyExistsException')] };
      assert.equal((await wave(definition, again)).ending, 'GoesOn');
      await assert.rejects(wave(definition, { ...endless, GoOnAnew: [new Failure('Test.Boom')] }), /Test.Boom/);
    },
  },
];
