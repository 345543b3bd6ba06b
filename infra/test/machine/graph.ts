/** The states of a machine and the ways between them. */
import type { Definition } from '../../lib/definitions';

/** Every state of a machine, those inside of Maps too. */
export function statesOf(machine: Definition): [string, Definition][] {
  return Object.entries<Definition>(machine.States).flatMap(([name, state]) => [
    [name, state] as [string, Definition],
    ...(state.ItemProcessor ? statesOf(state.ItemProcessor) : []),
  ]);
}

/** Where a state may lead to: what comes next, by which rule ever, and after what is caught. */
export function waysOf(state: Definition, isCatching = true): string[] {
  const ways = [state, ...(state.Choices ?? []), ...(isCatching ? (state.Catch ?? []) : [])];
  return [...new Set<string>(ways.flatMap(({ Next, Default }: Definition) => [Next, Default]).filter(Boolean))];
}

/** What can be reached without passing one of some states; these are not left. */
export function reachable(machine: Definition, from: string, without: string[] = [], isCatching = true): Set<string> {
  const [seen, open] = [new Set<string>(), [from]];
  for (let name = open.pop(); name; name = open.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    if (!without.includes(name)) open.push(...waysOf(machine.States[name], isCatching));
  }
  return seen;
}
