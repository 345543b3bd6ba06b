/**
 * What opens incidents by itself: a rollback that begins opens one, and its end says what becomes of it. An execution of `incident` that ends before
 * its incident is over is followed by another one. Such events are best effort; those on call hear of a stuck run by its own page too.
 */
import { Duration } from 'aws-cdk-lib';
import { Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { SfnStateMachine } from 'aws-cdk-lib/aws-events-targets';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { ConfigurationError } from './configuration-error';
import { executionsOf, UNFINISHED } from './executions-ended';
import type { Names } from './names';
import { DeadLetters } from './notifications';
import { role } from './role';

/** Seconds by severity. */
export interface BySeverity {
  readonly low: number;
  readonly medium: number;
  readonly high: number;
  readonly critical: number;
}

/** Seconds, as `functions/incident/src/timing.rs` says what each means, and what it is where it is not given. */
export interface IncidentTimes {
  readonly repeat_seconds?: BySeverity;
  readonly escalate_seconds?: BySeverity;
  readonly inform_seconds?: number;
  readonly acknowledged_seconds?: number;
  readonly slower_after_seconds?: number;
  readonly slower_repeat_seconds?: number;
  readonly first_after_seconds?: number;
}

const FIELDS = ['inform', 'acknowledged', 'slower_after', 'slower_repeat', 'first_after'].map(
  (name) => `${name}_seconds`,
);
const BY_SEVERITY = ['repeat_seconds', 'escalate_seconds'];

/** The environment of `incident`, which looks closer when it starts. */
export function incidentTimes(times: IncidentTimes | false = {}): string {
  if (times === false) return '{}';
  const unknown = Object.keys(times).filter((field) => ![...FIELDS, ...BY_SEVERITY].includes(field));
  if (unknown.length > 0) {
    throw new ConfigurationError(
      `\`incidents\` has no ${unknown.join(', ')}: it takes ${[...BY_SEVERITY, ...FIELDS].join(', ')}.`,
    );
  }
  for (const [field, value] of Object.entries(times)) {
    const seconds = BY_SEVERITY.includes(field)
      ? ['low', 'medium', 'high', 'critical'].map((severity) => value?.[severity])
      : [value];
    const isRight = seconds.every((one) => Number.isInteger(one) && one >= (field === 'first_after_seconds' ? 0 : 60));
    if (!isRight) {
      throw new ConfigurationError(
        `\`incidents.${field}\` should be whole seconds, 60 or more` +
          `${BY_SEVERITY.includes(field) ? ', for each of low, medium, high and critical' : ''}.`,
      );
    }
  }
  return JSON.stringify(times);
}

export interface OpenedByItselfProps {
  readonly names: Names;
  readonly rollback: StateMachine;
  readonly incident: StateMachine;
}

export class OpenedByItself extends Construct {
  readonly deadLetters: IQueue;

  constructor(scope: Construct, id: string, { names, rollback, incident }: OpenedByItselfProps) {
    super(scope, id);
    const deadLetterQueue = new DeadLetters(this, 'DeadLetters', names.of('incidents-undelivered'));
    const start = { actions: ['states:StartExecution'], resources: [incident.stateMachineArn] };
    const target = new SfnStateMachine(incident, {
      role: role(this, 'Role', 'events', [start]),
      input: RuleTargetInput.fromEventPath('$.detail'),
      deadLetterQueue,
      retryAttempts: 60,
      maxEventAge: Duration.hours(1),
    });
    new Rule(this, 'Rollbacks', {
      ruleName: names.of('incidents'),
      description: 'A rollback has begun or ended: open an incident, raise it, or end it',
      eventPattern: executionsOf(rollback, ['RUNNING', 'SUCCEEDED', ...UNFINISHED]),
      targets: [target],
    });
    new Rule(this, 'Unfollowed', {
      ruleName: names.of('incidents-unfollowed'),
      description: 'An execution of incident ended before its time: another one follows the incident',
      eventPattern: executionsOf(incident, UNFINISHED),
      targets: [target],
    });
    this.deadLetters = deadLetterQueue;
  }
}
