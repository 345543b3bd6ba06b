/**
 * Who goes on with a wave whose execution ended before its time, and who has a wave say what is so when an application of it is put back after its end:
 * another execution of the same machine. Such an event is best effort; the alarm on failed waves tells a person too.
 */
import { Duration } from 'aws-cdk-lib';
import { Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { SfnStateMachine } from 'aws-cdk-lib/aws-events-targets';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { executionsOf, UNFINISHED } from './executions-ended';
import type { Names } from './names';
import { role } from './role';

export interface FollowedWavesProps {
  readonly names: Names;
  readonly wave: StateMachine;
  readonly rollback: StateMachine;
  readonly deadLetterQueue: IQueue;
}

export class FollowedWaves extends Construct {
  constructor(scope: Construct, id: string, { names, wave, rollback, deadLetterQueue }: FollowedWavesProps) {
    super(scope, id);
    const start = { actions: ['states:StartExecution'], resources: [wave.stateMachineArn] };
    const target = new SfnStateMachine(wave, {
      role: role(this, 'Role', 'events', [start]),
      input: RuleTargetInput.fromEventPath('$.detail'),
      deadLetterQueue,
      retryAttempts: 60,
      maxEventAge: Duration.hours(1),
    });
    new Rule(this, 'Unfollowed', {
      ruleName: names.of('waves-unfollowed'),
      description: 'An execution of wave ended: another one follows the wave, unless it is over',
      eventPattern: executionsOf(wave, UNFINISHED),
      targets: [target],
    });
    new Rule(this, 'RolledBack', {
      ruleName: names.of('waves-rolled-back'),
      description: 'A rollback ended: a wave that is over says what became of its application',
      eventPattern: executionsOf(rollback, ['SUCCEEDED', ...UNFINISHED]),
      targets: [target],
    });
  }
}
