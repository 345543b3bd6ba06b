/** All that is known of how the machines behave. */
import { facts as cleanup, factsOfStart as start } from './cleanup-facts';
import { facts as shown } from './console-facts';
import { facts as choices } from './cutover-facts';
import { facts as failures } from './cutover-failures';
import { facts as whole } from './cutover-whole';
import type { Fact } from './fact';
import { facts as rollback } from './rollback-facts';

export const FACTS: Readonly<Record<string, Fact[]>> = {
  cutover: [...whole, ...shown, ...choices, ...failures],
  rollback: [...rollback, ...shown],
  cleanup: [...cleanup, ...shown],
  start,
};
