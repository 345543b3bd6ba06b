/** Pages that say how runs are, written anew every interval while one is open. What happens in a run writes them too: `tellMoments`. */
import { Duration } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { ConfigurationError } from './configuration-error';
import type { Names } from './names';

const DEFAULT_INTERVAL = 30;

/** What the stack says of status pages. */
export interface StatusProps {
  /** How often the pages are written while a run is open, in minutes: 1 to 1,440. Default: 30. */
  readonly statusInterval?: number;
  /** The time zone of pages and texts. Default: UTC. */
  readonly statusTimeZone?: string;
  /** How long a rollback may take until traffic is back, in minutes, for the pages to compare with. Default: nothing is compared. */
  readonly recoveryObjective?: number;
}

export interface StatusPagesProps extends StatusProps {
  readonly names: Names;
  readonly statusReport: IFunction;
  readonly deadLetterQueue: IQueue;
}

export class StatusPages extends Construct {
  constructor(scope: Construct, id: string, { names, statusReport, deadLetterQueue, ...props }: StatusPagesProps) {
    super(scope, id);
    const interval = Duration.minutes(intervalMinutes(props));
    new Rule(this, 'Schedule', {
      ruleName: names.of('status'),
      description: 'Writes the status pages of open runs',
      schedule: Schedule.rate(interval),
      targets: [
        new LambdaFunction(statusReport, {
          event: RuleTargetInput.fromObject({ scheduled: true }),
          deadLetterQueue,
          // The next one comes: one that is late is not needed any more.
          retryAttempts: 2,
          maxEventAge: Duration.minutes(Math.min(5, interval.toMinutes())),
        }),
      ],
    });
  }
}

function intervalMinutes({ statusInterval = DEFAULT_INTERVAL }: StatusProps): number {
  if (Number.isInteger(statusInterval) && statusInterval >= 1 && statusInterval <= 1440) return statusInterval;
  throw new ConfigurationError(`statusInterval should be 1 to 1440 minutes, not ${statusInterval}.`);
}

/** The environment of `status-report`. */
export function statusEnvironment(props: StatusProps): string {
  const { recoveryObjective, statusTimeZone = 'UTC' } = props;
  if (recoveryObjective !== undefined && !(Number.isInteger(recoveryObjective) && recoveryObjective >= 1)) {
    throw new ConfigurationError(
      `recoveryObjective should be whole minutes, 1 at the least, not ${recoveryObjective}.`,
    );
  }
  if (!isTimeZone(statusTimeZone)) {
    throw new ConfigurationError(`statusTimeZone should be a time zone such as Europe/Berlin, not ${statusTimeZone}.`);
  }
  return JSON.stringify({
    interval_seconds: 60 * intervalMinutes(props),
    ...(recoveryObjective !== undefined && { recovery_objective_seconds: 60 * recoveryObjective }),
    time_zone: statusTimeZone,
  });
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
