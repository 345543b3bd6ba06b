/** Stacks for the tests: synthesized from stand-in binaries, so that no Rust is built. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after } from 'node:test';
import { App, CfnElement, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { OPEN } from '../lib/authority';
import { CutoverStack, type CutoverStackProps } from '../lib/cutover-stack';
import { CRATES } from '../lib/names';

export const INFRA = resolve(__dirname, '..');
export const ROOT = resolve(INFRA, '..');

/** A folder that is gone after the tests of this file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cutover-test-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Stand-ins for the functions' binaries, laid out as cargo-lambda does. */
export function standInBinaries(): string {
  const folder = temporaryFolder();
  for (const crate of CRATES) {
    mkdirSync(join(folder, crate));
    writeFileSync(join(folder, crate, 'bootstrap'), crate);
  }
  return folder;
}

// biome-ignore lint/suspicious/noExplicitAny: templates are read by path, and a wrong path fails the test.
export type Json = any;

export interface Synthesized {
  readonly stack: Stack;
  readonly template: Template;
  readonly resources: Record<string, { Type: string; Properties: Json; DeletionPolicy?: string }>;
  /** Where files were put. */
  readonly outdir: string;
}

export function synthesize(props: CutoverStackProps = {}): Synthesized {
  const outdir = temporaryFolder();
  const app = new App({ outdir, analyticsReporting: false });
  const stack = new CutoverStack(app, 'Cutover', {
    binaries: standInBinaries(),
    ...props,
    narrowing: { ...OPEN, ...props.narrowing },
  });
  const template = Template.fromStack(stack);
  return { stack, template, resources: template.toJSON().Resources, outdir };
}

/** The resource at a construct's path below the stack. */
export function resourceAt(synthesized: Synthesized, path: string): Json {
  return synthesized.resources[logicalIdAt(synthesized, path)]?.Properties;
}

/** How the template refers to it. */
export function logicalIdAt({ stack }: Synthesized, path: string): string {
  const found = stack.node.findAll().find((node) => node.node.path === `${stack.node.path}/${path}`);
  if (!(found instanceof CfnElement)) throw new Error(`there is no resource at ${path}`);
  return stack.resolve(found.logicalId);
}

/** The statements of the role at a path. */
export function statementsAt(synthesized: Synthesized, path: string): Json[] {
  const { Policies } = resourceAt(synthesized, `${path}/Resource`);
  return Policies.flatMap((policy: Json) => policy.PolicyDocument.Statement);
}

/** The actions of the role at a path, sorted. */
export function actionsAt(synthesized: Synthesized, path: string): string[] {
  return [...new Set(statementsAt(synthesized, path).flatMap((statement) => statement.Action as string))].sort();
}
