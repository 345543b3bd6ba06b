/**
 * What plans of this stack may name: where its owner has to say so, and what the functions are told of it.
 *
 * IAM holds what a role may change; where users may be sent, and by whose hooks, AWS knows no condition for: the functions refuse that. Both are
 * made from the same lists here.
 */
import { ConfigurationError } from './configuration-error';
import { refuseNoTopic } from './spelling';

/** What the owner of a stack has to say, each as a list: `[]` for none, `["*"]` for all there are. There is no default. */
export interface Narrowing {
  /** ARNs of the listeners whose default action may change. */
  readonly listeners?: string[];
  /** ARNs of the listener rules that may change. */
  readonly rules?: string[];
  /** ARNs of the old target groups that cleanup may delete. */
  readonly targetGroups?: string[];
  /** Ids of the hosted zones whose records may change. */
  readonly hostedZones?: string[];
  /** The names whose records may change, in any spelling: case, final dot and escapes are normalised. */
  readonly recordNames?: string[];
  /** Names of the alarms that may be set and put back; a `*` within a name is a pattern. */
  readonly alarmNames?: string[];
  /** ARNs of the target groups that users may be sent to; `*` and `?` within one are patterns. */
  readonly newTargetGroups?: string[];
  /** The values that records may get: addresses, networks (`10.0.0.0/8`), names; `*` and `?` are patterns. */
  readonly recordValues?: string[];
  /** The names that aliases may lead to; `*` and `?` are patterns. */
  readonly aliasTargets?: string[];
}

/** The names of these lists. */
export const NARROWING = [
  'listeners',
  'rules',
  'targetGroups',
  'hostedZones',
  'recordNames',
  'alarmNames',
  'newTargetGroups',
  'recordValues',
  'aliasTargets',
] as const satisfies readonly (keyof Narrowing)[];

/** Everything, said aloud: for a try, and for tests. */
export const OPEN: Required<Narrowing> = {
  listeners: ['*'],
  rules: ['*'],
  targetGroups: ['*'],
  hostedZones: ['*'],
  recordNames: ['*'],
  alarmNames: ['*'],
  newTargetGroups: ['*'],
  recordValues: ['*'],
  aliasTargets: ['*'],
};

export interface AuthorityProps {
  /** The topic of those who have to agree before anything moves; plans cannot choose another, nor none. Default: plans ask whom they like, or nobody. */
  readonly approvalTopicArn?: string;
  /** From how many applications on that move together they are asked; a single cutover is one. Default: 1; with `approvalTags`, the number alone asks nobody. */
  readonly approvalFrom?: number;
  /** However few move, where what moves has one of these tags: values by key, `*` for any. */
  readonly approvalTags?: Record<string, string>;
}

/** What `precheck`, `claim`, `tell` and `wave` are told of it. */
export function approvalEnvironment(props: AuthorityProps): { APPROVAL: string } {
  const { approvalTopicArn, approvalFrom, approvalTags } = props;
  if (approvalTopicArn === undefined) {
    for (const name of ['approvalFrom', 'approvalTags'] as const) {
      if (props[name] !== undefined) {
        throw new ConfigurationError(`\`${name}\` is for \`approvalTopicArn\`: name the topic, or take it out.`);
      }
    }
    return { APPROVAL: 'null' };
  }
  refuseNoTopic('approvalTopicArn', approvalTopicArn);
  const from = approvalFrom ?? (approvalTags ? null : 1);
  if (from !== null && (!Number.isInteger(from) || from < 1)) {
    throw new ConfigurationError(`\`approvalFrom\` should be a number of applications, 1 or more, not ${from}.`);
  }
  if (approvalTags !== undefined && !isTags(approvalTags)) {
    throw new ConfigurationError(
      '`approvalTags` should be an object of tag to value, such as {"criticality": "high"}; `*` is any value.',
    );
  }
  return { APPROVAL: JSON.stringify({ topic_arn: approvalTopicArn, from, tags: approvalTags }) };
}

function isTags(tags: unknown): boolean {
  const isObject = typeof tags === 'object' && tags !== null && !Array.isArray(tags);
  return isObject && Object.values(tags).every((value) => typeof value === 'string');
}

/** The functions that plans may name: for all applications, or for each; `*` among these is every application. */
export type HookFunctions = string[] | Record<string, string[]>;

/** Whether a list says that all there are is meant. */
export function isOpen(list: readonly string[]): boolean {
  return list.includes('*');
}

/** Refuses a stack that would be open because somebody has forgotten to say what is meant. */
export function said(narrowing: Narrowing = {}): Required<Narrowing> {
  const missing = NARROWING.filter((name) => narrowing[name] === undefined);
  if (missing.length > 0) {
    const lines = missing.map((name) => `"${name}": ["*"]`).join(', ');
    throw new ConfigurationError(
      `The configuration does not say what plans of this stack may touch, and where they may send users. Write into the context what its team has, ` +
        `[] for none, or ["*"] for all there are: ${lines}. infra/README.md says what each is.`,
    );
  }
  return narrowing as Required<Narrowing>;
}

/** By application, as `precheck` reads it. */
export function hooksByApplication(hooks: HookFunctions): Record<string, string[]> {
  return Array.isArray(hooks) ? { '*': hooks } : hooks;
}

/** All of them, as the machines' roles name them: each by its ARN, since plans may name those alone that are listed as they write them. */
export function everyHook(hooks: HookFunctions): string[] {
  const arns = [...new Set(Object.values(hooksByApplication(hooks)).flat())];
  const pattern = arns.find((arn) => /[*?]/.test(arn));
  if (pattern !== undefined) {
    throw new ConfigurationError(
      `\`hookFunctionArns\` should list each function by its ARN, as plans write it, and not ${pattern}: the machines may invoke no others.`,
    );
  }
  return arns;
}

/** The lists that IAM holds, by the variables by which precheck is told of them: of what it would refuse, people hear before they agree. */
const TOLD_BEFORE = {
  LISTENERS: 'listeners',
  RULES: 'rules',
  RECORD_NAMES: 'recordNames',
  TARGET_GROUPS: 'targetGroups',
} as const satisfies Record<string, keyof Narrowing>;

/**
 * What precheck is told of these, in so many bytes: what it has no room for, the longest first, it takes for open. IAM holds all of them anyway, and has more
 * room for them than an environment; so a stack is not refused for it, and hears of it as `untold`.
 */
export function routesEnvironment(narrowing: Required<Narrowing>, room: number) {
  const variables: Record<string, string> = {};
  for (const [name, list] of Object.entries(TOLD_BEFORE)) variables[name] = JSON.stringify(narrowing[list]);
  const size = () => Object.entries(variables).reduce((sum, entry) => sum + Buffer.byteLength(entry.join('')), 0);
  const untold: string[] = [];
  const open = JSON.stringify(['*']);
  while (size() > room) {
    const [longest] = Object.entries(variables).sort(([, one], [, other]) => other.length - one.length);
    if (!longest || longest[1].length <= open.length) break;
    variables[longest[0]] = open;
    untold.push(TOLD_BEFORE[longest[0] as keyof typeof TOLD_BEFORE]);
  }
  return { variables, untold };
}

/** What the functions that observe, set alarms, send users elsewhere, or tell people find in their environments. */
export function authorityEnvironment(
  narrowing: Required<Narrowing>,
  { alarmActions, ownAlarms, topicArns }: { alarmActions: string[]; ownAlarms: string; topicArns: string[] },
) {
  const text = (list: readonly string[]) => JSON.stringify(list);
  return {
    alarms: {
      ALARM_NAMES: text(narrowing.alarmNames),
      ALARM_ACTIONS: text(alarmActions),
      OWN_ALARM_NAMES: text([ownAlarms]),
    },
    destinations: {
      NEW_TARGET_GROUP_ARNS: text(narrowing.newTargetGroups),
      RECORD_VALUES: text(narrowing.recordValues),
      ALIAS_TARGETS: text(narrowing.aliasTargets),
    },
    // What of a load test's hosts is a side's own.
    sides: {
      RECORD_NAMES: text(narrowing.recordNames),
      RECORD_VALUES: text(narrowing.recordValues),
      ALIAS_TARGETS: text(narrowing.aliasTargets),
    },
    topics: { TOPIC_ARNS: text(topicArns) },
  };
}
