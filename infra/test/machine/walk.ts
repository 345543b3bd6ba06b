/**
 * Walks through a definition as Step Functions would, with scripted answers, and writes down what was called with what,
 * how long was waited, and how it ended. Retries are left out: what is scripted is what they come to.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Definition } from '../../lib/definitions';
import { evaluated, filled, type Scope } from './evaluate';

/** What a call fails with. */
export class Failure extends Error {
  constructor(
    readonly error: string,
    readonly cause = 'why',
  ) {
    super(`${error}: ${cause}`);
  }
}

/** What each state's calls answer or fail with, one after the other; the last one again and again; what a Map fails with in the end. */
export type Script = Record<string, Definition[]>;

export interface Walk {
  /** `State {what it asked}` of each call, `State 30 s` of each wait, and at the end `State {output}`. */
  readonly lines: string[];
  /** The state that it ended in. */
  readonly ending: string;
  readonly output: Definition;
  readonly secondsWaited: number;
  /** What was remembered at the end. */
  readonly variables: Scope;
}

interface Walker {
  /** Every name that the definition remembers something by. */
  readonly remembered: Set<string>;
  readonly script: Script;
  readonly calls: Map<string, number>;
  readonly lines: string[];
  readonly names: [string, Definition][];
  /** The state that is calling. */
  state: string;
  secondsWaited: number;
  steps: number;
}

/** More than any walk of the tests. */
const MOST_STEPS = 1_500;
/** When every state is entered. */
const ENTERED = 'ENTERED';

/**
 * Runs a definition on an input. `names` are long values that the lines tell by a name. A Fail state is an ending like
 * any other; what nobody catches rejects.
 */
export async function walk(
  definition: Definition,
  input: Definition,
  script: Script,
  names: Record<string, Definition> = {},
): Promise<Walk> {
  const walker: Walker = {
    ...{ script, calls: new Map(), lines: [], names: Object.entries(names), state: '', secondsWaited: 0, steps: 0 },
    remembered: new Set(namesAssigned(definition)),
  };
  const { ending, output, variables } = await run(
    walker,
    definition,
    input,
    { Execution: { Id: 'RUN', Input: input } },
    {},
  );
  walker.lines.push(`${ending} ${told(walker, output)}`);
  return { lines: walker.lines, ending, output, secondsWaited: walker.secondsWaited, variables };
}

async function run(walker: Walker, machine: Definition, input: Definition, context: Definition, outer: Scope) {
  let variables: Scope = { ...outer };
  let name: string = machine.StartAt;
  for (let given = input; ; ) {
    walker.steps += 1;
    if (walker.steps > MOST_STEPS) throw new Failure('Test.Endless', name);
    const state = machine.States[name];
    if (!state) throw new Error(`there is no state ${name}`);
    for (const read of namesRead(state).filter((read) => walker.remembered.has(read) && !(read in variables)))
      throw new Failure('Test.Unset', `${name} reads ${read}, which nothing has set`);
    const states = { input: given, context: { ...context, State: { Name: name, EnteredTime: ENTERED } } };
    const scope: Scope = {
      ...variables,
      states,
      now: () => `after ${walker.secondsWaited} s`,
      millis: () => 1000 * walker.secondsWaited,
    };
    const { next, output, assigned } = await step(walker, name, state, scope, variables);
    variables = { ...variables, ...assigned };
    given = output;
    if (!next) return { ending: name, output, variables };
    name = next;
  }
}

/** What a definition remembers, by any state, rule or catcher. */
function namesAssigned(value: Definition): string[] {
  if (value === null || typeof value !== 'object') return [];
  return Object.entries<Definition>(value).flatMap(([key, item]) =>
    key === 'Assign' ? Object.keys(item) : namesAssigned(item),
  );
}

const NAMES_READ = new WeakMap<object, string[]>();

/** What the state itself may read, its catchers too. */
function namesRead(state: Definition): string[] {
  const known = NAMES_READ.get(state);
  if (known) return known;
  const { ItemProcessor: _, ...own } = state;
  const names = [...JSON.stringify(own).matchAll(/\$([A-Za-z]\w*)(?![\w(])/g)].map(([, name = '']) => name);
  NAMES_READ.set(state, names);
  return names;
}

interface Step {
  readonly next?: string;
  readonly output: Definition;
  readonly assigned: Scope;
}

async function step(walker: Walker, name: string, state: Definition, scope: Scope, variables: Scope): Promise<Step> {
  const { states } = scope as { states: Definition };
  if (state.Type === 'Choice') return choice(state, scope);
  if (state.Type === 'Fail') return { output: await filled([state.Error, state.Cause], scope), assigned: {} };
  if (state.Type === 'Wait') await wait(walker, name, state, scope);
  if (!['Task', 'Map'].includes(state.Type)) return after(state, scope, states.input, state.Next);
  try {
    const result = await (state.Type === 'Map' ? map : call)(walker, name, state, scope, variables);
    return await after(state, { ...scope, states: { ...states, result } }, result, state.Next);
  } catch (thrown) {
    const failure =
      thrown instanceof Failure ? thrown : new Failure('States.QueryEvaluationError', `${(thrown as Error).message}`);
    const errorOutput = { Error: failure.error, Cause: failure.cause };
    const catcher = (state.Catch ?? []).find(({ ErrorEquals }: Definition) => catches(ErrorEquals, failure.error));
    if (!catcher) throw failure;
    return after(catcher, { ...scope, states: { ...states, errorOutput } }, errorOutput, catcher.Next);
  }
}

/** No wildcard catches that an answer is too large. */
function catches(names: string[], error: string): boolean {
  return names.includes(error) || (names.includes('States.ALL') && error !== 'States.DataLimitExceeded');
}

/** What a state, a rule or a catcher says comes of it; `Assign` sees the variables as they were. */
async function after(said: Definition, scope: Scope, plain: Definition, next?: string): Promise<Step> {
  const assigned = await filled(said.Assign ?? {}, scope);
  const output = said.Output === undefined ? plain : await filled(said.Output, scope);
  return { ...(next && { next }), output, assigned };
}

async function choice(state: Definition, scope: Scope): Promise<Step> {
  const { input } = scope.states as Definition;
  for (const rule of state.Choices) {
    const isMet = await evaluated(rule.Condition, scope);
    if (typeof isMet !== 'boolean') throw new Error(`${rule.Condition} is no condition`);
    if (isMet) return after(rule, scope, input, rule.Next);
  }
  return after(state, scope, input, state.Default);
}

async function wait(walker: Walker, name: string, state: Definition, scope: Scope) {
  const seconds = await filled(state.Seconds, scope);
  if (typeof seconds !== 'number' || seconds < 0) throw new Error(`${name} waits ${seconds}`);
  walker.secondsWaited += seconds;
  walker.lines.push(`${name} ${seconds} s`);
}

async function call(walker: Walker, name: string, state: Definition, scope: Scope): Promise<Definition> {
  const { states } = scope as { states: Definition };
  const withToken = { ...scope, states: { ...states, context: { ...states.context, Task: { Token: 'TOKEN' } } } };
  const asked = await filled(state.Arguments, withToken);
  const seconds = await filled(state.TimeoutSeconds, scope);
  walker.state = name;
  const within = seconds === 45 ? '' : ` within ${seconds} s`;
  walker.lines.push(`${name}${within} ${told(walker, asked)}`);
  const answer = scripted(walker, name);
  if (answer instanceof Failure) throw answer;
  // A token's answer comes as it is, and so do those of AWS's own services.
  const isPlain = /waitForTaskToken$|:::(states|dynamodb):/.test(state.Resource);
  return isPlain ? answer : { Payload: answer };
}

/** What the script has for this call of a state. */
function scripted(walker: Walker, name: string): Definition {
  const nth = walker.calls.get(name) ?? 0;
  walker.calls.set(name, nth + 1);
  const answers = walker.script[name] ?? [{}];
  return answers[Math.min(nth, answers.length - 1)];
}

async function map(walker: Walker, name: string, state: Definition, scope: Scope, variables: Scope) {
  const { states } = scope as { states: Definition };
  const items = await filled(state.Items, scope);
  if (!Array.isArray(items)) throw new Failure('States.QueryEvaluationError', `${name} has no list of items`);
  if (state.MaxConcurrency !== 1) walker.lines.push(`${name} all at once`);
  const outputs: Definition[] = [];
  for (const [Index, Value] of items.entries()) {
    const context = { ...states.context, Map: { Item: { Index, Value } } };
    outputs.push((await run(walker, state.ItemProcessor, Value, context, variables)).output);
  }
  const whole = scripted(walker, name);
  if (whole instanceof Failure) throw whole;
  return outputs;
}

/** A value in one line, without what says only which run and which state asks. */
function told(walker: Walker, value: Definition): string {
  const known = walker.names.find(([, known]) => isDeepStrictEqual(known, value));
  if (known) return known[0];
  if (typeof value === 'string') return value.replace(/^\$\{(\w+?)(Function|StateMachine)?(Arn|Name)\}$/, '$1');
  if (value === null || typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.map((item) => told(walker, item)).join(', ')}]`;
  if ('FunctionName' in value) return `${told(walker, value.FunctionName)} ${told(walker, value.Payload)}`;
  const usual: Definition = { run_id: 'RUN', execution_arn: 'RUN', state: walker.state };
  const isCaller = isDeepStrictEqual({ ...value, ...usual }, value);
  // What is told says since when that is so, and to whom where nobody else knows.
  const isUsual = ([key, item]: [string, unknown]) =>
    key in usual || (key === 'entered_at' && item === ENTERED) || (key === 'stakeholders' && item === null);
  const shown = Object.entries(value).filter((entry) => !(isCaller && isUsual(entry)));
  return `{${shown.map(([key, item]) => `${key}: ${told(walker, item)}`).join(', ')}}`;
}
