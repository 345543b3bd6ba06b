/** How long a call is tried again: on the way forward there is a way back, behind the way back there is only a person. */
import assert from 'node:assert/strict';
import type { Definition } from '../../lib/definitions';
import type { Fact } from './fact';
import { statesOf } from './graph';

/** Seconds that pass between all tries at the most, by what failed; an error that is not here is not retried. */
type Waits = Record<string, number>;

/** A throttle is never a reason to go back, or to be left half-way: whoever was throttled waits. */
const WAITS: Waits = { 'Cutover.Throttled': 11_762, 'Lambda.TooManyRequestsException': 11_762 };
const FORWARD: Waits = { ...WAITS, 'Cutover.Transient': 150, 'States.Timeout': 6 };
const UNDO: Waits = { ...WAITS, 'Cutover.Transient': 722, 'States.Timeout': 242 };
/** A message is not sent twice for an answer that is late. */
const TELLING: Waits = { 'Cutover.Throttled': 14, 'Lambda.TooManyRequestsException': 14, 'Cutover.Transient': 14 };
const MEMORY: Waits = { 'Runtime.OutOfMemory': 2 };
const EXISTS: Waits = { 'StepFunctions.ExecutionAlreadyExistsException': 0 };

/** States whose calls are not tried again like those of their kind. */
const OWN: Record<string, Waits> = {
  // Silence is the approvers' answer; a call that was cut off is told apart from it.
  AwaitApproval: { ...WAITS, 'Cutover.Transient': 150, 'Sandbox.Timedout': 6, ...MEMORY },
  AwaitDecision: { ...WAITS, 'Cutover.Transient': 150, 'Sandbox.Timedout': 6, ...MEMORY },
  AskForGo: { ...WAITS, 'Cutover.Transient': 150, 'Sandbox.Timedout': 6, ...MEMORY },
  // The way back does not wait for evidence.
  EvidenceHook: { 'Cutover.Throttled': 5, 'Lambda.TooManyRequestsException': 5, 'Cutover.Transient': 5 },
  AskAfterLoadTest: { ...WAITS, 'Cutover.Transient': 150, 'Sandbox.Timedout': 6, ...MEMORY },
  // Two rollbacks that begin at once: the other one may be about to end.
  TakeOverRun: { ...UNDO, 'Sandbox.Timedout': 242, ...MEMORY, 'Cutover.Fenced': 7 },
  // The cleanup of a run that is taken in this very moment: the next try sees whose it is.
  FindRun: { ...FORWARD, 'Sandbox.Timedout': 6, ...MEMORY, 'Cutover.Fenced': 7 },
  BeginCleanup: { ...FORWARD, 'Sandbox.Timedout': 6, ...MEMORY, 'Cutover.Fenced': 7 },
  // Only taken down: whoever starts the next try waits for its end.
  LeaveReport: { 'Cutover.Throttled': 5, 'Lambda.TooManyRequestsException': 5, 'Cutover.Transient': 5 },
  StartCleanup: { ...EXISTS, 'States.ALL': 60 },
  StartRollback: { ...EXISTS, 'States.ALL': 210 },
  LookAtRollback: { 'States.ALL': 722 },
  Start: { ...EXISTS, 'States.ALL': 150 },
  GoOnAnew: { ...EXISTS, 'States.ALL': 510 },
};

const ERRORS = [
  ...[
    'Cutover.Throttled',
    'Lambda.TooManyRequestsException',
    'Cutover.Transient',
    'States.Timeout',
    'Sandbox.Timedout',
  ],
  'Cutover.Fenced',
  ...['Runtime.OutOfMemory', 'StepFunctions.ExecutionAlreadyExistsException', 'States.ALL', 'Cutover.Drift'],
];

function expected(name: string): Waits {
  const isUndo =
    /^(Resume|Restore|WriteEnding|ReportWhatIsLeft|AnnounceEnding|TakeInput|TellWhatIsDue|TakeAnswer)/.test(name);
  const isTelling = /^(Announce|Tell|TakeBaseline|WriteReport|Show|RemoveDashboard|Look$)/.test(name) && !isUndo;
  const kind = isUndo ? UNDO : isTelling ? TELLING : FORWARD;
  const cutOff = kind['States.Timeout'];
  return OWN[name] ?? { ...kind, ...MEMORY, ...(cutOff && { 'Sandbox.Timedout': cutOff }) };
}

/** The seconds of a retrier; the first that names the error counts. */
function waits({ Retry }: Definition): Waits {
  const entries = ERRORS.flatMap((error): [string, number][] => {
    const retrier = Retry.find(({ ErrorEquals }: Definition) => ErrorEquals.includes(error));
    if (!retrier) return [];
    const { IntervalSeconds, BackoffRate, MaxAttempts, MaxDelaySeconds } = retrier;
    const tries = Array.from({ length: MaxAttempts }, (_, nth) =>
      Math.min(IntervalSeconds * BackoffRate ** nth, MaxDelaySeconds),
    );
    return [[error, tries.reduce((sum, seconds) => sum + seconds, 0)]];
  });
  return Object.fromEntries(entries);
}

export const facts: Fact[] = [
  {
    name: 'a call is tried again as long as its kind is worth: forward, back, or only telling',
    holds: (definition) => {
      for (const [name, state] of statesOf(definition).filter(([, { Type }]) => Type === 'Task')) {
        assert.deepEqual(waits(state), expected(name), name);
        for (const { JitterStrategy, IntervalSeconds, MaxDelaySeconds } of state.Retry) {
          assert.equal(JitterStrategy, 'FULL', name);
          assert.ok(IntervalSeconds <= MaxDelaySeconds, `${name}: the first wait is none that would be cut`);
        }
      }
    },
  },
];
