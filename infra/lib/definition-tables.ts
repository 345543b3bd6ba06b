/**
 * The tables of `statemachine/README.md`, made from the definitions: what a state does, what undoes it, how often it is
 * tried again, and where its failures lead.
 */
import { type Definition, written } from './definitions';

/** What stands between two such lines of a document is made, not written. */
const MADE = /^(<!-- made from (\S+)\.asl\.yaml -->)$.*?^(<!-- made -->)$/gms;

/** The document with its tables made anew from the definitions of a folder. */
export function withTables(document: string, folder: string): string {
  return document.replace(MADE, (_, begin: string, machine: string, end: string) =>
    [begin, table(written(machine, folder)), end].join('\n\n'),
  );
}

/** The machines that a document has a table of. */
export function machinesShown(document: string): string[] {
  return [...document.matchAll(MADE)].map((match) => match[2] ?? '');
}

function table(definition: Definition): string {
  return [
    definition.Comment,
    '',
    '| state | type | does | undone by | retried | caught to |',
    '|---|---|---|---|---|---|',
    ...states(definition).map(([name, state]) => row(name, state)),
  ].join('\n');
}

/** Every state in the order of the run, those inside of Maps after the Map. */
function states(definition: Definition): [string, Definition][] {
  return Object.entries<Definition>(definition.States).flatMap(([name, state]) => [
    [name, state] as [string, Definition],
    ...(state.ItemProcessor ? states(state.ItemProcessor) : []),
  ]);
}

function row(name: string, state: Definition): string {
  const attempts = (state.Retry ?? []).map((retry: Definition) => retry.MaxAttempts);
  const retried = attempts.length > 0 ? `${Math.max(...attempts)} times` : '-';
  const caught = [...new Set((state.Catch ?? []).map((catcher: Definition) => catcher.Next))].join(', ') || '-';
  const cells = [name, state.Type, state.Comment, state['x-undone-by'] ?? '-', retried, caught];
  return `| ${cells.join(' | ')} |`;
}
