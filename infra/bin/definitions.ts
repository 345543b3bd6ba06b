/**
 * The definitions, for whoever has no CDK app.
 *
 *     node --import tsx bin/definitions.ts render <from> <to>     writes a folder's definitions as JSON into another
 *     node --import tsx bin/definitions.ts tables <from>          writes the tables of its README.md anew
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withTables } from '../lib/definition-tables';
import { machinesIn, rendered } from '../lib/definitions';

const [command, from, to] = process.argv.slice(2);
try {
  if (command === 'render' && from && to) {
    mkdirSync(to, { recursive: true });
    for (const machine of machinesIn(from)) writeFileSync(join(to, `${machine}.asl.json`), rendered(machine, from));
  } else if (command === 'tables' && from) {
    const document = join(from, 'README.md');
    writeFileSync(document, withTables(readFileSync(document, 'utf8'), from));
  } else {
    throw new Error('usage: definitions.ts render <from> <to> | tables <from>');
  }
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  process.exit(1);
}
