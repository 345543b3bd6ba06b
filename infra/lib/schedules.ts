/**
 * Cutovers at a set time. EventBridge Scheduler delivers at least once, so each start has a literal execution name, and goes
 * through the machine `start`: a second delivery ends there, in success, also when the run is over.
 */
import { Stack } from 'aws-cdk-lib';
import { CfnSchedule, CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { ConfigurationError } from './configuration-error';
import type { Names } from './names';
import { DeadLetters } from './notifications';
import { role } from './role';

/** One start of a cutover. */
export interface ScheduledStart {
  /** Letters, digits, `-` and `_`, 48 at the most; the execution is called `<name>-<time>`. */
  readonly name: string;
  /** Once, at this local time: `2026-03-01T02:00:00`. */
  readonly at?: string;
  /** An IANA time zone. Default: UTC. */
  readonly timezone?: string;
  /** The plan. */
  readonly input: Record<string, unknown>;
  /** Not supported: see `refuse`. */
  readonly cron?: string;
  /** Not supported: see `refuse`. */
  readonly rate?: string;
}

export interface SchedulesProps {
  readonly names: Names;
  readonly starts: ScheduledStart[];
  /** The machine that starts an execution once. */
  readonly start: StateMachine;
}

export class Schedules extends Construct {
  readonly deadLetters: IQueue;

  constructor(scope: Construct, id: string, { names, starts, start }: SchedulesProps) {
    super(scope, id);
    refuse(starts);
    this.deadLetters = new DeadLetters(this, 'DeadLetters', names.of('schedules-undelivered'));
    const group = new CfnScheduleGroup(this, 'Group', { name: names.of('schedules') });
    const { roleArn } = role(this, 'Role', 'scheduler', [
      { actions: ['states:StartExecution'], resources: [start.stateMachineArn] },
      { actions: ['sqs:SendMessage'], resources: [this.deadLetters.queueArn] },
    ]);
    for (const { name, at = '', timezone = 'UTC', input } of starts) {
      // Not the name alone: it may be the id of another construct here, or one that CDK treats by its own rules.
      new CfnSchedule(this, `start-${name}`, {
        name,
        groupName: group.ref,
        description: `Starts the cutover ${executionName(name, at)}`,
        scheduleExpression: `at(${at})`,
        scheduleExpressionTimezone: timezone,
        flexibleTimeWindow: { mode: 'OFF' },
        target: {
          arn: start.stateMachineArn,
          roleArn,
          input: Stack.of(this).toJsonString({
            state_machine_arn: names.machineArn('cutover'),
            name: executionName(name, at),
            input,
          }),
          // Rather not at all than at another time: somebody was to watch it.
          retryPolicy: { maximumRetryAttempts: 10, maximumEventAgeInSeconds: 900 },
          deadLetterConfig: { arn: this.deadLetters.queueArn },
        },
      });
    }
  }
}

/** Execution names may not hold a `:`. */
function executionName(name: string, at: string): string {
  return `${name}-${at.replace(/[-:]/g, '')}`;
}

function refuse(starts: ScheduledStart[]) {
  const seen = new Set<string>();
  for (const start of starts) {
    const problem = seen.has(start.name) ? 'is there twice' : problemOf(start);
    if (problem) throw new ConfigurationError(`The schedule \`${start.name}\` ${problem}.`);
    seen.add(start.name);
  }
}

/** A day that its month does not have is read as one of the next month. */
function isTime(at: string): boolean {
  const read = new Date(`${at}Z`);
  return !Number.isNaN(read.getTime()) && read.toISOString().slice(0, 19) === at;
}

function problemOf({ name, at, timezone, input, cron, rate }: ScheduledStart): string | undefined {
  if (typeof name !== 'string' || !/^[A-Za-z0-9_-]{1,48}$/.test(name)) {
    return 'needs a name of 1 to 48 letters, digits, `-` and `_`';
  }
  if (cron !== undefined || rate !== undefined) {
    return 'is recurring, and only one-time ones (`at`) are supported: a cutover happens once';
  }
  if (typeof at !== 'string' || !isTime(at)) {
    return 'needs `at`, a local time such as 2026-03-01T02:00:00';
  }
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return 'needs `input`, an object';
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone ?? 'UTC' });
  } catch {
    return `names a time zone that does not exist: ${timezone}`;
  }
  return undefined;
}
