/**
 * What the schedules of programmes' waves need: a group of their own, the role by which they are delivered, and the queue of what could not be. The
 * schedules themselves are made by `program`, which touches no other group.
 */
import { CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Names } from './names';
import { DeadLetters } from './notifications';
import { role } from './role';

export class Programmes extends Construct {
  readonly deadLetters: IQueue;
  readonly roleArn: string;

  constructor(scope: Construct, id: string, { names }: { readonly names: Names }) {
    super(scope, id);
    this.deadLetters = new DeadLetters(this, 'DeadLetters', names.of('programmes-undelivered'));
    new CfnScheduleGroup(this, 'Group', { name: names.of('programmes') });
    // By its name: the machine's role names functions, and a function this role.
    this.roleArn = role(this, 'Role', 'scheduler', [
      { actions: ['states:StartExecution'], resources: [names.machineArn('start')] },
      { actions: ['sqs:SendMessage'], resources: [this.deadLetters.queueArn] },
    ]).roleArn;
  }
}
