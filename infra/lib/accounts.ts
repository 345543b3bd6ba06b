/** The accounts beside the stack's own: which there are, by which role each is entered, and which functions enter them. */
import { ConfigurationError } from './configuration-error';
import type { Crate } from './names';

/** What the stack knows of another account. */
export interface MemberAccount {
  /** What the trust of the role there asks for; a text of one's own, of 16 characters or more. */
  readonly externalId: string;
  /** The role that is assumed there. Default: that of the stack `CutoverAccess`, `<prefix>cutover-access`. */
  readonly roleArn?: string;
}

/** By the accounts' ids. */
export type MemberAccounts = Record<string, MemberAccount>;

/** The functions that call what a plan names: routes, replications, alarms, and CloudWatch for them. */
export const ENTERING: readonly Crate[] = [
  'alarms',
  'baseline',
  'claim',
  'cleanup',
  'listener-swap',
  'monitor',
  'precheck',
  'replication-lag',
  'report',
  'rollback',
  'validate',
  'weight-shift',
];

export function isAccount(id: string): boolean {
  return /^[0-9]{12}$/.test(id);
}

/** As STS takes it, and long enough that nobody guesses it. */
export function isExternalId(text: unknown): boolean {
  return typeof text === 'string' && /^[\w+=,.@:/-]{16,1224}$/.test(text);
}

/** What the role of `CutoverAccess` is called. */
export function accessRoleName(prefix: string): string {
  return `${prefix}cutover-access`;
}

/** The ARNs of the roles, for the policies of those who assume them. */
export function memberRoleArns(accounts: MemberAccounts, partition: string, prefix: string): string[] {
  return Object.entries(accounts).map(([id, { roleArn }]) => roleArn ?? pattern(partition, prefix).replace('*', id));
}

/** What those functions are told. Accounts that are entered alike stand together, so that many fit into a function's environment. */
export function accountsEnvironment(accounts: MemberAccounts, partition: string, prefix: string): { ACCOUNTS: string } {
  const alike = new Map<string, { role_arn: string; external_id: string; accounts: string[] }>();
  for (const [id, { roleArn, externalId }] of Object.entries(accounts)) {
    refuse(id, externalId, roleArn);
    const role_arn = roleArn ?? pattern(partition, prefix);
    const key = JSON.stringify([role_arn, externalId]);
    const group = alike.get(key) ?? { role_arn, external_id: externalId, accounts: [] };
    group.accounts.push(id);
    alike.set(key, group);
  }
  return { ACCOUNTS: JSON.stringify([...alike.values()]) };
}

function pattern(partition: string, prefix: string): string {
  return `arn:${partition}:iam::*:role/${accessRoleName(prefix)}`;
}

function refuse(id: string, externalId: unknown, roleArn: unknown) {
  if (!isAccount(id))
    throw new ConfigurationError(`\`accounts\` should name accounts by their twelve digits, not ${id}.`);
  if (!isExternalId(externalId)) {
    throw new ConfigurationError(
      `\`accounts\`: ${id} needs an \`externalId\`, the text that its role asks for: 16 or more of letters, digits and +=,.@:/-_.`,
    );
  }
  const isItsRole = /^arn:[a-z-]+:iam::([0-9]{12}):role\/[\w+=,.@/-]+$/.exec(`${roleArn}`)?.[1] === id;
  if (roleArn !== undefined && !isItsRole) {
    throw new ConfigurationError(
      `\`accounts\`: the \`roleArn\` of ${id} should be a role of that account, such as arn:aws:iam::${id}:role/cutover-access, not ${roleArn}.`,
    );
  }
}
