/** What the functions of a cleanup are made to say: every loop goes round once, each wait is of another length. */
import type { Definition } from '../../lib/definitions';
import { type Script, type Walk, walk } from './walk';

export const RUN = {
  ...{ run_id: 'RUN', application: 'shop', topic_arn: 'everybody', nothing_to_do: null, released: false },
  ...{ wait_seconds: 100, look_seconds: 40, last_route: 1, last_step: 2, rolls_back: true },
  routes: [
    { route: 0, leaves: 'the old group' },
    { route: 1, leaves: 'the checks of the name' },
  ],
};

export const SCRIPT: Script = {
  FindRun: [RUN],
  WatchRoutes: [
    { is_ours: true, is_news: false, told: 'TOLD-1', elsewhere: [] },
    { is_ours: true, is_news: true, told: 'TOLD-2', elsewhere: 'ELSEWHERE' },
    { is_ours: true, is_news: false, told: 'TOLD-3', elsewhere: [] },
  ],
  WatchHealth: [
    { verdict: 'healthy', tally: 'LOOKS-1' },
    { verdict: 'unhealthy', tally: 'LOOKS-2' },
    { verdict: 'healthy', tally: 'LOOKS-3' },
  ],
  BeginCleanup: [{ begun: true }],
  RemoveFromRoute: [
    { settled: false, wait_seconds: 7, releasing: 1 },
    { settled: true, wait_seconds: 0, releasing: 2, removed: ['the old group'] },
    { settled: true, wait_seconds: 0, releasing: 0, removed: ['the checks'] },
  ],
  StartRollback: [{ ExecutionArn: 'ROLLBACK' }],
  RemoveDashboard: [{ name: 'D', url: 'DASHBOARD', warnings: [] }],
  CloseRun: [{ ending: 'Closed' }],
};

export function cleanup(definition: Definition, script: Script = {}): Promise<Walk> {
  return walk(definition, { run_id: 'RUN' }, { ...SCRIPT, ...script });
}
