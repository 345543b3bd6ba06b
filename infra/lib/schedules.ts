/**
 * Cutovers at a set time. EventBridge Scheduler delivers at least once, so each start has a literal execution name: Step
 * Functions refuses a second run of that name for 90 days.
 */
import { Stack } from 'aws-cdk-lib';
import { CfnSchedule, CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { ConfigurationError } from './configuration';
import type { Machine, Names } from './names';
import { DeadLetters } from './notifications';
import { role } from './role';

/** One start of a machine. */
export interface ScheduledStart {
  /** Letters, digits, `-` and `_`, 48 at the most; the execution is called `<name>-<time>`. */
  readonly name: string;
  /** Once, at this local time: `2026-03-01T02:00:00`. */
  readonly at?: string;
  /** An IANA time zone. Default: UTC. */
  readonly timezone?: string;
  /** The machine's input: of `cutover`, a plan. */
  readonly input: Record<string, unknown>;
  /** Not supported: see `refuse`. */
  readonly cron?: string;
  /** Not supported: see `refuse`. */
  readonly rate?: string;
}

export interface SchedulesProps {
  readonly names: Names;
  /** Which machine is started. */
  readonly machine: Machine;
  readonly starts: ScheduledStart[];
}

export class Schedules extends Construct {
  readonly deadLetters: IQueue;

  constructor(scope: Construct, id: string, { names, machine, starts }: SchedulesProps) {
    super(scope, id);
    refuse(starts);
    this.deadLetters = new DeadLetters(this, 'DeadLetters', names.of('schedules-undelivered'));
    const stateMachineArn = names.machineArn(machine);
    const group = new CfnScheduleGroup(this, 'Group', { name: names.of('schedules') });
    const { roleArn } = role(this, 'Role', 'scheduler', [
      { actions: ['states:StartExecution'], resources: [stateMachineArn] },
      { actions: ['sqs:SendMessage'], resources: [this.deadLetters.queueArn] },
    ]);
    for (const { name, at = '', timezone = 'UTC', input } of starts) {
      new CfnSchedule(this, name, {
        name,
        groupName: group.ref,
        description: `Starts ${machine}: ${executionName(name, at)}`,
        scheduleExpression: `at(${at})`,
        scheduleExpressionTimezone: timezone,
        flexibleTimeWindow: { mode: 'OFF' },
        target: {
          // The universal target: the templated one of Step Functions cannot name the execution.
          arn: `arn:${Stack.of(this).partition}:scheduler:::aws-sdk:sfn:startExecution`,
          roleArn,
          input: Stack.of(this).toJsonString({
            StateMachineArn: stateMachineArn,
            Name: executionName(name, at),
            Input: JSON.stringify(input),
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

function problemOf({ name, at, timezone, input, cron, rate }: ScheduledStart): string | undefined {
  if (typeof name !== 'string' || !/^[A-Za-z0-9_-]{1,48}$/.test(name)) {
    return 'needs a name of 1 to 48 letters, digits, `-` and `_`';
  }
  if (cron !== undefined || rate !== undefined) {
    return (
      'is recurring, and only one-time ones (`at`) are supported: the name of each run would have to come from the ' +
      'scheduled time, which Scheduler writes with `:`, and execution names may not hold that'
    );
  }
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(at ?? '') || Number.isNaN(Date.parse(`${at}Z`))) {
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
