/** A timeline: who follows it, how long it is looked at, and what ends it. */
import assert from 'node:assert/strict';
import type { Definition } from '../../lib/definitions';
import { type Fact, visited, went } from './fact';
import { Failure, type Script, walk } from './walk';

const TAKEN = { wave: 'w-1', follows: true, said: 'it begins' };
const SCRIPT: Script = {
  TakeInput: [TAKEN],
  TellWhatIsDue: [
    { done: false, wait_seconds: 20, told: ['thirty_days'], started: [] },
    { done: false, wait_seconds: 7, told: [], started: ['shop'] },
    { done: true, wait_seconds: 0, told: ['day_after'], started: [] },
  ],
};

const timeline = (definition: Definition, script: Script = {}, input: Definition = { of: 'w-1', portfolio: 'w' }) =>
  walk(definition, input, { ...SCRIPT, ...script });

export const facts: Fact[] = [
  {
    name: 'a timeline is looked at for as long as something is left to tell',
    holds: async (definition) =>
      went(
        await timeline(definition),
        `
        TakeInput Timeline {action: take, execution_arn: RUN, input: {of: w-1, portfolio: w}, at: ENTERED}
        TellWhatIsDue Timeline {action: look, execution_arn: RUN, wave: w-1, at: ENTERED}
        LookWait 20 s
        TellWhatIsDue Timeline {action: look, execution_arn: RUN, wave: w-1, at: ENTERED}
        LookWait 7 s
        TellWhatIsDue Timeline {action: look, execution_arn: RUN, wave: w-1, at: ENTERED}
        Over {wave: w-1, looks: 3}
        `,
      ),
  },
  {
    name: 'what somebody says is written down, and told by whoever follows the timeline',
    holds: async (definition) => {
      const said = await timeline(definition, { TakeInput: [{ ...TAKEN, follows: false, said: 'help-desk is done' }] });
      assert.deepEqual(visited(said), ['TakeInput', 'Said']);
      assert.deepEqual(said.output, { wave: 'w-1', said: 'help-desk is done' });
    },
  },
  {
    name: 'a person who has to say more is told so, and nothing is told to others',
    holds: async (definition) => {
      const refused = await timeline(definition, { TakeInput: [new Failure('Cutover.InvalidGesture', 'who?')] });
      assert.deepEqual(visited(refused), ['TakeInput', 'InvalidGesture']);
      assert.deepEqual(refused.output, ['Cutover.InvalidGesture', 'who?']);
    },
  },
];
