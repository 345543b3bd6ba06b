/** How a rollback ends that does not put everything back: who is told what is left, and why it could not go on. */
import assert from 'node:assert/strict';
import { type Fact, visited } from './fact';
import { RUN, rollback } from './rollback';
import { Failure } from './walk';

const REPORT = { ...RUN, end: { ending: 'Stuck', hold: null } };

export const facts: Fact[] = [
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
        'detail: {ending: Stuck, hold: null, not_done: [], why: BECAUSE, report: LINK}}';
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
  {
    name: 'what was noted before a rollback could not go on is in the ending, whatever the look says of it',
    holds: async (definition) => {
      const EvidenceHook = [new Failure('Test.Boom'), {}];
      const WriteEnding = [new Failure('Test.Bang')];
      const note = 'hook on_rollback evidence-1 was not started: Test.Boom';
      const stuck = await rollback(definition, { EvidenceHook, WriteEnding, ReportWhatIsLeft: [REPORT] });
      assert.deepEqual(JSON.parse(stuck.output[1]).notes, [note]);
      // Where nothing was begun there is nothing to tell, but the look itself.
      const end = { ending: 'RolledBack', routes: [], not_done: [], at: 'T' };
      const TakeOverRun = [new Failure('Test.Boom')];
      const back = await rollback(definition, { TakeOverRun, ReportWhatIsLeft: [{ ...RUN, end }] });
      const { first_pass, alarms, not_done } = back.output;
      assert.deepEqual([first_pass, alarms, not_done], [[], [], []]);
      const asked = await rollback(
        definition,
        { ReportWhatIsLeft: [{ ...RUN, end }] },
        { run_id: 'RUN', report: 'LOOK' },
      );
      assert.deepEqual(asked.output, back.output);
    },
  },
];
