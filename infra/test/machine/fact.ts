/** A fact about a definition: how it behaves, whatever its functions may answer. Mutants have to break one. */
import assert from 'node:assert/strict';
import type { Definition } from '../../lib/definitions';
import type { Walk } from './walk';

export interface Fact {
  readonly name: string;
  /** Rejects, or throws, if the definition is otherwise. */
  readonly holds: (definition: Definition) => Promise<void> | void;
}

/** A walk went as written here, line by line. */
export function went(walk: Walk, expected: string): void {
  const lines = expected.trim().split('\n');
  assert.deepEqual(
    walk.lines,
    lines.map((line) => line.trim()),
  );
}

/** The names of the states that called, waited or ended, in order. */
export function visited({ lines }: Walk): string[] {
  return lines.map((line) => line.split(' ')[0] ?? '');
}

/** What stands behind a line, in its place; fails if it is not there. */
export function linesAfter({ lines }: Walk, state: string): string[] {
  const index = lines.findIndex((line) => `${line} `.startsWith(`${state} `));
  assert.notEqual(index, -1, `${state} was never reached`);
  return lines.slice(index + 1);
}
