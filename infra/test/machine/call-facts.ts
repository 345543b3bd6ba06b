/** What every call has in common, whichever machine it is of: who asks, for which run, and what is known of a failure. */
import assert from 'node:assert/strict';
import type { Definition } from '../../lib/definitions';
import { filled } from './evaluate';
import type { Fact } from './fact';
import { statesOf } from './graph';

/** What stands for the run; each value another one, so that none is taken for another. */
const OF_RUN = {
  ...{ runId: 'RUN', notes: ['BEFORE'], failure: null, problem: null },
  plan: { application: 'shop', notify: { topic_arn: 'everybody' }, approval: { topic_arn: 'approvers' } },
  run: { application: 'shop', topic_arn: 'everybody' },
  input: { application: 'shop', notify: { topic_arn: 'everybody' }, mode: 'run' },
};

const contextOf = (state: string) => ({
  Execution: { Id: 'EXECUTION' },
  State: { Name: state, EnteredTime: 'ENTERED' },
  Task: { Token: 'TOKEN' },
});

/** These find the run by what the execution was given. */
const FINDING = ['TakeOverRun', 'FindRun', 'ReportWhatIsLeft'];
/** Those who may agree are asked; everything else is for everybody whom the plan names. */
const ASKING_APPROVERS = ['AwaitApproval', 'AskAfterLoadTest'];

function calls(definition: Definition): [string, Definition][] {
  const isCall = ([, { Arguments }]: [string, Definition]) => /^\$\{\w+FunctionArn\}$/.test(Arguments?.FunctionName);
  return statesOf(definition).filter(isCall);
}

/** Some fields of what is asked. */
function asked(name: string, payload: Definition, fields: string[]): Promise<Definition> {
  const some = Object.fromEntries(fields.map((field) => [field, payload[field]]));
  return filled(some, { ...OF_RUN, states: { context: contextOf(name) } });
}

export const facts: Fact[] = [
  {
    name: 'every function is told which run it works for, and which execution and state ask',
    holds: async (definition) => {
      for (const [name, { Arguments }] of calls(definition)) {
        const said = await asked(name, Arguments.Payload, ['run_id', 'execution_arn', 'state']);
        // An incident may be of no run, and whose it is, its item says; a programme is of none, a wave and its timeline of many.
        if (/^\$\{(Incident|Program|Timeline|Wave)FunctionArn\}$/.test(Arguments.FunctionName)) {
          assert.equal(said.execution_arn, 'EXECUTION', name);
          continue;
        }
        const run_id = FINDING.includes(name) ? undefined : 'RUN';
        assert.deepEqual(said, { run_id, execution_arn: 'EXECUTION', state: name });
      }
    },
  },
  {
    name: 'every message says of which application it is and since when, and goes to those whom it is for',
    holds: async (definition) => {
      for (const [name, { Arguments, Resource }] of calls(definition)) {
        if (Arguments.FunctionName !== `\${NotifyFunctionArn}`) continue;
        const said = await asked(name, Arguments.Payload, ['application', 'entered_at', 'topic_arn', 'task_token']);
        const task_token = Resource.endsWith('.waitForTaskToken') ? 'TOKEN' : undefined;
        const topic_arn = ASKING_APPROVERS.includes(name) ? 'approvers' : 'everybody';
        assert.deepEqual(said, { application: 'shop', entered_at: 'ENTERED', topic_arn, task_token }, name);
      }
    },
  },
];
