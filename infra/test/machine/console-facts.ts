/** What the console shows as a state's output: what was answered, and of a long answer its beginning. */
import assert from 'node:assert/strict';
import type { Definition } from '../../lib/definitions';
import { filled } from './evaluate';
import type { Fact } from './fact';
import { statesOf } from './graph';

/** What a state shows of an answer. */
function shown(state: Definition, result: Definition): Promise<Definition> {
  return filled(state.Output, { states: { input: { function_arn: 'the hook' }, result } });
}

/** States that show something of their own. */
const OTHERS = ['RememberQuiesce', 'RestoreRoute', 'ResumeHook', 'EvidenceHook', 'LeaveReport'];

export const facts: Fact[] = [
  {
    name: 'the console shows an answer of 20,000 characters, and of a longer one the beginning',
    holds: async (definition) => {
      for (const [name, state] of statesOf(definition)) {
        if (!/"arn[^"]*:lambda:invoke"|"Map"/.test(JSON.stringify([state.Resource, state.Type]))) continue;
        if (OTHERS.includes(name) || state.Output?.function_arn) continue;
        const answer = (text: string) => (state.Type === 'Map' ? text : { Payload: text });
        assert.equal(await shown(state, answer('x'.repeat(20_000))), 'x'.repeat(20_000), name);
        const cut = `ab${'x'.repeat(19_998)}`;
        assert.deepEqual(await shown(state, answer(`${cut}y`)), { cut }, name);
      }
    },
  },
  {
    name: 'of a hook the console shows which it was, and 1,000 characters of what it answered',
    holds: async (definition) => {
      for (const [name, state] of statesOf(definition)) {
        if (!/Hook$/.test(name) || OTHERS.includes(name)) continue;
        const begins = `ab${'x'.repeat(998)}`;
        const { function_arn, answered } = await shown(state, { Payload: `${begins}y` });
        assert.deepEqual([function_arn, answered], ['the hook', begins], name);
        assert.deepEqual(await shown(state, {}), { function_arn: 'the hook', answered: '' }, name);
      }
    },
  },
  {
    name: 'of what is called besides functions the console shows what it was for',
    holds: async (definition) => {
      const { Start, EvidenceHook, LookAtRollback } = Object.fromEntries(statesOf(definition));
      const ofRun = { states: { context: { Execution: { Id: 'RUN' } } } };
      if (Start?.Type === 'Pass') assert.deepEqual(await filled(Start.Output, ofRun), { run_id: 'RUN' });
      const begins = `ab${'x'.repeat(998)}`;
      for (const [name, state] of statesOf(definition).filter(([, { Resource }]) => /TaskToken$/.test(Resource))) {
        assert.deepEqual(await shown(state, { by: `${begins}y` }), { by: begins }, name);
        assert.deepEqual(await shown(state, {}), { by: 'not said' }, name);
      }
      if (EvidenceHook) assert.deepEqual(await shown(EvidenceHook, {}), { function_arn: 'the hook' });
      if (LookAtRollback) assert.deepEqual(await shown(LookAtRollback, {}), { phase: 'none' });
      for (const [name, state] of statesOf(definition).filter(([, { Resource }]) => /:startExecution$/.test(Resource)))
        assert.deepEqual(await shown(state, { ExecutionArn: 'E' }), { execution_arn: 'E' }, name);
    },
  },
];
