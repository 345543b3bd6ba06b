/** Looks for the fact that a mutant breaks. */
import type { Definition } from '../../lib/definitions';
import type { Fact } from './fact';
import { type Mutant, mutantsOf } from './mutants';

export interface Found extends Mutant {
  /** The name of the first fact that is broken; none if the mutant survives. */
  readonly caughtBy?: string;
}

export async function hunt(definition: Definition, facts: Fact[]): Promise<Found[]> {
  const found: Found[] = [];
  for (const mutant of mutantsOf(definition)) {
    const caughtBy = await broken(mutant.definition, facts);
    found.push({ ...mutant, ...(caughtBy && { caughtBy }) });
  }
  return found;
}

async function broken(definition: Definition, facts: Fact[]): Promise<string | undefined> {
  for (const { name, holds } of facts) {
    try {
      await holds(definition);
    } catch {
      return name;
    }
  }
  return undefined;
}
