/** A cleanup: the whole of it, and what becomes of each failure. And the smallest machine, which starts others. */
import assert from 'node:assert/strict';
import { cleanup, RUN } from './cleanup';
import { type Fact, linesAfter, visited, went } from './fact';
import { Failure, walk } from './walk';

export const facts: Fact[] = [
  {
    name: 'a cleanup waits until it is due, looks in between, begins, removes, closes and tells',
    holds: async (definition) =>
      went(
        await cleanup(definition),
        `
        FindRun Cleanup {action: find, execution_arn: RUN, state: FindRun, input: {run_id: RUN}}
        WaitUntilDue 40 s
        WatchRoutes Cleanup {action: watch, told: }
        WatchHealth Monitor {after_cutover: true, route: 1, step: 2, new_weight: 100, hold_seconds: 0, elapsed_seconds: 40, tally: null, decisions: 0, at: ENTERED}
        WaitUntilDue 40 s
        WatchRoutes Cleanup {action: watch, told: TOLD-1}
        TellChange Notify {topic_arn: everybody, application: shop, event: changed, detail: {routes: ELSEWHERE}}
        WaitUntilDue 20 s
        WatchRoutes Cleanup {action: watch, told: TOLD-2}
        WatchHealth Monitor {after_cutover: true, route: 1, step: 2, new_weight: 100, hold_seconds: 0, elapsed_seconds: 100, tally: LOOKS-1, decisions: 0, at: ENTERED}
        BeginCleanup Cleanup {action: begin}
        RemoveFromRoute Cleanup {action: remove, route: 0, attempt: 0, releasing: 0, is_in_trouble: false}
        RemoveWait 7 s
        RemoveFromRoute Cleanup {action: remove, route: 0, attempt: 1, releasing: 1, is_in_trouble: false}
        RemoveFromRoute Cleanup {action: remove, route: 1, attempt: 0, releasing: 0, is_in_trouble: false}
        RemoveDashboard Dashboard {action: remove}
        CloseRun Cleanup {action: close, removals: [{settled: true, wait_seconds: 0, releasing: 2, removed: [the old group]}, {settled: true, wait_seconds: 0, releasing: 0, removed: [the checks]}], notes: []}
        AnnounceClose Notify {topic_arn: everybody, application: shop, event: closed, detail: {removals: [{settled: true, wait_seconds: 0, releasing: 2, removed: [the old group]}, {settled: true, wait_seconds: 0, releasing: 0, removed: [the checks]}], not_done: []}}
        Closed {ending: Closed, not_done: []}
        `,
      ),
  },
  {
    name: 'a cleanup that is due does not wait',
    holds: async (definition) => {
      const walk = await cleanup(definition, { FindRun: [{ ...RUN, wait_seconds: 0 }] });
      assert.deepEqual(visited(walk).slice(0, 2), ['FindRun', 'BeginCleanup']);
      assert.equal(walk.secondsWaited, 7);
      const soon = await cleanup(definition, { FindRun: [{ ...RUN, wait_seconds: 1 }] });
      assert.equal(soon.lines[1], 'WaitUntilDue 1 s');
    },
  },
  {
    name: 'a look that fails, or that cannot be told, neither ends a cleanup nor shortens its wait',
    holds: async (definition) => {
      for (const state of ['WatchRoutes', 'TellChange', 'WatchHealth']) {
        const walk = await cleanup(definition, { [state]: [new Failure('Test.Boom')] });
        assert.equal(walk.ending, 'Closed');
        assert.equal(walk.secondsWaited, 107, state);
      }
    },
  },
  {
    name: 'a run that somebody has taken meanwhile is not waited for, and nothing of it is removed',
    holds: async (definition) => {
      const taken = { is_ours: false, is_news: true, told: '', elsewhere: [] };
      const walk = await cleanup(definition, { WatchRoutes: [taken], BeginCleanup: [{ begun: false }] });
      assert.deepEqual(visited(walk), ['FindRun', 'WaitUntilDue', 'WatchRoutes', 'BeginCleanup', 'Overtaken']);
      const reason = 'the run was rolled back or taken over meanwhile';
      assert.deepEqual(walk.output, { ending: 'NothingToDo', reason, not_done: [] });
    },
  },
  {
    name: 'a cleanup that another one overtakes ends quietly',
    holds: async (definition) => {
      const walk = await cleanup(definition, { CloseRun: [new Failure('Cutover.Fenced')] });
      assert.deepEqual(visited(walk).slice(-2), ['CloseRun', 'Overtaken']);
    },
  },
  {
    name: 'a new side that fails before cleanup sends the run back, and nothing is removed',
    holds: async (definition) => {
      const walk = await cleanup(definition, {
        WatchHealth: [{ verdict: 'healthy', tally: 'LOOKS' }, new Failure('Cutover.Unhealthy')],
      });
      assert.deepEqual(visited(walk).slice(-3), ['WatchHealth', 'StartRollback', 'GoesBack']);
      const name = 'rollback-ddeaded8ad8e44933f39e672a8886d49-late';
      const start = `StartRollback {StateMachineArn: Rollback, Name: ${name}, Input: {run_id: RUN, why: why}}`;
      assert.equal(walk.lines.at(-2), start);
      assert.deepEqual(walk.output, {
        ending: 'GoesBack',
        run_id: 'RUN',
        reason: 'why',
        rollback: 'ROLLBACK',
        not_done: [],
      });
      const long = `It begins here and ${'goes on '.repeat(1_000)}`;
      const WatchHealth = [new Failure('Cutover.Unhealthy', long)];
      const back = (await cleanup(definition, { WatchHealth })).lines.at(-2) ?? '';
      assert.ok(back.endsWith(`why: ${long.slice(0, 4000)}}}`), 'the reason, 4,000 characters of it');
      // One that cannot be started calls people, and the watch goes on.
      const failing = await cleanup(definition, {
        WatchHealth: [new Failure('Cutover.Unhealthy'), { verdict: 'unhealthy', tally: 'LOOKS' }],
        StartRollback: [new Failure('Test.Boom')],
      });
      assert.deepEqual(visited(failing).filter((state) => state === 'TellTrouble').length, 1);
      assert.equal(failing.ending, 'Closed');
      assert.deepEqual(failing.variables.notes, ['StartRollback: Test.Boom']);
      const unseen = await cleanup(definition, { WatchHealth: [new Failure('Test.Boom')] });
      assert.deepEqual([...new Set(unseen.variables.notes as string[])], ['WatchHealth: Test.Boom']);
      assert.ok(!visited(unseen).some((state) => /Trouble|Rollback/.test(state)), 'a look that fails says nothing');
    },
  },
  {
    name: 'trouble that does not send a run back is told once, also after silence, and again once nothing was wrong any more',
    holds: async (definition) => {
      const looks = (answers: object[]) => ({
        FindRun: [{ ...RUN, wait_seconds: 40 * answers.length, rolls_back: false }],
        WatchRoutes: answers.map(() => ({ is_ours: true, is_news: false, told: '', elsewhere: [] })),
        WatchHealth: answers,
      });
      const [sick, blind] = [new Failure('Cutover.Unhealthy'), new Failure('Cutover.Inconclusive')];
      const well = { verdict: 'healthy', tally: 'WELL' };
      const unwell = { verdict: 'unhealthy', tally: 'UNWELL' };
      const unsure = (looks: number) => ({ verdict: 'too_little_data', tally: { too_little_data: looks } });
      for (const [answers, times] of [
        [[sick, sick, unwell, sick], 1],
        [[sick, unwell, well, blind], 2],
        [[blind, blind], 1],
        [[well, unwell, well], 0],
        [[blind, sick, sick], 2],
        [[sick, blind, blind, sick], 1],
        [[blind, well, blind], 2],
        [[sick, unsure(1), unsure(2), sick], 1],
        [[sick, unsure(1), unsure(2), unsure(3), sick, sick], 2],
      ] as [object[], number][]) {
        const walk = await cleanup(definition, looks(answers));
        assert.equal(visited(walk).filter((state) => state === 'TellTrouble').length, times, JSON.stringify(answers));
        assert.equal(walk.ending, 'Closed');
      }
      // Where somebody else leads traffic, nothing is said of the new side: told once or not.
      const elsewhere = { is_ours: true, is_news: false, told: '', elsewhere: ['a route'] };
      const aside = await cleanup(definition, { ...looks([sick, sick]), WatchRoutes: [elsewhere, elsewhere] });
      const look = ['WaitUntilDue', 'WatchRoutes'];
      assert.deepEqual(visited(aside).slice(0, 6), ['FindRun', ...look, ...look, 'BeginCleanup']);
      // Without data nothing goes back, whatever the plan says.
      const still = { ...looks([blind]), FindRun: [{ ...RUN, wait_seconds: 40, rolls_back: true }] };
      const told = await cleanup(definition, still);
      const expected =
        'TellTrouble Notify {topic_arn: everybody, application: shop, event: trouble, detail: {why: Cutover.Inconclusive: why}}';
      assert.ok(told.lines.includes(expected), told.lines.join('\n'));
      // What was counted is not counted again.
      const again = await cleanup(definition, looks([well, blind, well]));
      assert.match(
        again.lines.filter((line) => line.startsWith('WatchHealth'))[2] ?? '',
        /tally: null, decisions: 0, at: ENTERED}$/,
      );
      // After trouble the tests begin anew, from then on: their certainty would hide that it is over.
      const anew = await cleanup(definition, looks([well, sick, well]));
      const third = anew.lines.filter((line) => line.startsWith('WatchHealth'))[2] ?? '';
      assert.match(third, /elapsed_seconds: 40, tally: null, decisions: 1, at: ENTERED}$/);
      // The way back is kept where the last thing known is that the new side fails.
      for (const [answers, isKept] of [
        [[sick, unwell], true],
        [[sick, blind], true],
        [[sick, well], false],
        [[blind], false],
      ] as [object[], boolean][]) {
        const walk = await cleanup(definition, looks(answers));
        const removal = walk.lines.find((line) => line.startsWith('RemoveFromRoute')) ?? '';
        assert.ok(removal.includes(`is_in_trouble: ${isKept}`), removal);
      }
      const untold = await cleanup(definition, { ...still, TellTrouble: [new Failure('Test.Boom')] });
      assert.deepEqual(untold.variables.notes, ['TellTrouble: Test.Boom']);
    },
  },
  {
    name: 'nothing is removed where there is no run, or a stuck one is only released',
    holds: async (definition) => {
      const none = await cleanup(definition, { FindRun: [{ ...RUN, nothing_to_do: 'no run', released: true }] });
      assert.deepEqual(visited(none), ['FindRun', 'NothingToDo']);
      assert.deepEqual(none.output, { ending: 'NothingToDo', reason: 'no run' });
      for (const AnnounceRelease of [[{}], [new Failure('Test.Boom')]]) {
        const FindRun = [{ ...RUN, released: true, by: 'Ada', left: ['the rule'] }];
        const released = await cleanup(definition, { FindRun, AnnounceRelease });
        const not = AnnounceRelease[0] instanceof Failure ? 'AnnounceRelease: Test.Boom' : '';
        const told =
          'AnnounceRelease Notify {topic_arn: everybody, application: shop, event: closed, detail: {released: true, by: Ada, routes: [the rule]}}';
        assert.deepEqual(released.lines.slice(1), [
          told,
          `Released {ending: Released, run_id: RUN, not_done: [${not}]}`,
        ]);
      }
    },
  },
  {
    name: 'what cannot be removed is kept and told; the others are removed all the same',
    holds: async (definition) => {
      const second = { settled: true, wait_seconds: 0, releasing: 0, removed: ['the checks'] };
      const walk = await cleanup(definition, { RemoveFromRoute: [new Failure('Test.Boom'), second] });
      const removals =
        '[{route: 0, settled: true, wait_seconds: 0, removed: [], kept: [the old group: Test.Boom: why]}, ' +
        '{settled: true, wait_seconds: 0, releasing: 0, removed: [the checks]}]';
      assert.equal(
        linesAfter(walk, 'RemoveDashboard')[0],
        `CloseRun Cleanup {action: close, removals: ${removals}, notes: []}`,
      );
      assert.equal(walk.ending, 'Closed');
      const long = `It begins here and ${'goes on '.repeat(1_000)}`;
      const unsaid = await cleanup(definition, { RemoveFromRoute: [new Failure('Test.Boom', long), second] });
      const [removal] = unsaid.variables.removals as { kept: string[] }[];
      assert.deepEqual(removal?.kept, [`the old group: Test.Boom: ${long}`.slice(0, 1500)]);
    },
  },
  {
    name: 'a dashboard that cannot be removed is told, and the run is closed',
    holds: async (definition) => {
      const walk = await cleanup(definition, { RemoveDashboard: [new Failure('Test.Boom')] });
      assert.match(
        linesAfter(walk, 'RemoveDashboard')[0] ?? '',
        /^CloseRun .* notes: \[RemoveDashboard: Test.Boom\]}$/,
      );
      assert.equal(walk.ending, 'Closed');
    },
  },
  {
    name: 'what a person asks that cannot be done as it stands fails with what to write',
    holds: async (definition) => {
      const FindRun = [new Failure('Cutover.InvalidGesture', 'say who you are')];
      const walk = await cleanup(definition, { FindRun });
      assert.deepEqual(visited(walk), ['FindRun', 'InvalidGesture']);
      assert.equal(walk.lines.at(-1), 'InvalidGesture [Cutover.InvalidGesture, say who you are]');
    },
  },
  {
    name: 'a cleanup that cannot begin, or cannot close, fails; one that cannot tell is closed',
    holds: async (definition) => {
      for (const state of ['FindRun', 'BeginCleanup', 'CloseRun'])
        await assert.rejects(cleanup(definition, { [state]: [new Failure('Test.Boom')] }), /Test.Boom/, state);
      const walk = await cleanup(definition, { AnnounceClose: [new Failure('Test.Boom')] });
      assert.equal(walk.lines.at(-1), 'Closed {ending: Closed, not_done: [AnnounceClose: Test.Boom]}');
      // What was not done before the end is with the ending, and told.
      const CloseRun = [{ ending: 'Closed', not_done: ['the cutover: X', 'TellChange: Test.Boom'] }];
      const untold = await cleanup(definition, { TellChange: [new Failure('Test.Boom')], CloseRun });
      assert.match(linesAfter(untold, 'CloseRun').join(), /not_done: \[the cutover: X, TellChange: Test.Boom\]}}/);
      assert.deepEqual(untold.output.not_done, ['the cutover: X', 'TellChange: Test.Boom']);
      assert.ok(
        untold.lines.some((line) => line.startsWith('CloseRun') && line.endsWith('notes: [TellChange: Test.Boom]}')),
      );
    },
  },
];

const ASKED = { state_machine_arn: 'M', name: 'N', input: { a: 1 } };

export const factsOfStart: Fact[] = [
  {
    name: 'an execution is started by its name; one that was started before is left, any other trouble pages',
    holds: async (definition) => {
      const start = (answer: object) => walk(definition, ASKED, { Start: [answer] });
      const call = 'Start {StateMachineArn: M, Name: N, Input: {a: 1}}';
      assert.deepEqual((await start({ ExecutionArn: 'E' })).lines, [call, 'Started {execution_arn: E}']);
      const exists = await start(new Failure('StepFunctions.ExecutionAlreadyExistsException'));
      assert.deepEqual(exists.lines, [call, 'AlreadyStarted {name: N}']);
      await assert.rejects(start(new Failure('Test.Boom')), /Test.Boom/);
    },
  },
];
