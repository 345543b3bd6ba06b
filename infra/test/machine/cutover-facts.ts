/** The choices of a cutover: what a plan leaves out is left out, and nothing else. */
import assert from 'node:assert/strict';
import { cutover, Failure, PLAN, SCRIPT, STEPS } from './cutover';
import { type Fact, visited } from './fact';

const NO_HOOKS = { before_traffic: [], quiesce: [], after_traffic: [] };
const LAST = SCRIPT.Precheck?.[1];

const unique = (states: string[]) => states.filter((state, index) => state !== states[index - 1]);
/** What happened in which order; waits and repeated calls left out. */
const order = (states: string[]) => unique(states.filter((state) => !state.endsWith('Wait')));

export const facts: Fact[] = [
  {
    name: 'a plan of nothing but routes is claimed at once, and moves and is made final in the same order',
    holds: async (definition) => {
      const plan = {
        ...PLAN,
        approval: null,
        database: null,
        load_test: null,
        notify: {},
        alarms: [],
        hooks: NO_HOOKS,
      };
      const walk = await cutover(definition, {}, plan);
      assert.deepEqual(order(visited(walk)), [
        ...[
          'Precheck',
          'Claim',
          'ShowRun',
          'AnnounceStart',
          'AllowChanges',
          'TakeBaseline',
          'PrepareListener',
          'PrepareRecords',
        ],
        ...[
          'CheckLine',
          'SwapListener',
          'AnnounceStep',
          'ShowStep',
          'Monitor',
          'ShiftWeight',
          'WatchSettling',
          'AnnounceStep',
          'ShowStep',
          'Monitor',
        ],
        ...[
          'Validate',
          'FinaliseListener',
          'FinaliseRecords',
          'Finish',
          'WriteReport',
          'AnnounceFinish',
          'StartCleanup',
          'Succeeded',
        ],
      ]);
      assert.match(walk.lines[1] ?? '', /^Claim .* approval: null}$/);
      assert.match(walk.lines[3] ?? '', /^AnnounceStart Notify {topic_arn: null, /);
      assert.match(
        walk.lines.at(-1) ?? '',
        /approval: null, decisions: \[\], baseline: \[BEFORE\], dashboard: DASHBOARD, report: LINK, replication: null, .* alarms: \[\],/,
      );
    },
  },
  {
    name: 'a dry run touches nothing and asks nobody',
    holds: async (definition) => {
      const plan = { ...PLAN, mode: 'precheck' };
      const walk = await cutover(definition, {}, plan);
      assert.deepEqual(walk.lines, [
        'Precheck Precheck {plan: INPUT, tries: null}',
        'PrecheckPassed {ending: PrecheckPassed, findings: FINDINGS, plan: PLAN, steps: STEPS, history_events: 99}',
      ]);
    },
  },
  {
    name: 'a plan that precheck refuses ends there by the name that precheck gives, and those whom it names are told',
    holds: async (definition) => {
      for (const ending of ['InvalidPlan', 'Conflict', 'PrecheckFailed']) {
        const said = { ...LAST, ending };
        const walk = await cutover(definition, { Precheck: [said] });
        const rest = `, application: shop, event: not_started, detail: {ending: ${ending}, findings: FINDINGS, failure: null}}`;
        assert.equal(walk.lines[1], `AnnounceNothingTouched Notify {topic_arn: everybody${rest}`);
        assert.equal(walk.lines[2], `${ending} [Cutover.${ending}, {"findings":"FINDINGS"}]`);
        const plan = { ...PLAN, mode: 'precheck', notify: { topic_arn: 'nobody' } };
        const dry = await cutover(definition, { Precheck: [{ ...said, plan }] }, plan);
        assert.equal(
          dry.lines[1],
          `AnnounceNothingTouched Notify {stakeholders: {of_stack: []}, topic_arn: null${rest}`,
        );
        assert.equal(dry.ending, ending);
      }
    },
  },
  {
    name: 'of a plan that is none only texts are told',
    holds: async (definition) => {
      const Precheck = [{ ...LAST, ending: 'InvalidPlan', plan: null }];
      const told = async (plan: object) => (await cutover(definition, { Precheck }, plan)).lines[1] ?? '';
      const none = await told({ application: 17, notify: { topic_arn: ['a'] } });
      assert.match(none, /Notify {topic_arn: null, application: an application without a name, /);
      assert.match(await told({ application: 'a'.repeat(100), notify: 'x' }), /null, application: a{64}, /);
    },
  },
  {
    name: 'the replication has to run dry where the plan says so, or where writers were stopped and none may write',
    holds: async (definition) => {
      for (const drain of [true, false]) {
        for (const shared of [true, false]) {
          for (const quiesce of [PLAN.hooks.quiesce, []]) {
            const plan = { ...PLAN, database: { ...PLAN.database, drain, shared }, hooks: { ...PLAN.hooks, quiesce } };
            const states = visited(await cutover(definition, {}, plan));
            const isDrained = drain || (!shared && quiesce.length > 0);
            assert.equal(states.includes('DrainReplication'), isDrained, JSON.stringify(plan.database));
            assert.equal(states.includes('QuiesceHook'), quiesce.length > 0);
          }
        }
      }
    },
  },
  {
    name: 'a person decides about going back where the new writes have no way back, and only there',
    holds: async (definition) => {
      for (const shared of [true, false]) {
        for (const reverse_replication_task_arn of ['reverse', null]) {
          const plan = { ...PLAN, database: { ...PLAN.database, shared, reverse_replication_task_arn } };
          const states = visited(await cutover(definition, {}, plan));
          assert.equal(states.includes('RememberNoReturn'), !shared && !reverse_replication_task_arn);
          // Whatever way it takes, writers are stopped once.
          assert.equal(states.filter((state) => state === 'QuiesceHook').length, 2);
        }
      }
    },
  },
  {
    name: 'writers go on writing until the step that brings the first traffic, and are stopped once',
    holds: async (definition) => {
      const [first, second] = STEPS;
      const steps = [
        { ...first, title: 'nobody yet', new_weight: 0, first_traffic: false },
        first,
        { ...second, first_traffic: true },
      ];
      const Monitor = [{ done: true, wait_seconds: 0, tally: 'LOOKS', at: 'M' }];
      const walk = await cutover(definition, { Precheck: [{ ...LAST, steps }], Monitor });
      // What was counted in the hold before is not counted for the replication.
      assert.ok(walk.lines.includes('DrainReplication ReplicationLag {elapsed_seconds: 0, tally: null, mode: drain}'));
      const states = order(visited(walk));
      assert.deepEqual(states.slice(states.indexOf('BeforeTrafficHook') + 1, states.indexOf('Validate')), [
        ...['SwapListener', 'AnnounceStep', 'ShowStep', 'Monitor'],
        'CheckLine',
        ...['RememberQuiesce', 'QuiesceHook', 'RememberQuiesce', 'QuiesceHook', 'DrainReplication', 'RememberNoReturn'],
        ...[
          'SwapListener',
          'AnnounceStep',
          'ShowStep',
          'Monitor',
          'ShiftWeight',
          'WatchSettling',
          'AnnounceStep',
          'ShowStep',
          'Monitor',
        ],
      ]);
    },
  },
  {
    name: 'while the line is stopped no writer is stopped and no traffic moves, however often it is asked',
    holds: async (definition) => {
      const held = { held: 'STOPPED', wait_seconds: 9 };
      const walk = await cutover(definition, { CheckLine: [held, held, held, { wait_seconds: 0 }] });
      const states = visited(walk);
      const from = states.indexOf('BeforeTrafficHook');
      assert.deepEqual(unique(states.slice(from, states.indexOf('RememberQuiesce'))), [
        'BeforeTrafficHook',
        ...['CheckLine', 'LineWait', 'CheckLine', 'LineWait', 'CheckLine', 'LineWait', 'CheckLine'],
      ]);
      assert.equal(walk.ending, 'Succeeded');
    },
  },
  {
    name: 'a change is watched from its first second, at the interval, ten times in one wait at the most',
    holds: async (definition) => {
      const settling = async (wait_seconds: number) => {
        const moved = { settled: true, wait_seconds, change_id: 'C2', changed: true, live: 'LIVE', at: 'T' };
        const { lines } = await cutover(definition, { ShiftWeight: [moved], WatchSettling: [{ tally: 'SEEN' }] });
        const from = lines.findIndex((line) => line.startsWith('ShiftWeight '));
        const until = lines.findIndex((line, index) => index > from && line.startsWith('AnnounceStep '));
        return lines.slice(from + 1, until).map((line) => line.split(' Monitor ')[0]);
      };
      assert.deepEqual(await settling(39), ['SettleWait 39 s']);
      assert.deepEqual(await settling(90), [
        ...['SettleWait 40 s', 'WatchSettling', 'SettleWait 40 s', 'WatchSettling', 'SettleWait 10 s'],
      ]);
      assert.deepEqual(await settling(3_601), [
        ...Array(9).fill(['SettleWait 361 s', 'WatchSettling']).flat(),
        'SettleWait 352 s',
      ]);
    },
  },
  {
    name: 'a new side that is bad while a change settles is turned back before the step is told as taken',
    holds: async (definition) => {
      const walk = await cutover(definition, { WatchSettling: [new Failure('Cutover.Unhealthy')] });
      assert.equal(walk.ending, 'RolledBack');
      assert.equal(walk.lines.filter((line) => line.startsWith('AnnounceStep ')).length, 1, 'the first step alone');
    },
  },
  {
    name: 'what one route was last told is not told to the next, in whatever order they stand',
    holds: async (definition) => {
      const plan = { ...PLAN, routes: [{ type: 'dns' }, { type: 'listener' }] };
      const { lines } = await cutover(definition, {}, plan);
      for (const [state, action] of [
        ['PrepareListener', 'prepare'],
        ['FinaliseListener', 'finalise'],
      ]) {
        const call = `${state} ListenerSwap {route: 1, attempt: 0, change_id: null, action: ${action}}`;
        assert.ok(lines.includes(call), call);
      }
    },
  },
  {
    name: 'the before-images are not carried on once the journal has them',
    holds: async (definition) => {
      const { variables } = await cutover(definition);
      assert.deepEqual(variables.precheck, { findings: 'FINDINGS' });
    },
  },
];
