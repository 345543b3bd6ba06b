/** An incident: who follows it, how long it is looked at, and what ends it. */
import assert from 'node:assert/strict';
import type { Definition } from '../../lib/definitions';
import { type Fact, visited, went } from './fact';
import { Failure, type Script, walk } from './walk';

const TAKEN = { incident: 'i-1', follows: true, said: 'it is open' };
const SCRIPT: Script = {
  TakeInput: [TAKEN],
  TellWhatIsDue: [
    { done: false, wait_seconds: 20, told: ['first'], status: 'investigating' },
    { done: false, wait_seconds: 7, told: [], status: 'investigating' },
    { done: true, wait_seconds: 0, told: ['end'], status: 'resolved' },
  ],
  GoOnAnew: [{ ExecutionArn: 'NEXT' }],
};

const incident = (definition: Definition, script: Script = {}, input: Definition = { open: 'OPEN' }) =>
  walk(definition, input, { ...SCRIPT, ...script });

export const facts: Fact[] = [
  {
    name: 'an incident is told of for as long as something is left to tell',
    holds: async (definition) =>
      went(
        await incident(definition),
        `
        TakeInput Incident {action: take, execution_arn: RUN, input: {open: OPEN}, at: ENTERED}
        TellWhatIsDue Incident {action: look, execution_arn: RUN, incident: i-1, at: ENTERED}
        LookWait 20 s
        TellWhatIsDue Incident {action: look, execution_arn: RUN, incident: i-1, at: ENTERED}
        LookWait 7 s
        TellWhatIsDue Incident {action: look, execution_arn: RUN, incident: i-1, at: ENTERED}
        Over {incident: i-1, status: resolved, looks: 3}
        `,
      ),
  },
  {
    name: 'what somebody says is written down, and told by whoever follows the incident',
    holds: async (definition) => {
      const said = await incident(definition, { TakeInput: [{ ...TAKEN, follows: false, said: 'acknowledged' }] });
      assert.deepEqual(visited(said), ['TakeInput', 'Said']);
      assert.deepEqual(said.output, { incident: 'i-1', said: 'acknowledged' });
    },
  },
  {
    name: 'a person who has to say more is told so, and nothing is told to others',
    holds: async (definition) => {
      const refused = await incident(definition, { TakeInput: [new Failure('Cutover.InvalidGesture', 'who?')] });
      assert.deepEqual(visited(refused), ['TakeInput', 'InvalidGesture']);
      assert.deepEqual(refused.output, ['Cutover.InvalidGesture', 'who?']);
    },
  },
  {
    name: 'a long one goes on in a new execution, once, before the history ends',
    holds: async (definition) => {
      const endless: Script = { TellWhatIsDue: [{ done: false, wait_seconds: 30, told: [], status: 'monitoring' }] };
      const first = await incident(definition, endless);
      const looks = first.lines.filter((line) => line.startsWith('TellWhatIsDue'));
      assert.equal(looks.length, 200);
      const start = 'StateMachineArn: Incident, Name: i-1-1, Input: {incident: i-1, follow: 1}';
      assert.deepEqual(first.lines.slice(-2), [`GoOnAnew {${start}}`, 'GoesOn {incident: i-1, followed: 1}']);
      const next = await incident(definition, endless, { incident: 'i-1', follow: 1 });
      assert.match(next.lines.at(-2) ?? '', /Name: i-1-2, Input: \{incident: i-1, follow: 2\}/);
      const again = { ...endless, GoOnAnew: [new Failure('StepFunctions.ExecutionAlreadyExistsException')] };
      const twice = await incident(definition, again);
      assert.equal(twice.ending, 'GoesOn');
      const broken = incident(definition, { ...endless, GoOnAnew: [new Failure('Test.Boom')] });
      await assert.rejects(broken, /Test.Boom/);
    },
  },
];
