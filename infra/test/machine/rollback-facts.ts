/** A rollback: the whole of it, and what becomes of each failure. */
import assert from 'node:assert/strict';
import { type Fact, linesAfter, visited, went } from './fact';
import { RUN, rollback, SCRIPT } from './rollback';
import { Failure, type Walk } from './walk';

/** Where a rollback ends whose call fails for good, and what is called right after that. */
const FAILING: [state: string, then: string, ending: string][] = [
  ['TakeOverRun', 'ReportWhatIsLeft', 'Unfinished'],
  ['ResumeHook', 'ResumeHook', 'RolledBack'],
  ['RestoreRecords', 'RestoreListener', 'RolledBack'],
  ['RestoreListener', 'WaitForLateWriters', 'RolledBack'],
  ['RestoreAlarm', 'RestoreAlarm', 'RolledBack'],
  ['WriteEnding', 'ReportWhatIsLeft', 'Stuck'],
  ['WriteReport', 'AnnounceEnding', 'RolledBack'],
  ['AnnounceEnding', 'RemoveDashboard', 'RolledBack'],
  ['RemoveDashboard', 'RolledBack', 'RolledBack'],
];

const REPORT = { ...RUN, end: { ending: 'Stuck', hold: null } };

/** What the ending was written with. */
const ending = ({ lines }: Walk) => lines.find((line) => line.startsWith('WriteEnding'));

export const facts: Fact[] = [
  {
    name: 'a rollback resumes, restores, waits for late writers, does both again, then alarms, then the ending',
    holds: async (definition) =>
      went(
        await rollback(definition),
        `
        TakeOverRun Rollback {action: begin, execution_arn: RUN, state: TakeOverRun, input: {run_id: RUN}}
        CollectEvidence all at once
        EvidenceHook within 5 s evidence-1 {run_id: RUN, application: shop, hook: on_rollback, why: BECAUSE}
        EvidenceHook within 5 s evidence-2 {run_id: RUN, application: shop, hook: on_rollback, why: BECAUSE}
        ResumeHook within 61 s resume-1 {run_id: RUN, application: shop, hook: resume}
        ResumeHook within 62 s resume-2 {run_id: RUN, application: shop, hook: resume}
        RestoreRecords WeightShift {action: restore, route: 1, attempt: 0, change_id: null}
        RestoreWait 3 s
        RestoreRecords WeightShift {action: restore, route: 1, attempt: 1, change_id: C1}
        RestoreListener ListenerSwap {action: restore, route: 0, attempt: 0, change_id: null}
        RestoreWait 5 s
        RestoreListener ListenerSwap {action: restore, route: 0, attempt: 1, change_id: null}
        WaitForLateWriters 35 s
        ResumeHook within 61 s resume-1 {run_id: RUN, application: shop, hook: resume}
        ResumeHook within 62 s resume-2 {run_id: RUN, application: shop, hook: resume}
        RestoreRecords WeightShift {action: restore, route: 1, attempt: 0, change_id: null}
        RestoreListener ListenerSwap {action: restore, route: 0, attempt: 0, change_id: null}
        RestoreAlarm Alarms {action: restore, index: 1}
        RestoreAlarm Alarms {action: restore, index: 0}
        WriteEnding Rollback {action: end, hold: null, hooks: [{title: resume hook resume-1, restored: true, changed: true}, {title: resume hook resume-2, restored: true, changed: true}], outcomes: [{route: 1, title: the name, restored: true, changed: false, live: NAME-2, error: null, at: T3}, {route: 0, title: the listener, restored: true, changed: false, live: RULE-2, error: null, at: T4}], first: [{route: 1, title: the name, restored: true, changed: true, live: NAME-1, error: null, at: T1}, {route: 0, title: the listener, restored: true, changed: true, live: RULE-1, error: null, at: T2}], alarms: [{put_back: 1}, {put_back: 0}]}
        WriteReport Report {at: ENTERED}
        AnnounceEnding Notify {topic_arn: everybody, application: shop, event: rolled_back, detail: {ending: RolledBack, hold: null, routes: ROUTES, at: T5, why: BECAUSE, report: LINK}}
        RemoveDashboard Dashboard {action: remove}
        RolledBack {ending: RolledBack, run_id: RUN, first_pass: [{route: 1, title: the name, restored: true, changed: true, live: NAME-1, error: null, at: T1}, {route: 0, title: the listener, restored: true, changed: true, live: RULE-1, error: null, at: T2}], routes: ROUTES, alarms: [{put_back: 1}, {put_back: 0}], not_done: [], report: LINK, at: T5}
        `,
      ),
  },
  {
    name: 'evidence is started and not waited for; a hook that cannot be started is noted, and nothing waits for it',
    holds: async (definition) => {
      const hook = definition.States.CollectEvidence.ItemProcessor.States.EvidenceHook;
      assert.equal(hook.Arguments.InvocationType, 'Event');
      const walk = await rollback(definition, { EvidenceHook: [new Failure('Test.Boom'), {}] });
      assert.equal(walk.ending, 'RolledBack');
      assert.deepEqual(walk.variables.notes, ['hook on_rollback evidence-1 was not started: Test.Boom']);
      const whole = await rollback(definition);
      assert.deepEqual(whole.variables.notes, []);
      const held = await rollback(definition, { TakeOverRun: [{ ...RUN, hold: 'why not' }] });
      assert.ok(!held.lines.some((line) => line.startsWith('EvidenceHook')), 'nothing goes back');
    },
  },
  {
    name: 'what fails for good in a rollback keeps nothing else from being put back',
    holds: async (definition) => {
      for (const error of ['Test.Boom', 'States.DataLimitExceeded']) {
        for (const [state, then, end] of FAILING) {
          // What decides about the whole run does not answer at length.
          if (
            error !== 'Test.Boom' &&
            ['TakeOverRun', 'WriteEnding', 'AnnounceEnding', 'RemoveDashboard'].includes(state)
          )
            continue;
          const ReportWhatIsLeft = [state === 'WriteEnding' ? REPORT : null];
          const failing = [new Failure(error), ...(SCRIPT[state]?.slice(1) ?? [{}])];
          const walk = await rollback(definition, { ReportWhatIsLeft, [state]: failing });
          assert.equal(walk.ending, end, state);
          assert.equal(linesAfter(walk, state)[0]?.split(' ')[0], then, state);
          if (state === 'AnnounceEnding') assert.deepEqual(walk.output.not_done, ['AnnounceEnding: Test.Boom']);
        }
      }
    },
  },
  {
    name: 'what could not be put back is told with the ending',
    holds: async (definition) => {
      for (const error of ['Test.Boom', 'States.DataLimitExceeded']) {
        const failing = [new Failure(error)];
        const script = {
          ResumeHook: failing,
          RestoreRecords: failing,
          RestoreListener: failing,
          RestoreAlarm: failing,
        };
        const said = `restored: false, error: ${error}: why`;
        const hooks = [1, 2].map((nth) => `{title: resume hook resume-${nth}, ${said}}`).join(', ');
        const routes = `{route: 1, title: the name, ${said}}, {route: 0, title: the listener, ${said}}`;
        const alarms = [1, 0].map((index) => `{index: ${index}, error: ${error}, cause: why}`).join(', ');
        assert.equal(
          ending(await rollback(definition, script)),
          `WriteEnding Rollback {action: end, hold: null, hooks: [${hooks}], ` +
            `outcomes: [${routes}], first: [${routes}], alarms: [${alarms}]}`,
        );
      }
    },
  },
  {
    name: 'a list that fails as a whole keeps nothing else from being put back, and all of it counts as left',
    holds: async (definition) => {
      const whole = visited(await rollback(definition));
      for (const error of ['Test.Boom', 'States.DataLimitExceeded']) {
        const failure = new Failure(error);
        // The writers' first pass is seen to have run, the second is not.
        const script = { ResumeWriters: [{}, failure], RestoreRoutes: [failure], RestoreAlarms: [failure] };
        const walk = await rollback(definition, script);
        assert.deepEqual(visited(walk), whole);
        const said = `restored: false, error: ${error}: why`;
        const routes = `{route: 1, title: the name, ${said}}, {route: 0, title: the listener, ${said}}`;
        const alarms = [1, 0].map((index) => `{index: ${index}, error: ${error}, cause: why}`).join(', ');
        assert.equal(
          ending(walk),
          'WriteEnding Rollback {action: end, hold: null, hooks: [], ' +
            `outcomes: [${routes}], first: [${routes}], alarms: [${alarms}]}`,
        );
      }
    },
  },
  {
    name: 'a route whose answer does not say whether it is settled is not taken for one that has to be waited for',
    holds: async (definition) => {
      for (const state of ['RestoreRecords', 'RestoreListener']) {
        for (const answer of [{}, { settled: true }, { wait_seconds: 1 }, { settled: 'no', wait_seconds: 1 }]) {
          const walk = await rollback(definition, { [state]: [answer] });
          assert.equal(visited(walk).filter((visit) => visit === state).length, 2);
          assert.match(ending(walk) ?? '', /does not say whether it is settled/);
        }
      }
    },
  },
  {
    name: 'a run that a person has to decide about is told, and nothing is put back',
    holds: async (definition) => {
      const end = { ending: 'Held', hold: 'HOLD' };
      const walk = await rollback(definition, { TakeOverRun: [{ ...RUN, hold: 'HOLD' }], WriteEnding: [end] });
      went(
        walk,
        `
        TakeOverRun Rollback {action: begin, execution_arn: RUN, state: TakeOverRun, input: {run_id: RUN}}
        WriteEnding Rollback {action: end, hold: HOLD, hooks: [], outcomes: [], first: [], alarms: []}
        WriteReport Report {at: ENTERED}
        AnnounceEnding Notify {topic_arn: everybody, application: shop, event: held, detail: {ending: Held, hold: HOLD, why: BECAUSE, report: LINK}}
        Held [Cutover.Held, {"notes":[],"report":"LINK","ending":"Held","hold":"HOLD"}]
        `,
      );
    },
  },
  {
    name: 'what is as before and could not be seen to be in effect is said with the ending, and so is a page that was not sent',
    holds: async (definition) => {
      const noted = { settled: true, wait_seconds: 0, changed: true, live: 'NAME', at: 'T', note: 'NOT SEEN INSYNC' };
      const walk = await rollback(definition, {
        RestoreRecords: [noted],
        WriteEnding: [{ ending: 'RolledBack', hold: null, routes: [], not_done: ['NOT SEEN INSYNC'], at: 'T' }],
        AnnounceEnding: [new Failure('Test.Boom')],
      });
      assert.match(ending(walk) ?? '', /restored: true, changed: true, live: NAME, error: NOT SEEN INSYNC, at: T}/);
      assert.deepEqual(walk.output.not_done, ['NOT SEEN INSYNC', 'AnnounceEnding: Test.Boom']);
      const untold = { WriteEnding: [{ ending: 'Stuck' }], AnnounceEnding: [new Failure('Test.Boom')] };
      const stuck = await rollback(definition, untold);
      assert.deepEqual(stuck.output, [
        'Cutover.Stuck',
        '{"notes":["AnnounceEnding: Test.Boom"],"report":"LINK","ending":"Stuck"}',
      ]);
    },
  },
  {
    name: 'a run that has an ending is left alone',
    holds: async (definition) => {
      const walk = await rollback(definition, { TakeOverRun: [{ ...RUN, nothing_to_do: 'it is over', hold: 'HOLD' }] });
      assert.deepEqual(visited(walk), ['TakeOverRun', 'NothingToDo']);
      assert.deepEqual(walk.output, { ending: 'NothingToDo', reason: 'it is over' });
    },
  },
  {
    name: 'what a person asks that cannot be done as it stands fails with what to write, and calls nobody',
    holds: async (definition) => {
      const TakeOverRun = [new Failure('Cutover.InvalidGesture', 'say who you are')];
      const walk = await rollback(definition, { TakeOverRun });
      assert.deepEqual(visited(walk), ['TakeOverRun', 'InvalidGesture']);
      assert.equal(walk.lines.at(-1), 'InvalidGesture [Cutover.InvalidGesture, say who you are]');
    },
  },
  {
    name: 'a run that another rollback has taken is left to it',
    holds: async (definition) => {
      for (const state of ['TakeOverRun', 'WriteEnding']) {
        const walk = await rollback(definition, { [state]: [new Failure('Cutover.Fenced')] });
        assert.deepEqual(visited(walk).slice(-2), [state, 'Overtaken']);
        assert.deepEqual(walk.output, ['Cutover.Fenced', 'Another rollback has taken this run over.']);
      }
    },
  },
  {
    name: 'each ending is told by its name',
    holds: async (definition) => {
      for (const [ending, event] of [
        ['RolledBack', 'rolled_back'],
        ['Unfinished', 'unfinished'],
        ['Stuck', 'stuck'],
        ['Held', 'held'],
      ]) {
        const walk = await rollback(definition, { WriteEnding: [{ ending, hold: null, routes: [], at: 'T' }] });
        const told = walk.lines.filter((line) => !/^(RemoveDashboard|LeaveReport)/.test(line)).at(-2) ?? '';
        assert.match(told, new RegExp(`^AnnounceEnding .* event: ${event}, `));
        // Where something is left, people go on looking at it.
        assert.equal(
          walk.lines.some((line) => line.startsWith('RemoveDashboard')),
          ending === 'RolledBack',
        );
        assert.equal(walk.ending, ending);
        // What could not end is tried again once this execution is over: nobody waits for a report.
        const left = walk.lines.filter((line) => line.startsWith('LeaveReport'));
        assert.deepEqual(left, ending === 'Unfinished' ? ['LeaveReport within 5 s Report {at: ENTERED}'] : []);
      }
      const Unfinished = { WriteEnding: [{ ending: 'Unfinished' }], LeaveReport: [new Failure('Test.Boom')] };
      assert.equal((await rollback(definition, Unfinished)).ending, 'Unfinished');
    },
  },
  {
    name: 'a rollback that cannot go on looks at what is left, and tells it',
    holds: async (definition) => {
      const report = { TakeOverRun: [new Failure('Test.Boom')], ReportWhatIsLeft: [REPORT] };
      const told =
        'AnnounceEnding Notify {topic_arn: everybody, application: shop, event: stuck, ' +
        'detail: {ending: Stuck, hold: null, why: BECAUSE, report: LINK}}';
      const left = 'WriteReport Report {at: ENTERED}';
      const asked = (problem: string, input: string) =>
        'ReportWhatIsLeft Rollback {execution_arn: RUN, state: ReportWhatIsLeft, action: report, ' +
        `input: ${input}, problem: ${problem}}`;
      const failed = await rollback(definition, report);
      assert.deepEqual(failed.lines.slice(1, 4), [asked('TakeOverRun: Test.Boom: why', '{run_id: RUN}'), left, told]);
      assert.equal(failed.ending, 'Stuck');
      const unwritten = await rollback(definition, {
        ...report,
        TakeOverRun: [RUN],
        WriteEnding: [new Failure('Test.Boom')],
      });
      assert.deepEqual(unwritten.lines.slice(-4, -1), [
        asked('WriteEnding: Test.Boom: why', '{run_id: RUN}'),
        left,
        told,
      ]);
      const wanted = await rollback(definition, report, { run_id: 'RUN', report: 'the sweep gave up' });
      assert.deepEqual(wanted.lines.slice(0, 3), [
        asked('the sweep gave up', '{run_id: RUN, report: the sweep gave up}'),
        left,
        told,
      ]);
      // A report that cannot be written keeps nobody from being told.
      const unreported = await rollback(definition, { ...report, WriteReport: [new Failure('Test.Bang')] });
      assert.deepEqual(visited(unreported).slice(-3), ['WriteReport', 'AnnounceEnding', 'Stuck']);
      // To be asked for nothing is not to be asked.
      assert.equal(visited(await rollback(definition, {}, { run_id: 'RUN', report: null }))[0], 'TakeOverRun');
    },
  },
  {
    name: 'a rollback that cannot even look ends unfinished, and says why',
    holds: async (definition) => {
      const TakeOverRun = [new Failure('Test.Boom')];
      const [said, asked] = ['TakeOverRun: Test.Boom: why', { run_id: 'RUN', report: 'the sweep gave up' }];
      const WriteEnding = [new Failure('Test.Boom')];
      const late = await rollback(definition, { WriteEnding, ReportWhatIsLeft: [new Failure('Test.Bang')] });
      assert.deepEqual(visited(late).slice(-3), ['WriteEnding', 'ReportWhatIsLeft', 'Unfinished']);
      for (const ReportWhatIsLeft of [[new Failure('Test.Bang')], [null]]) {
        const walk = await rollback(definition, { TakeOverRun, ReportWhatIsLeft });
        assert.deepEqual(visited(walk), ['TakeOverRun', 'ReportWhatIsLeft', 'Unfinished']);
        assert.deepEqual(walk.output, ['Cutover.RollbackUnfinished', said]);
        const wanted = await rollback(definition, { ReportWhatIsLeft }, asked);
        assert.deepEqual(wanted.output, ['Cutover.RollbackUnfinished', 'the sweep gave up']);
      }
    },
  },
];
