/** What the functions of a cutover are made to say: every loop goes round once, each wait is of another length. */
import type { Definition } from '../../lib/definitions';
import { Failure, type Script, type Walk, walk } from './walk';

const hook = (name: string, timeout: number) => ({ function_arn: name, timeout });

/** A plan that has everything: two routes, a database without a way back, hooks, an approval, alarms. */
export const PLAN = {
  application: 'shop',
  mode: 'run',
  routes: [{ type: 'listener' }, { type: 'dns' }],
  approval: { topic_arn: 'approvers', within: 3600 },
  notify: { topic_arn: 'everybody' },
  database: { drain: true, shared: false, reverse_replication_task_arn: null },
  hooks: {
    before_traffic: [hook('before-1', 61), hook('before-2', 65)],
    quiesce: [hook('stop-1', 62), hook('stop-2', 63)],
    after_traffic: [hook('after-1', 64), hook('after-2', 66)],
  },
  load_test: {},
  monitoring: { interval: 40 },
  alarms: [{ AlarmName: 'one' }, { AlarmName: 'two' }],
  cleanup: { after: 600 },
};

export const STEPS = [
  { route: 0, step: 0, type: 'listener', title: 'first', new_weight: 10, hold_seconds: 100, first_traffic: true },
  { route: 1, step: 0, type: 'dns', title: 'second', new_weight: 100, hold_seconds: 30, first_traffic: false },
];

const again = (wait_seconds: number, more: object = {}) => ({ settled: false, wait_seconds, change_id: null, ...more });
const settled = (wait_seconds: number, more: object = {}) => ({ ...again(wait_seconds), settled: true, ...more });

export const SCRIPT: Script = {
  Precheck: [
    { settled: false, wait_seconds: 2, tries: 'TRIES-1', ending: null, plan: null, steps: [] },
    {
      ...{ settled: true, ending: null, tries: 'TRIES-2', plan: PLAN, steps: STEPS, findings: 'FINDINGS' },
      ...{ before: 'BEFORE', history_events: 99 },
    },
  ],
  AwaitApproval: [{ by: 'a person', why: 'agreed' }],
  CheckReplication: [
    { passed: false, wait_seconds: 3, tally: 'SEEN-1' },
    { passed: true, wait_seconds: 0, tally: 'SEEN-2' },
  ],
  ShowRun: [{ name: 'D', url: 'DASHBOARD', warnings: [] }],
  ShowStep: [{ name: 'D', url: 'DASHBOARD', warnings: [] }],
  TakeBaseline: [{ lines: ['BEFORE'] }],
  PrepareListener: [again(5), settled(0)],
  PrepareRecords: [again(7, { change_id: 'C1' }), settled(11, { change_id: 'C1' })],
  NextLoadTurn: [
    { over: false, ask: false, round: 0, turn: 1, slices: ['SLICE-1', 'SLICE-2'] },
    { over: true, ask: false, round: 0, turn: 1, slices: [], seen: 'LOAD', report: 'KEY' },
  ],
  SendSlice: [{ sent: 1 }, { sent: 2 }],
  CheckLine: [{ held: 'STOPPED', wait_seconds: 9 }, { wait_seconds: 0 }],
  DrainReplication: [
    { passed: false, wait_seconds: 13, tally: 'DRY-1' },
    { passed: true, wait_seconds: 0, tally: 'DRY-2' },
  ],
  SwapListener: [
    again(17, { changed: true, live: 'LIVE-1', at: 'T1' }),
    settled(19, { changed: false, live: 'LIVE-2', at: 'T2' }),
  ],
  ShiftWeight: [
    again(23, { changed: true, change_id: 'C2', live: 'LIVE-3', at: 'T3' }),
    settled(29, { changed: false, change_id: 'C2', live: 'LIVE-4', at: 'T4' }),
  ],
  WatchSettling: [{ done: false, wait_seconds: 40, tally: 'LOOKS-0', at: 'M0' }],
  Monitor: [
    { done: false, wait_seconds: 60, tally: 'LOOKS-1', at: 'M1' },
    { done: false, wait_seconds: 36, tally: 'LOOKS-2', at: 'M2' },
    { done: true, wait_seconds: 0, tally: 'LOOKS-3', at: 'M3' },
    { done: true, wait_seconds: 0, tally: 'LOOKS-4', at: 'M4', share_seen_percent: 99.5 },
  ],
  Validate: [
    { passed: false, wait_seconds: 31, tries: 'PROBES-1' },
    { passed: true, wait_seconds: 0, tries: 'PROBES-2', limits: ['LIMIT'] },
  ],
  FinaliseListener: [again(37), settled(0)],
  FinaliseRecords: [again(41, { change_id: 'C3' }), settled(43, { change_id: 'C3' })],
  SetAlarm: [{ set: 'one' }, { set: 'two' }],
  WriteReport: [{ link: 'LINK', key: 'KEY', undelivered: [] }],
  StartCleanup: [{ ExecutionArn: 'CLEANUP' }],
  StartRollback: [{ ExecutionArn: 'ROLLBACK' }],
  LookAtRollback: [
    { Item: { phase: { S: 'rolled_back' }, ending: { S: '{"left":"nothing"}' }, report: { S: 'LINK' } } },
  ],
};

/** The walk of a plan: `PLAN`, or what is made of it. */
export function cutover(definition: Definition, script: Script = {}, plan: Definition = PLAN): Promise<Walk> {
  const input = { ...plan, as: 'written' };
  const last = SCRIPT.Precheck?.[1];
  const Precheck = plan === PLAN ? SCRIPT.Precheck : [{ ...last, plan }];
  return walk(
    definition,
    input,
    { ...SCRIPT, ...(Precheck && { Precheck }), ...script },
    {
      ...{ INPUT: input, PLAN: plan, STEPS },
    },
  );
}

export { Failure };
