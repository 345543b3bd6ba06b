/**
 * Synthesizes the app as often as it is asked to, since most of the time goes into loading the CDK. What `cdk synth` makes of
 * the same context is the same: `tests/tests/suite/suites.rs` compares.
 *
 * A line of standard input is `{"outdir": folder, "context": {name: value}}`; each is answered by a line: `null`, or the error.
 */
import { createInterface } from 'node:readline';
import { cutoverApp } from '../lib/app';

/** What the `cdk` command adds to the context. */
const OF_THE_COMMAND = { 'aws:cdk:enable-path-metadata': true, 'aws:cdk:enable-asset-metadata': true };

async function main(): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(problem(line))}\n`);
  }
}

function problem(line: string): string | null {
  const { outdir, context } = JSON.parse(line);
  try {
    cutoverApp({ outdir, context: { ...OF_THE_COMMAND, ...context } }).synth();
    return null;
  } catch (error) {
    return String(error);
  }
}

main();
