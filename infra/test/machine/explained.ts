/** Mutants that change nothing, or nothing that a walk can see, and why. */
import type { Found } from './hunt';

interface Explained {
  readonly state: RegExp;
  readonly what: RegExp;
  readonly why: string;
}

const EXPLAINED: Explained[] = [
  {
    state: /^(Start|RouteToRestore|FindRun)$/,
    what: /^Assign\.(isReadyForTraffic|changed|trouble_told): null$/,
    why: 'null and false, or nothing, say the same: not yet',
  },
  {
    state: /^(NextRouteToPrepare|NextStep|NextRouteToFinalise)$/,
    what: /^rule 1 before rule 0$/,
    why: 'behind the last one there is none of which the other rule could be true',
  },
  {
    state: /^(PrecheckVerdict|RollbackVerdict|WhyNothingTouched|WhichEnding)$/,
    what: /^rule 1 before rule 0$/,
    why: 'one thing cannot have two of the names, and what is not settled has no ending yet',
  },
  {
    state: /^(RollbackVerdict|WhyNothingTouched|WhichEnding)$/,
    what: /^rule 2 before rule 1$/,
    why: 'one thing cannot have two of the names',
  },
  { state: /^WhyNothingTouched$/, what: /^rule 3 before rule 2$/, why: 'one thing cannot have two of the names' },
  { state: /^RollbackVerdict$/, what: /^rule 4 before rule 3$/, why: 'a run is not in two phases at once' },
  {
    state: /^MustWritersStop$/,
    what: /^Choices\.0\.Condition: "{% true %}"$|^Default: "QuiesceWriters"$/,
    why: 'going through a list of no hooks does nothing',
  },
  { state: /^SetAlarms$/, what: /= 29 \?/, why: 'without alarms [0..-1] is a list of nothing too' },
  {
    state: /^SendLoad$/,
    what: /^MaxConcurrency: 0$/,
    why: 'of a Map within an execution Step Functions runs 40 items at once at the most, said or not',
  },
  { state: /^IsFirstPass$/, what: /pass: 17/, why: 'any pass but the first is the last' },
  { state: /^RestoreRoute$/, what: /^Items/, why: 'a list of one item, reversed, or its first' },
];

/** Why a survivor is none to worry about. */
export function whySurvives({ state, what }: Found): string | undefined {
  return EXPLAINED.find((one) => one.state.test(state) && one.what.test(what))?.why;
}
