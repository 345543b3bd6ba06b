/**
 * What brings every run to an end when its machine cannot. A rule tells the sweep when a cutover was stopped, timed out or
 * failed: it starts rollback if the journal says that one is owed. So stopping an execution is a safe gesture, and a run that
 * touched nothing, or has its ending, has no execution too many. Such events are best effort: the sweep looks every
 * minute too.
 */
import { Duration } from 'aws-cdk-lib';
import { EventField, Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { executionsOf } from './executions-ended';
import type { Names } from './names';
import { DeadLetters } from './notifications';

export interface SafetyNetProps {
  readonly names: Names;
  readonly cutover: StateMachine;
  readonly sweep: IFunction;
}

export class SafetyNet extends Construct {
  readonly deadLetters: IQueue;

  constructor(scope: Construct, id: string, { names, cutover, sweep }: SafetyNetProps) {
    super(scope, id);
    const deadLetterQueue = new DeadLetters(this, 'DeadLetters', names.of('undelivered'));
    new Rule(this, 'Unfinished', {
      ruleName: names.of('unfinished'),
      description: 'A cutover ended without an ending: roll its run back, if that is owed',
      eventPattern: executionsOf(cutover, ['ABORTED', 'TIMED_OUT', 'FAILED']),
      targets: [
        new LambdaFunction(sweep, {
          // Nothing but whose it is: `detail.input` is left out when it is large.
          event: RuleTargetInput.fromObject({ run_id: EventField.fromPath('$.detail.executionArn') }),
          deadLetterQueue,
          retryAttempts: 60,
          maxEventAge: Duration.hours(1),
        }),
      ],
    });
    new Rule(this, 'Sweep', {
      ruleName: names.of('sweep'),
      description: 'Looks for open runs that nobody brings to an end',
      schedule: Schedule.rate(Duration.minutes(1)),
      // The next one comes in a minute: one that is late is not needed any more.
      targets: [new LambdaFunction(sweep, { deadLetterQueue, retryAttempts: 2, maxEventAge: Duration.minutes(1) })],
    });
    this.deadLetters = deadLetterQueue;
  }
}
