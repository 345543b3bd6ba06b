/** What becomes of a cutover whose call fails for good, and how it follows the rollback. */
import assert from 'node:assert/strict';
import { cutover, SCRIPT } from './cutover';
import { type Fact, linesAfter, visited } from './fact';
import { Failure, type Script } from './walk';

/** Only tells, or reports: the run goes on as if nothing had happened. */
const TELLING = [
  'ShowRun',
  'AnnounceStart',
  'TakeBaseline',
  'AnnounceStep',
  'ShowStep',
  'WriteReport',
  'AnnounceFinish',
  'StartCleanup',
  'SetAlarm',
];
/** By state and error, where nothing was touched. */
const NOTHING_TOUCHED: [state: string, error: string, ending: string][] = [
  ['Precheck', 'Test.Boom', 'PrecheckFailed'],
  ['AwaitApproval', 'States.Timeout', 'Rejected'],
  ['AwaitApproval', 'Test.Boom', 'Rejected'],
  ['Claim', 'Cutover.Conflict', 'Conflict'],
  ['Claim', 'Cutover.LineStopped', 'LineStopped'],
  ['Claim', 'Cutover.PrecheckFailed', 'PrecheckFailed'],
];
/** Of a hook that failed the Map around it is known. */
const AROUND: Record<string, string> = {
  BeforeTrafficHook: 'BeforeTrafficHooks',
  RememberQuiesce: 'QuiesceWriters',
  QuiesceHook: 'QuiesceWriters',
  AfterTrafficHook: 'AfterTrafficHooks',
};
/** What a Map that failed in the end last called. */
const LAST_OF: Record<string, string> = {
  BeforeTrafficHooks: 'BeforeTrafficHook within 65',
  QuiesceWriters: 'QuiesceHook within 63',
  AfterTrafficHooks: 'AfterTrafficHook within 66',
  SendLoad: 'SendSlice within 255 s LoadTest {action: send, slice: SLICE-2}',
  SetAlarms: 'SetAlarm Alarms {action: set, index: 1}',
};
const NAME = 'rollback-ddeaded8ad8e44933f39e672a8886d49';

/** What the journal says of a run: one that is held is stuck, with an ending of its own. */
const phases = (phase: string | null) => {
  const ending = { S: phase === 'held' ? '{"report":{"ending":"Held"}}' : '{}' };
  return [phase ? { Item: { phase: { S: phase === 'held' ? 'stuck' : phase }, ending, report: { S: 'LINK' } } } : {}];
};
const CLEAN = SCRIPT.Precheck?.[1];
const failing = { Finish: [new Failure('Test.Boom')] };

export const facts: Fact[] = [
  {
    name: 'whatever fails once the run may be claimed starts the rollback, with the reason, and is ended by it',
    holds: async (definition) => {
      const called = new Set(visited(await cutover(definition)).filter((state) => !/Wait|Succeeded/.test(state)));
      for (const state of [...called, 'BeforeTrafficHooks', 'QuiesceWriters', 'AfterTrafficHooks', 'SetAlarms']) {
        if (TELLING.includes(state) || ['Precheck', 'AwaitApproval', 'SendSlice'].includes(state)) continue;
        const walk = await cutover(definition, { [state]: [new Failure('Test.Boom')] });
        const [start, ...rest] = linesAfter(walk, LAST_OF[state] ?? state);
        const why = `${AROUND[state] ?? state}: Test.Boom: why`;
        const name = `${NAME}-1`;
        assert.equal(
          start,
          `StartRollback {StateMachineArn: Rollback, Name: ${name}, Input: {run_id: RUN, why: ${why}}}`,
        );
        assert.equal(rest[0], 'WaitForRollback 10 s', state);
        const key = '{TableName: JournalTable, Key: {pk: {S: run#RUN}}';
        const asked = `LookAtRollback ${key}, ConsistentRead: true, ProjectionExpression: phase, ending, report}`;
        assert.equal(rest[1], asked);
        assert.equal(walk.ending, 'RolledBack', state);
        assert.match(walk.output[1], /^{"application":"shop","failed_state":"\w+","error":"Test.Boom","cause":"why"/);
      }
    },
  },
  {
    name: 'the ending says how far the run was, what last moved, and what the rollback wrote',
    holds: async (definition) => {
      const { output } = await cutover(definition, {
        ...{
          ShiftWeight: [new Failure('Test.Boom')],
          Monitor: [{ done: true, at: 'M', tally: 'LOOKS', wait_seconds: 0 }],
        },
      });
      assert.equal(output[0], 'Cutover.RolledBack');
      const { steps, at_step, changed_at, approval, rollback, report } = JSON.parse(output[1]);
      assert.equal(report, 'LINK');
      assert.equal(steps[0]?.title ?? steps.title, 'first');
      assert.deepEqual([at_step.title, approval.by, rollback], ['second', 'a person', { left: 'nothing' }]);
      assert.equal(changed_at, undefined);
      const moved = await cutover(definition, { Monitor: [new Failure('Test.Boom')] });
      assert.equal(JSON.parse(moved.output[1]).changed_at, 'T1');
    },
  },
  {
    name: 'whatever fails before the claim touches nothing, and is told by its ending',
    holds: async (definition) => {
      for (const [state, error, ending] of NOTHING_TOUCHED) {
        const walk = await cutover(definition, { [state]: [new Failure(error)] });
        const [told = '', ...rest] = linesAfter(walk, state);
        const failure = `failure: {state: ${state}, error: ${error}, cause: why}`;
        assert.match(told, new RegExp(`^AnnounceNothingTouched Notify .* detail: {ending: ${ending}, .*${failure}}}$`));
        assert.equal(rest.length, 1);
        assert.equal(walk.ending, ending);
        assert.equal(walk.output[0], `Cutover.${ending}`);
        const { findings: _, ...said } = JSON.parse(walk.output[1]);
        assert.deepEqual(said, { failed_state: state, error, cause: 'why' });
      }
      const AnnounceNothingTouched = [new Failure('Test.Bang')];
      const untold = await cutover(definition, { Precheck: [new Failure('Test.Boom')], AnnounceNothingTouched });
      assert.equal(untold.ending, 'PrecheckFailed');
    },
  },
  {
    name: 'what only tells, starts cleanup or sets an alarm fails nothing, and the ending says it',
    holds: async (definition) => {
      const whole = await cutover(definition);
      for (const state of TELLING) {
        const walk = await cutover(definition, { [state]: [new Failure('Test.Boom')] });
        assert.deepEqual(visited(walk), visited(whole));
        if (state !== 'SetAlarm') assert.equal(walk.output.not_done[0], `${state}: Test.Boom`);
        assert.deepEqual(walk.output.baseline, state === 'TakeBaseline' ? [] : ['BEFORE'], 'a list, of nothing too');
      }
      const cause = `It begins here and ${'goes on '.repeat(100)}`.slice(0, 300);
      const SetAlarm = [{ set: 'one' }, new Failure('Test.Boom', `${cause} and on`)];
      const unset = await cutover(definition, { SetAlarm });
      const not = `alarm two was not set: Test.Boom: ${cause}`;
      assert.deepEqual(unset.output.alarms, [{ set: 'one' }, { index: 1, alarm: 'two', error: 'Test.Boom', cause }]);
      assert.deepEqual(unset.output.not_done, [not]);
      // The journal and the message say it too.
      assert.ok(unset.lines.some((line) => line === `Finish Claim {action: finish, not_done: [${not}]}`));
      assert.ok(unset.lines.some((line) => line.startsWith('AnnounceFinish') && line.endsWith(`not_done: [${not}]}}`)));
      const AnnounceStart = [new Failure('Test.Boom')];
      const both = await cutover(definition, { AnnounceStart, AnnounceFinish: AnnounceStart });
      assert.deepEqual(both.output.not_done, ['AnnounceStart: Test.Boom', 'AnnounceFinish: Test.Boom']);
    },
  },
  {
    name: 'limits that do not hold are told with the ending where the plan only wants them reported',
    holds: async (definition) => {
      const note = 'CPU is 91';
      const Validate = [{ passed: true, wait_seconds: 0, tries: 'PROBES', limits: [{ holds: false }], note }];
      const walk = await cutover(definition, { Validate });
      assert.deepEqual([walk.output.not_done, walk.output.limits], [[note], [{ holds: false }]]);
    },
  },
  {
    name: 'what a route could not be seen to come to is told with the ending',
    holds: async (definition) => {
      const noted = (note: string) => [{ settled: true, wait_seconds: 0, changed: true, live: 'L', at: 'T', note }];
      const walk = await cutover(definition, {
        PrepareListener: noted('PREPARED UNSEEN'),
        SwapListener: noted('SHIFTED UNSEEN'),
        FinaliseListener: noted('FINAL UNSEEN'),
      });
      assert.deepEqual(walk.output.not_done, ['PREPARED UNSEEN', 'SHIFTED UNSEEN', 'FINAL UNSEEN']);
      const turned = await cutover(definition, {
        PrepareListener: noted('PREPARED UNSEEN'),
        Monitor: [new Failure('Test.Boom')],
      });
      assert.deepEqual(JSON.parse(turned.output[1]).notes, ['PREPARED UNSEEN']);
    },
  },
  {
    name: 'which messages were not delivered is told with the ending, and is in what the run says at its end',
    holds: async (definition) => {
      const WriteReport = [{ link: 'LINK', key: 'KEY', undelivered: ['UNTOLD'] }];
      const walk = await cutover(definition, { WriteReport, AnnounceStart: [new Failure('Test.Boom')] });
      const announced = walk.lines.find((line) => line.startsWith('AnnounceFinish')) ?? '';
      assert.match(announced, /not_done: \[AnnounceStart: Test\.Boom[^\]]*, UNTOLD\]/);
      assert.equal(walk.output.not_done.at(-1), 'UNTOLD');
    },
  },
  {
    name: 'the ending is what the journal says of the rollback, whoever runs it',
    holds: async (definition) => {
      for (const [phase, ending] of [
        ['rolled_back', 'RolledBack'],
        ['stuck', 'Stuck'],
        ['held', 'Held'],
        [null, 'PrecheckFailed'],
      ] as [string | null, string][]) {
        for (const StartRollback of [[{ ExecutionArn: 'ROLLBACK' }], [new Failure('Test.Bang')]]) {
          const walk = await cutover(definition, { ...failing, StartRollback, LookAtRollback: phases(phase) });
          assert.equal(walk.ending, ending);
          assert.equal(visited(walk).filter((state) => state === 'LookAtRollback').length, 1);
        }
      }
      const none = await cutover(definition, { ...failing, LookAtRollback: phases(null) });
      assert.match(none.lines.at(-2) ?? '', /^AnnounceNothingTouched .* detail: {ending: PrecheckFailed,/);
      const stuck = await cutover(definition, { ...failing, LookAtRollback: phases('stuck') });
      assert.equal(stuck.output[0], 'Cutover.Stuck');
      assert.equal(JSON.parse(stuck.output[1]).failed_state, 'Finish');
      const unread = await cutover(definition, { ...failing, LookAtRollback: [new Failure('Test.Bang')] });
      assert.equal(unread.ending, 'RollbackUnfinished');
      assert.equal(unread.output[0], 'Cutover.RollbackUnfinished');
      assert.match(unread.output[1], /"failed_state":"LookAtRollback","error":"Test.Bang"/);
    },
  },
  {
    name: 'the ending waits for the address of the report for three looks, and does without',
    holds: async (definition) => {
      const ended = (report?: string) => ({
        Item: { phase: { S: 'stuck' }, ending: { S: '{}' }, ...(report && { report: { S: report } }) },
      });
      const looks = async (LookAtRollback: Script[string]) => {
        const walk = await cutover(definition, { ...failing, LookAtRollback });
        const { report } = JSON.parse(walk.output[1]);
        return [visited(walk).filter((state) => state === 'LookAtRollback').length, walk.ending, report];
      };
      assert.deepEqual(await looks([ended('LINK')]), [1, 'Stuck', 'LINK']);
      assert.deepEqual(await looks([ended(), ended(), ended('LINK')]), [3, 'Stuck', 'LINK']);
      assert.deepEqual(await looks([ended()]), [4, 'Stuck', null]);
      // Each rollback has looks of its own.
      const begun = { Item: { phase: { S: 'forward' } } };
      const late = [...Array.from({ length: 30 }, () => begun), ended()];
      assert.deepEqual(await looks(late), [34, 'Stuck', null]);
    },
  },
  {
    name: 'a rollback that does not begin is started five times, 5 minutes each, by another name each time',
    holds: async (definition) => {
      for (const phase of ['claimed', 'forward', 'finished']) {
        // The journal tells, whether it is known that the rollback was started or not.
        const StartRollback = [phase === 'claimed' ? new Failure('Test.Bang') : { ExecutionArn: 'ROLLBACK' }];
        const walk = await cutover(definition, { ...failing, StartRollback, LookAtRollback: phases(phase) });
        const from = visited(walk).indexOf('Finish') + 1;
        const round = (attempt: number) => [
          `StartRollback ${attempt}`,
          ...Array.from({ length: 30 }, () => ['WaitForRollback', 'LookAtRollback']).flat(),
        ];
        const went = walk.lines
          .slice(from)
          .map((line) => line.replace(/^StartRollback .*Name: rollback-\w+-(\d+), .*$/, 'StartRollback $1'))
          .map((line) => (line.startsWith('StartRollback') ? line : (line.split(' ')[0] ?? '')));
        assert.deepEqual(went, [...[1, 2, 3, 4, 5].flatMap(round), 'RollbackUnfinished']);
      }
    },
  },
  {
    name: 'a rollback that is at it has 400 looks',
    holds: async (definition) => {
      const walk = await cutover(definition, { ...failing, LookAtRollback: phases('rolling_back') });
      const states = visited(walk).slice(visited(walk).indexOf('Finish') + 1);
      assert.deepEqual(states, [
        'StartRollback',
        ...Array.from({ length: 400 }, () => ['WaitForRollback', 'LookAtRollback']).flat(),
        'RollbackUnfinished',
      ]);
    },
  },
  {
    name: 'an ending that failed says why in 30,000 characters at the most',
    holds: async (definition) => {
      const long = 'x'.repeat(40_000);
      const refused = (ending: string) => ({ Precheck: [{ ...CLEAN, findings: long, ending }] });
      const wentBack = (phase: string, name = '') => {
        const ending = { S: JSON.stringify({ long, report: { ending: name } }) };
        return { ...failing, LookAtRollback: [{ Item: { phase: { S: phase }, ending, report: { S: 'LINK' } } }] };
      };
      const scripts: Record<string, Script> = {
        InvalidPlan: refused('InvalidPlan'),
        Conflict: refused('Conflict'),
        PrecheckFailed: refused('PrecheckFailed'),
        LineStopped: { Precheck: [{ ...CLEAN, findings: long }], Claim: [new Failure('Cutover.LineStopped')] },
        Rejected: { Precheck: [{ ...CLEAN, findings: long }], AwaitApproval: [new Failure('States.Timeout')] },
        RolledBack: wentBack('rolled_back'),
        Stuck: wentBack('stuck'),
        Held: wentBack('stuck', 'Held'),
        RollbackUnfinished: wentBack('rolling_back'),
      };
      for (const [ending, script] of Object.entries(scripts)) {
        const walk = await cutover(definition, script);
        assert.equal(walk.ending, ending);
        assert.equal(walk.output[0], `Cutover.${ending}`);
        assert.equal(walk.output[1].length, 30_000);
        assert.equal(walk.output[1][0], '{');
      }
    },
  },
];
