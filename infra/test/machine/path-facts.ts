/** What holds on every way through the states, whatever the conditions on it say. */
import assert from 'node:assert/strict';
import type { Definition } from '../../lib/definitions';
import type { Fact } from './fact';
import { reachable, waysOf } from './graph';

/** No way leads from the start to a state without coming by another. */
function always(machine: Definition, by: string, before: string) {
  assert.ok(machine.States[by] && machine.States[before], `${by}, ${before}`);
  const around = reachable(machine, machine.StartAt, [by]);
  assert.ok(!around.has(before), `there is a way to ${before} around ${by}`);
}

/** Before a state stands another one, on every way to it. */
const ORDER: [by: string, before: string][] = [
  ['Precheck', 'Claim'],
  ['Claim', 'AllowChanges'],
  ['Claim', 'CheckReplication'],
  ['AllowChanges', 'PrepareListener'],
  ['AllowChanges', 'PrepareRecords'],
  ['NextRouteToPrepare', 'HasLoadTest'],
  ['HasLoadTest', 'BeforeTrafficHooks'],
  ['BeforeTrafficHooks', 'QuiesceWriters'],
  ['BeforeTrafficHooks', 'SwapListener'],
  ['BeforeTrafficHooks', 'ShiftWeight'],
  ['CheckLine', 'MustWritersStop'],
  ['CheckLine', 'QuiesceWriters'],
  ['MustWritersStop', 'DrainReplication'],
  ['MustReplicationDrain', 'RememberNoReturn'],
  ['SettleVerdict', 'Monitor'],
  ['NextStep', 'Validate'],
  ['Validate', 'AfterTrafficHooks'],
  ['AfterTrafficHooks', 'SetAlarms'],
  ['SetAlarms', 'FinaliseListener'],
  ['SetAlarms', 'FinaliseRecords'],
  ['NextRouteToFinalise', 'Finish'],
  ['Finish', 'StartCleanup'],
  ['Finish', 'Succeeded'],
];

const TOUCHING = [
  'PrepareListener',
  'PrepareRecords',
  'SwapListener',
  'ShiftWeight',
  'FinaliseListener',
  'FinaliseRecords',
];

export const cutover: Fact[] = [
  {
    name: 'on every way each part of a cutover stands behind the part that it relies on',
    holds: (definition) => {
      for (const [by, before] of ORDER) always(definition, by, before);
    },
  },
  {
    name: 'on no way is anything said to be untouched once a route may have been touched, but by the journal',
    holds: (definition) => {
      for (const from of [...TOUCHING, 'QuiesceWriters', 'SetAlarms', 'Finish']) {
        const ways = reachable(definition, from, ['RollbackVerdict']);
        assert.ok(!ways.has('AnnounceNothingTouched'), from);
      }
    },
  },
  {
    name: 'on every way that fails once the run is claimed the rollback is started before it ends',
    holds: (definition) => {
      const ways = reachable(definition, 'AllowChanges', ['StartRollback']);
      const ends = [...ways].filter((name) => waysOf(definition.States[name]).length === 0);
      assert.deepEqual(ends, ['Succeeded']);
    },
  },
  {
    name: 'each step is held and monitored before the next one, and before it is called a success',
    holds: (definition) => {
      for (const step of ['SwapListener', 'ShiftWeight']) {
        const ways = reachable(definition, step, ['Monitor', 'StartRollback', 'NextStep']);
        assert.ok(!ways.has('Validate') && !ways.has('Succeeded'), step);
        assert.ok(ways.has('HoldWait'), step);
        assert.ok(reachable(definition, step, ['HoldWait', 'StartRollback', 'NextStep']).has('HoldWait'));
        assert.ok(!reachable(definition, step, ['HoldWait', 'StartRollback', 'NextStep']).has('Monitor'));
      }
    },
  },
];

export const rollback: Fact[] = [
  {
    name: 'on every way writers resume before routes are restored, and alarms and the ending come last',
    holds: (definition) => {
      for (const [by, before] of [
        ['TakeOverRun', 'ResumeWriters'],
        ['ResumeWriters', 'RestoreRoutes'],
        ['RestoreRoutes', 'WaitForLateWriters'],
        ['RestoreRoutes', 'RestoreAlarms'],
      ] as [string, string][]) {
        always(definition, by, before);
      }
      // After the wait both are done again, whatever fails.
      assert.ok(!reachable(definition, 'WaitForLateWriters', ['ResumeWriters']).has('RestoreRoutes'));
      assert.ok(!reachable(definition, 'WaitForLateWriters', ['RestoreRoutes']).has('WriteEnding'));
      assert.ok(!reachable(definition, 'ResumeWriters', ['RestoreRoutes']).has('WriteEnding'));
      assert.ok(!reachable(definition, 'RestoreRoutes', ['RestoreAlarms']).has('WriteEnding'));
    },
  },
];

export const cleanup: Fact[] = [
  {
    name: 'on every way a cleanup takes the run over before it removes anything, and closes last',
    holds: (definition) => {
      for (const [by, before] of [
        ['FindRun', 'BeginCleanup'],
        ['BeginCleanup', 'RemoveFromRoutes'],
        ['IsRunOurs', 'RemoveFromRoutes'],
        ['RemoveFromRoutes', 'RemoveDashboard'],
        ['RemoveDashboard', 'CloseRun'],
        ['CloseRun', 'Closed'],
      ] as [string, string][]) {
        always(definition, by, before);
      }
    },
  },
];
