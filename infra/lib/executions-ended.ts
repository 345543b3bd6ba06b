/** EventBridge's events of executions that change their status, as rules ask for them. */
import type { EventPattern } from 'aws-cdk-lib/aws-events';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';

/** How an execution ends before its own end. */
export const UNFINISHED = ['FAILED', 'TIMED_OUT', 'ABORTED'];

/** A machine's executions get one of these statuses (Step Functions developer guide: events of Step Functions). */
export const executionsOf = (machine: StateMachine, status: string[]): EventPattern => ({
  source: ['aws.states'],
  detailType: ['Step Functions Execution Status Change'],
  detail: { status, stateMachineArn: [machine.stateMachineArn] },
});
