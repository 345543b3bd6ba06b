/** What is known of a failure that was caught: nothing of it gets lost on the way to those who are told. */
import assert from 'node:assert/strict';
import type { Definition } from '../../lib/definitions';
import { filled } from './evaluate';
import type { Fact } from './fact';
import { statesOf } from './graph';

/** A failure as Step Functions tells it of a function. */
const FAILED = { Error: 'E', Cause: JSON.stringify({ errorType: 'E', errorMessage: 'what the function said' }) };
const REMEMBERED = { ...{ notes: ['BEFORE'], troubles: 0, failure: { state: 'Earlier', error: 'F', cause: 'c' } } };

/** Where what was caught need not be remembered, as something else has it. */
const ELSEWHERE: Record<string, string> = {
  AnnounceNothingTouched: 'the ending says why nothing was touched',
  StartRollback: 'the journal says whether it began',
  ResumeWriters: 'each hook counts as not seen to have run',
  SendSlice: 'the verdict of the load test counts what is missing',
  ReportWhatIsLeft: 'what failed first stays the reason',
  AwaitDecision: 'what failed first stays the reason, and who answered is said behind it',
  Start: 'what exists was started',
  AskForGo: 'who answered, and what, is remembered as the answer',
};

/** What comes of a failure of a state: what is handed on, and what is remembered. */
async function caught(name: string, { Output, Assign }: Definition): Promise<Definition> {
  const states = { input: { name: 'N' }, context: { State: { Name: name } }, errorOutput: FAILED };
  return filled({ Output, Assign: Assign ?? {} }, { ...REMEMBERED, polls: 0, states });
}

export const facts: Fact[] = [
  {
    name: 'the console shows of what was caught the state, the error, and what the function said',
    holds: async (definition) => {
      for (const [name, state] of statesOf(definition)) {
        if (['Start', 'GoOnAnew'].includes(name)) continue; // that it exists is what they wanted
        for (const catcher of state.Catch ?? [])
          assert.deepEqual((await caught(name, catcher)).Output, {
            ...{ state: name, error: 'E', cause: 'what the function said' },
          });
      }
    },
  },
  {
    name: 'what was caught is remembered as the failure, noted, or handed to the state that says it',
    holds: async (definition) => {
      for (const [name, state] of statesOf(definition)) {
        if (name === 'GoOnAnew') continue;
        for (const catcher of state.Catch ?? []) {
          const { Output, Assign } = await caught(name, catcher);
          // Another one is at it, and tells.
          if (name in ELSEWHERE || catcher.Next === 'Overtaken') continue;
          const { notes, failure, trouble } = Assign;
          const next = statesOf(definition).find(([next]) => next === catcher.Next)?.[1];
          if (notes) assert.deepEqual(notes, ['BEFORE', `${name}: E`], name);
          else if (!JSON.stringify(next).includes('$states.input.error'))
            assert.deepEqual(failure ?? trouble, Output, name);
        }
      }
    },
  },
];
