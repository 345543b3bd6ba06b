/**
 * The definitions as JSON, for whoever has no CDK app: the rehearsal, tests, Workflow Studio.
 *
 *     node --import tsx bin/definitions.ts render <folder of definitions> <folder for the JSON>
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { machinesIn, rendered } from '../lib/definitions';

const [command, from, to] = process.argv.slice(2);
try {
  if (command !== 'render' || !from || !to) throw new Error('usage: definitions.ts render <from> <to>');
  mkdirSync(to, { recursive: true });
  for (const machine of machinesIn(from)) writeFileSync(join(to, `${machine}.asl.json`), rendered(machine, from));
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  process.exit(1);
}
