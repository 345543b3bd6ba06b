/**
 * The state machines' definitions: written in YAML, rendered to the JSON that is deployed, tested and rehearsed.
 *
 * A folder of definitions holds `<machine>.asl.yaml` files, and `shared.yaml`, which is read before each of them so that
 * its anchors are known there. Rendering resolves anchors and merge keys and drops every key that begins with `x-`;
 * nothing else. What YAML would let pass silently is refused: a key that stands twice, an anchor that is set twice or
 * not at all.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LineCounter, parseDocument, visit } from 'yaml';

/** Where the definitions of this checkout lie. */
export const DEFINITIONS = resolve(__dirname, '../../statemachine');

// biome-ignore lint/suspicious/noExplicitAny: a definition is JSON, checked by asl-validator and read by path.
export type Definition = any;

const SHARED = 'shared.yaml';
const EXTENSION = '.asl.yaml';

/** The machines that a folder defines. */
export function machinesIn(folder: string): string[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(EXTENSION));
  return files.map((file) => file.slice(0, -EXTENSION.length)).sort();
}

/** The JSON text of a machine's definition. */
export function rendered(machine: string, folder = DEFINITIONS): string {
  return `${JSON.stringify(deployed(written(machine, folder)), null, 2)}\n`;
}

/** A machine's definition with its `x-` keys, which tell readers what Step Functions need not know. */
export function written(machine: string, folder = DEFINITIONS): Definition {
  const [shared = '', own = ''] = [SHARED, machine + EXTENSION].map((file) => readFileSync(join(folder, file), 'utf8'));
  return parsed(shared, own, machine + EXTENSION);
}

/** The texts as one document. Errors name the file and the line. */
export function parsed(shared: string, own: string, file: string): Definition {
  const sharedText = shared.endsWith('\n') ? shared : `${shared}\n`;
  const lines = new LineCounter();
  const document = parseDocument(sharedText + own, { merge: true, lineCounter: lines, prettyErrors: false });
  const place = (offset: number) => {
    const { line } = lines.linePos(offset);
    const linesOfShared = sharedText.split('\n').length - 1;
    return line > linesOfShared ? `${file}:${line - linesOfShared}` : `${SHARED}:${line}`;
  };
  const refuse = (offset: number, problem: string) => {
    throw new Error(`${place(offset)}: ${problem}`);
  };
  for (const problem of [...document.errors, ...document.warnings]) refuse(problem.pos[0], problem.message);
  const anchors = new Set<string>();
  visit(document, {
    Alias: (_, { source, range }) => {
      if (!anchors.has(source)) refuse(range?.[0] ?? 0, `the anchor &${source} is not set before here`);
    },
    Node: (_, { anchor, range }) => {
      if (!anchor) return;
      if (anchors.has(anchor)) refuse(range?.[0] ?? 0, `the anchor &${anchor} is set twice`);
      anchors.add(anchor);
    },
  });
  return document.toJS({ maxAliasCount: -1 });
}

/** Without what is dropped; a state opens with what it is and is for, as a person will read it in the console. */
function deployed(value: Definition): Definition {
  if (Array.isArray(value)) return value.map(deployed);
  if (value === null || typeof value !== 'object') return value;
  const { Type, Comment, ...others } = value;
  const ordered = { ...(Type && { Type }), ...(Comment && { Comment }), ...others };
  const kept = Object.entries(ordered).filter(([key]) => !key.startsWith('x-'));
  return Object.fromEntries(kept.map(([key, item]) => [key, deployed(item)]));
}
