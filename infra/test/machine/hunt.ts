/** Looks for the fact that a mutant breaks. */
import type { Definition } from '../../lib/definitions';
import type { Fact } from './fact';
import type { Mutant } from './mutants';

export interface Found extends Omit<Mutant, 'definition'> {
  /** The name of the first fact that is broken; none if the mutant survives. */
  readonly caughtBy?: string;
}

export async function hunt(mutants: Mutant[], facts: Fact[]): Promise<Found[]> {
  const found: Found[] = [];
  for (const { definition, ...mutant } of mutants) {
    const caughtBy = await broken(definition, facts);
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
