/** All that is known of how the machines behave. */
import { facts as calls } from './call-facts';
import { facts as caught } from './caught-facts';
import { facts as cleanup, factsOfStart as start } from './cleanup-facts';
import { facts as shown } from './console-facts';
import { facts as choices } from './cutover-facts';
import { facts as failures } from './cutover-failures';
import { facts as whole } from './cutover-whole';
import type { Fact } from './fact';
import { facts as incident } from './incident-facts';
import { facts as load } from './load-facts';
import * as paths from './path-facts';
import { facts as people } from './people-facts';
import { facts as program } from './program-facts';
import { facts as retries } from './retry-facts';
import { facts as endings } from './rollback-endings';
import { facts as rollback } from './rollback-facts';
import { facts as timeline } from './timeline-facts';
import { facts as variables } from './variable-facts';
import { facts as wave } from './wave-facts';

/** What holds of every machine. */
const ALL = [...variables, ...calls, ...caught, ...retries];

/** Of each machine, what is soon seen first: a mutant is looked at until one fact is broken. */
export const FACTS: Readonly<Record<string, Fact[]>> = {
  cutover: [...paths.cutover, ...whole, ...ALL, ...choices, ...load, ...people, ...failures, ...shown],
  rollback: [...paths.rollback, ...ALL, ...rollback, ...endings, ...shown],
  cleanup: [...paths.cleanup, ...ALL, ...cleanup, ...shown],
  start: [...ALL, ...start],
  incident: [...ALL, ...incident, ...shown],
  program: [...ALL, ...program, ...shown],
  timeline: [...ALL, ...timeline, ...shown],
  wave: [...ALL, ...wave, ...shown],
};
