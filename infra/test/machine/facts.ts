/** All that is known of how the machines behave. */
import { facts as cleanup, factsOfStart as start } from './cleanup-facts';
import { facts as shown } from './console-facts';
import { facts as choices } from './cutover-facts';
import { facts as failures } from './cutover-failures';
import { facts as whole } from './cutover-whole';
import type { Fact } from './fact';
import { facts as incident } from './incident-facts';
import { facts as load } from './load-facts';
import * as paths from './path-facts';
import { facts as retries } from './retry-facts';
import { facts as rollback } from './rollback-facts';

export const FACTS: Readonly<Record<string, Fact[]>> = {
  cutover: [...paths.cutover, ...retries, ...shown, ...whole, ...choices, ...load, ...failures],
  rollback: [...paths.rollback, ...retries, ...shown, ...rollback],
  cleanup: [...paths.cleanup, ...retries, ...shown, ...cleanup],
  start: [...retries, ...start],
  incident: [...retries, ...shown, ...incident],
};
