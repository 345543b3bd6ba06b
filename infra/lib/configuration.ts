/** The app's configuration: context values (`cdk.json`, `-c name=value`) become the stack's props. */
import type { Node } from 'constructs';
import { NARROWING } from './authority';
import { ConfigurationError } from './configuration-error';
import type { CutoverAccessProps } from './cutover-access';
import type { CutoverStackProps } from './cutover-stack';
import { refuseMisspelt } from './spelling';

/** The names of all context values: those of the props that configure the stack. */
export const CONTEXT = {
  text: [
    'prefix',
    'tableName',
    'architecture',
    'binaries',
    'mailFrom',
    'mailConfigurationSet',
    'statusTimeZone',
    'answersUrl',
    'answersIdentityHeader',
    'approvalTopicArn',
    'locksTable',
    'dataKeyArn',
  ],
  list: [
    'alarmActions',
    'loadTestHosts',
    'probeNetworks',
    'loadTestSecretArns',
    'topicArns',
    'topicKeyArns',
    'userPoolArns',
    'emails',
    'mailTo',
    'webhookSecretArns',
  ],
  number: ['maxLoadRatePerSecond', 'route53RequestsPerSecond', 'statusInterval', 'recoveryObjective', 'approvalFrom'],
  boolean: ['retainJournal', 'retainLogs', 'answers'],
  json: [
    ...[
      'schedules',
      'accounts',
      'probeVpc',
      'stakeholders',
      'branding',
      'messageTemplates',
      'incidents',
      'approvalTags',
    ],
  ],
  narrowing: NARROWING,
} as const;

/** Those of the stack `CutoverAccess` beside. */
const OF_ACCESS = {
  text: ['centralAccount', 'externalId', 'prefix'],
  list: ['alarmActions', 'centralRoleArns', 'userPoolArns'],
} as const;

/** All of both stacks: one `cdk.json` may hold both. */
const KNOWN: readonly string[] = [
  ...Object.values(CONTEXT).flat(),
  ...Object.values(OF_ACCESS).flat(),
  'hookFunctionArns',
];

export function propsFromContext(node: Node): CutoverStackProps {
  refuseMisspelt(Object.keys(node.getAllContext()), KNOWN);
  return {
    ...given(CONTEXT.text, (name) => node.tryGetContext(name)),
    ...given(CONTEXT.list, (name) => list(node, name)),
    ...given(['hookFunctionArns'], (name) => hooks(node, name)),
    ...given(CONTEXT.boolean, (name) => boolean(node, name)),
    ...given(CONTEXT.number, (name) => number(node, name)),
    ...given(CONTEXT.json, (name) => json(node, name)),
    narrowing: given(CONTEXT.narrowing, (name) => list(node, name)),
  };
}

/** Those of the stack `CutoverAccess`. Lists and prefix are the central stack's, so one `cdk.json` may hold both. */
export function accessPropsFromContext(node: Node): CutoverAccessProps {
  refuseMisspelt(Object.keys(node.getAllContext()), KNOWN);
  return {
    ...given(OF_ACCESS.text, (name) => node.tryGetContext(name)),
    ...given(OF_ACCESS.list, (name) => list(node, name)),
    ...given(['hookFunctionArns'], (name) => hookArns(node, name)),
    narrowing: given(CONTEXT.narrowing, (name) => list(node, name)),
  };
}

/** What is there of these, by their names. */
function given(names: readonly string[], read: (name: string) => unknown): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, read(name)]).filter(([, value]) => value !== undefined));
}

/** A list in `cdk.json`, or on the command line with commas in between; an empty text is an empty list. */
function list(node: Node, name: string): string[] | undefined {
  const value: unknown = node.tryGetContext(name);
  if (value === undefined) return undefined;
  if (typeof value === 'string') return value === '' ? [] : value.split(',').map((item) => item.trim());
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw new ConfigurationError(`The context value \`${name}\` should be a list of texts.`);
}

/** All of them, whichever application they are of. */
function hookArns(node: Node, name: string): string[] | undefined {
  const given = hooks(node, name);
  return given && [...new Set(Object.values(given).flat())];
}

/** A list for all applications, or an object of application to list. */
function hooks(node: Node, name: string): string[] | Record<string, string[]> | undefined {
  const value: unknown = node.tryGetContext(name);
  const given: unknown = typeof value === 'string' && value.startsWith('{') ? json(node, name) : value;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return list(node, name);
  const isList = (item: unknown) => Array.isArray(item) && item.every((arn) => typeof arn === 'string');
  if (Object.values(given).every(isList)) return given as Record<string, string[]>;
  throw new ConfigurationError(
    `The context value \`${name}\` should be a list of ARNs, or an object of application to such a list.`,
  );
}

function boolean(node: Node, name: string): boolean | undefined {
  const value: unknown = node.tryGetContext(name);
  if (value === undefined) return undefined;
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw new ConfigurationError(`The context value \`${name}\` should be true or false.`);
}

function number(node: Node, name: string): number | undefined {
  const value: unknown = node.tryGetContext(name);
  if (value === undefined) return undefined;
  if (/^[0-9]{1,9}$/.test(`${value}`)) return Number(value);
  throw new ConfigurationError(`The context value \`${name}\` should be a whole number.`);
}

function json(node: Node, name: string): unknown {
  const value: unknown = node.tryGetContext(name);
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    throw new ConfigurationError(`The context value \`${name}\` is not JSON.`);
  }
}
