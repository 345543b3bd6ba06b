/** A rollback: the whole of it, and what becomes of each failure. */
import assert from 'node:assert/strict';
import { type Fact, linesAfter, visited, went } from './fact';
import { RUN, rollback, SCRIPT } from './rollback';
import { Failure, type Walk } from './walk';

/** Where a rollback ends whose call fails for good, and what is called right after that. */
const FAILING: [state: string, then: string, ending: string][] = [
  ['TakeOverRun', 'ReportWhatIsLeft', 'Unfinished'],
  ['CollectEvidence', 'EvidenceHook', 'RolledBack'],
  ['EvidenceHook', 'EvidenceHook', 'RolledBack'],
  ['ResumeHook', 'ResumeHook', 'RolledBack'],
  ['RestoreRecords', 'RestoreListener', 'RolledBack'],
  ['RestoreListener', 'WaitForLateWriters', 'RolledBack'],
  ['RestoreAlarm', 'RestoreAlarm', 'RolledBack'],
  ['WriteEnding', 'ReportWhatIsLeft', 'Stuck'],
  ['WriteReport', 'AnnounceEnding', 'RolledBack'],
  ['AnnounceEnding', 'RemoveDashboard', 'RolledBack'],
  ['RemoveDashboard', 'RolledBack', 'RolledBack'],
];

/** Of these the ending says that they were not done. */
const NOTING = ['CollectEvidence', 'WriteReport', 'AnnounceEnding', 'RemoveDashboard'];

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
        AnnounceEnding Notify {topic_arn: everybody, application: shop, event: rolled_back, detail: {ending: RolledBack, hold: null, routes: ROUTES, at: T5, not_done: [], why: BECAUSE, report: LINK}}
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
      const { lines } = await rollback(definition);
      assert.equal(lines.filter((line) => line.startsWith('EvidenceHook')).length, 2);
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
          // What was told, or is gone, is not answered at length.
          if (error !== 'Test.Boom' && ['AnnounceEnding', 'RemoveDashboard'].includes(state)) continue;
          const ReportWhatIsLeft = [state === 'WriteEnding' ? REPORT : null];
          const failing = [new Failure(error), ...(SCRIPT[state]?.slice(1) ?? [{}])];
          const walk = await rollback(definition, { ReportWhatIsLeft, [state]: failing });
          assert.equal(walk.ending, end, state);
          assert.equal(linesAfter(walk, state)[0]?.split(' ')[0], then, state);
          if (NOTING.includes(state)) assert.deepEqual(walk.output.not_done, [`${state}: ${error}`], state);
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
    name: 'what is told of each is cut, so that the ending can carry it of all',
    holds: async (definition) => {
      const long = `It begins here and ${'goes on '.repeat(1_000)}`;
      const failing = [new Failure('Test.Boom', long)];
      const RestoreRecords = [{ settled: true, wait_seconds: 0, changed: true, live: long, at: 'T' }];
      const walk = await rollback(definition, {
        ...{ ResumeHook: failing, RestoreListener: failing, RestoreAlarm: failing, RestoreRecords },
      });
      const said = `Test.Boom: ${long}`.slice(0, 600);
      const { hooks, outcomes, alarms } = walk.variables as Record<string, Record<string, string>[]>;
      for (const hook of hooks ?? []) assert.equal(hook.error, said);
      assert.deepEqual([outcomes?.[0]?.live, outcomes?.[1]?.error], [long.slice(0, 600), said]);
      for (const alarm of alarms ?? []) assert.equal(alarm.cause, long.slice(0, 300));
      assert.deepEqual([hooks?.length, alarms?.length], [2, 2]);
      const gone = await rollback(definition, { RestoreRecords: [{ settled: true, wait_seconds: 0, live: null }] });
      assert.match(ending(gone) ?? '', /title: the name, restored: true, changed: false, live: null,/);
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
        AnnounceEnding Notify {topic_arn: everybody, application: shop, event: held, detail: {ending: Held, hold: HOLD, not_done: [], why: BECAUSE, report: LINK}}
        Held [Cutover.Held, {"notes":[],"report":"LINK","ending":"Held","hold":"HOLD","not_done":[]}]
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
        '{"notes":["AnnounceEnding: Test.Boom"],"report":"LINK","ending":"Stuck","not_done":[]}',
      ]);
    },
  },
  {
    name: 'which messages were not delivered is told with the ending, and is in what the run says at its end',
    holds: async (definition) => {
      const WriteReport = [{ link: 'LINK', key: 'KEY', undelivered: ['UNTOLD', 'UNHEARD'] }];
      const back = await rollback(definition, {
        WriteEnding: [{ ending: 'RolledBack', hold: null, routes: [], not_done: ['NOT SEEN'], at: 'T' }],
        WriteReport,
      });
      const announced = back.lines.find((line) => line.startsWith('AnnounceEnding')) ?? '';
      assert.match(announced, /not_done: \[NOT SEEN, UNTOLD, UNHEARD\]/);
      assert.deepEqual(back.output.not_done, ['NOT SEEN', 'UNTOLD', 'UNHEARD']);
      const stuck = await rollback(definition, { WriteEnding: [{ ending: 'Stuck', not_done: [] }], WriteReport });
      assert.deepEqual(JSON.parse(stuck.output[1]).not_done, ['UNTOLD', 'UNHEARD']);
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
];
