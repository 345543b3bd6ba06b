/**
 * What lets a central stack into another account: one role, trusted by that stack's functions alone, with the permissions that these have for
 * routes in their own account. Deployed once in each account; nothing in the template is of one account, so a StackSet takes it as it is.
 */
import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { AccountPrincipal, PolicyDocument, PrincipalWithConditions, Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { accessRoleName, isAccount, isExternalId } from './accounts';
import { everyHook, type Narrowing, said } from './authority';
import { ConfigurationError } from './configuration-error';
import { memberPermissions } from './permissions';
import { explainWildcards, statement } from './role';

export interface CutoverAccessProps extends StackProps {
  /** The account of the central stack. */
  readonly centralAccount?: string;
  /** What whoever assumes the role must say: the `externalId` that the central stack has for this account. */
  readonly externalId?: string;
  /** The central stack's prefix. Default: none. */
  readonly prefix?: string;
  /** The roles of the central stack's functions, with `*` for what CloudFormation makes up. Default: those of the stack `<prefix>cutover`. */
  readonly centralRoleArns?: string[];
  /** What plans may change here, as the central stack has it: every list has to be said. */
  readonly narrowing?: Narrowing;
  /** The Cognito user pools that listeners here authenticate with. Default: none. */
  readonly userPoolArns?: string[];
  /** What alarms that plans set here may do, topics of their own region: ARNs and patterns. Default: nothing, and no alarm is set. */
  readonly alarmActions?: string[];
  /** The functions here that plans name as hooks, whose policies precheck reads. Default: none. */
  readonly hookFunctionArns?: string[];
}

export class CutoverAccess extends Stack {
  constructor(scope: Construct, id: string, props: CutoverAccessProps = {}) {
    const narrowing = said(props.narrowing);
    super(scope, id, {
      description: 'Lets Cutover, which is in another account, move the traffic of applications here',
      ...props,
    });
    const { centralAccount = '', externalId = '', prefix = '', userPoolArns = [], alarmActions = [] } = props;
    const hookFunctionArns = everyHook(props.hookFunctionArns ?? []);
    if (!isAccount(centralAccount)) {
      throw new ConfigurationError(
        '`centralAccount` should be the twelve digits of the account in which the stack `cutover` is.',
      );
    }
    if (!isExternalId(externalId)) {
      throw new ConfigurationError(
        '`externalId` should be the text that the central stack has for this account, of 16 characters or more.',
      );
    }
    const roles = props.centralRoleArns ?? [
      `arn:${this.partition}:iam::${centralAccount}:role/${prefix}cutover-Functions*`,
    ];
    const permissions = memberPermissions({ stack: this, narrowing, userPoolArns, alarmActions, hookFunctionArns });
    const made = new Role(this, 'Role', {
      roleName: accessRoleName(prefix),
      description: `Assumed by the functions of ${prefix}cutover in ${centralAccount}`,
      // Their roles are named by CloudFormation, so the account is the principal, and the condition says which of its roles.
      assumedBy: new PrincipalWithConditions(new AccountPrincipal(centralAccount), {
        StringEquals: { 'sts:ExternalId': externalId },
        ArnLike: { 'aws:PrincipalArn': roles },
      }),
      inlinePolicies: {
        permissions: new PolicyDocument({
          statements: permissions.filter(({ resources }) => resources.length > 0).map(statement),
        }),
      },
    });
    explainWildcards(made, permissions);
    new CfnOutput(this, 'RoleArn', { value: made.roleArn });
  }
}
