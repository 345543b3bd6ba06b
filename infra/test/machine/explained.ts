/** Mutants that change nothing, or nothing that a walk can see, and why. */
import type { Found } from './hunt';

interface Explained {
  readonly state: RegExp;
  readonly what: RegExp;
  readonly why: string;
}

const EXPLAINED: Explained[] = [
  {
    state: /^(Start|FindRun|RouteToCleanUp|RouteToRestore)$/,
    what: /^(without )?Assign\.(precheck|plan|steps|step|reply|moved|holdWait|polls|alarms|ending|isReadyForTraffic|removals|changed)\b/,
    why: 'a first value that is overwritten before it decides anything, or another word for the same (null for {} or false)',
  },
  {
    state: /./,
    what: /^rule \d before rule \d$/,
    why: 'the conditions of the two rules are never true at once',
  },
  {
    state: /^MustWritersStop$/,
    what: /true %}|Default/,
    why: 'going through a list of no hooks does nothing',
  },
  {
    state: /^ReplicationVerdict$/,
    what: /Assign\.(elapsed|tally)/,
    why: 'counted from nothing again by whatever counts next (SettleVerdict, MustReplicationDrain)',
  },
  { state: /^MonitorVerdict$/, what: /moved: null/, why: 'null and {} say the same: nothing has moved' },
  { state: /^SetAlarms$/, what: /= (2|29) \?/, why: 'without alarms [0..-1] is a list of nothing too' },
  { state: /^IsFirstPass$/, what: /pass: 17/, why: 'any pass but the first is the last' },
  { state: /^RestoreRoute$/, what: /^Items/, why: 'a list of one item, reversed, or its first' },
  {
    state: /^Start/,
    what: /^Retry\.0\.IntervalSeconds/,
    why: 'an execution that exists is not asked for again at all',
  },
  { state: /^ReportWhatIsLeft$/, what: /Assign\.notes/, why: 'after a report there is no ending that tells the notes' },
  {
    state: /^(FindRun|WatchRoutes|TellChange|AnnounceClose|AnnounceRelease)$/,
    what: /Assign\.notes/,
    why: 'a cleanup tells its notes to nobody but the console',
  },
];

/** Why a survivor is none to worry about. */
export function whySurvives({ state, what }: Found): string | undefined {
  return EXPLAINED.find((one) => one.state.test(state) && one.what.test(what))?.why;
}
