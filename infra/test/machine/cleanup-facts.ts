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
        WaitUntilDue 40 s
        WatchRoutes Cleanup {action: watch, told: TOLD-1}
        TellChange Notify {topic_arn: everybody, application: shop, event: changed, detail: {routes: ELSEWHERE}}
        WaitUntilDue 20 s
        WatchRoutes Cleanup {action: watch, told: TOLD-2}
        BeginCleanup Cleanup {action: begin}
        RemoveFromRoute Cleanup {action: remove, route: 0, attempt: 0, releasing: 0}
        RemoveWait 7 s
        RemoveFromRoute Cleanup {action: remove, route: 0, attempt: 1, releasing: 1}
        RemoveFromRoute Cleanup {action: remove, route: 1, attempt: 0, releasing: 0}
        CloseRun Cleanup {action: close, removals: [{settled: true, wait_seconds: 0, releasing: 2, removed: [the old group]}, {settled: true, wait_seconds: 0, releasing: 0, removed: [the checks]}]}
        AnnounceClose Notify {topic_arn: everybody, application: shop, event: closed, detail: {removals: [{settled: true, wait_seconds: 0, releasing: 2, removed: [the old group]}, {settled: true, wait_seconds: 0, releasing: 0, removed: [the checks]}]}}
        Closed {ending: Closed}
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
      for (const state of ['WatchRoutes', 'TellChange']) {
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
      assert.deepEqual(walk.output, { ending: 'NothingToDo', reason });
    },
  },
  {
    name: 'nothing is removed where there is no run, or a stuck one is only released',
    holds: async (definition) => {
      const none = await cleanup(definition, { FindRun: [{ ...RUN, nothing_to_do: 'no run', released: true }] });
      assert.deepEqual(visited(none), ['FindRun', 'NothingToDo']);
      assert.deepEqual(none.output, { ending: 'NothingToDo', reason: 'no run' });
      for (const AnnounceRelease of [[{}], [new Failure('Test.Boom')]]) {
        const released = await cleanup(definition, { FindRun: [{ ...RUN, released: true }], AnnounceRelease });
        const told =
          'AnnounceRelease Notify {topic_arn: everybody, application: shop, event: closed, detail: {released: true}}';
        assert.deepEqual(released.lines.slice(1), [told, 'Released {ending: Released, run_id: RUN}']);
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
      assert.equal(linesAfter(walk, 'RemoveFromRoute')[1], `CloseRun Cleanup {action: close, removals: ${removals}}`);
      assert.equal(walk.ending, 'Closed');
    },
  },
  {
    name: 'a cleanup that cannot begin, or cannot close, fails; one that cannot tell is closed',
    holds: async (definition) => {
      for (const state of ['FindRun', 'BeginCleanup', 'CloseRun'])
        await assert.rejects(cleanup(definition, { [state]: [new Failure('Test.Boom')] }), /Test.Boom/, state);
      const walk = await cleanup(definition, { AnnounceClose: [new Failure('Test.Boom')] });
      assert.equal(walk.lines.at(-1), 'Closed {ending: Closed}');
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
