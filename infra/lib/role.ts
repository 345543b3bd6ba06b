/** Roles with exactly the permissions of `permissions.ts`. Every `*` is acknowledged to cdk-nag with the reason given there. */
import { Stack, Validations } from 'aws-cdk-lib';
import { Effect, type IRole, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { Permission } from './permissions';

/** A role of its own for one thing. What constructs would add to it later is left out. */
export function role(scope: Construct, id: string, service: string, permissions: readonly Permission[]): IRole {
  // Lambda sends no source account when it assumes a role.
  const conditions = service === 'lambda' ? {} : { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } };
  const made = new Role(scope, id, {
    assumedBy: new ServicePrincipal(`${service}.amazonaws.com`, { conditions }),
    inlinePolicies: { permissions: new PolicyDocument({ statements: permissions.filter(isAny).map(statement) }) },
  });
  explainWildcards(made, permissions);
  return made.withoutPolicyUpdates();
}

function isAny({ resources }: Permission): boolean {
  return resources.length > 0;
}

/** One statement, as IAM has it. */
export function statement({ actions, resources, conditions, denies }: Permission): PolicyStatement {
  const base = { effect: denies ? Effect.DENY : Effect.ALLOW, actions: [...actions].sort(), resources: [...resources] };
  return new PolicyStatement(conditions ? { ...base, conditions } : base);
}

/** Tells cdk-nag why resources are as wide as they are. */
export function explainWildcards(made: Role, permissions: readonly Permission[]) {
  const reasons = new Map<string, string[]>();
  for (const { actions, resources, why } of permissions.filter(({ denies }) => !denies)) {
    for (const resource of resources.map((resource) => flat(Stack.of(made).resolve(resource)))) {
      if (!resource.includes('*')) continue;
      if (!why) throw new Error(`${actions.join(', ')} on ${resource} does not say why it is that wide.`);
      reasons.set(resource, [...(reasons.get(resource) ?? []), `${actions.join(', ')}: ${why}`]);
    }
  }
  for (const [resource, why] of reasons) {
    Validations.of(made).acknowledge({ id: `AwsSolutions-IAM5[Resource::${resource}]`, reason: why.join(' ') });
  }
}

/** An ARN as cdk-nag writes it, with `<Ref>` for what is known at deployment only. */
function flat(value: string | Record<string, unknown>): string {
  if (typeof value === 'string') return value;
  const [kind, of] = Object.entries(value)[0] ?? [];
  if (kind === 'Fn::Join') return (of as [string, never[]])[1].map(flat).join('');
  return kind === 'Fn::GetAtt' ? `<${(of as string[]).join('.')}>` : `<${of}>`;
}
