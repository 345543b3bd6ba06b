/** What pages a person, and what that person looks at first. */
import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  AlarmStatusWidget,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type IMetric,
  MathExpression,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { Crate, Machine, Names } from './names';

export interface ObservabilityProps {
  readonly names: Names;
  readonly topic: ITopic;
  readonly functions: Record<Crate, IFunction>;
  readonly machines: Record<Machine, StateMachine>;
  /** Queues of what could not be delivered, by what they are about. */
  readonly deadLetters: Record<string, IQueue>;
}

const MINUTE = { period: Duration.minutes(1), statistic: 'Sum' };
const FIVE_MINUTES = { period: Duration.minutes(5), statistic: 'Sum' };

/**
 * How many errors within five minutes page. A function that machines call also fails when it only says no (`Cutover.Unhealthy`,
 * `Cutover.Drift`): nobody repeats that, it is one error, and the run's ending tells of it. One that always crashes leaves
 * three at the least, the call and its two retries. The sweep never says no, and no machine looks after it.
 */
const errorsThatPage = (crate: string) => (crate === 'sweep' ? 1 : 3);

export class Observability extends Construct {
  constructor(scope: Construct, id: string, props: ObservabilityProps) {
    super(scope, id);
    const alarms = this.alarms(props);
    this.dashboard(props, alarms);
  }

  private alarms({ names, topic, functions, machines, deadLetters }: ObservabilityProps): Alarm[] {
    const page = (name: string, metric: IMetric, alarmDescription: string, threshold = 1) => {
      // An expression fills the newest period with 0 as long as its metrics are late, so it alone would never breach
      // (CloudWatch guide, metric math, FILL): a datapoint counts for five periods.
      const periods = metric instanceof MathExpression ? 5 : 1;
      const alarm = new Alarm(this, `${name}-alarm`, {
        alarmName: names.of(name),
        alarmDescription,
        metric,
        threshold,
        evaluationPeriods: periods,
        datapointsToAlarm: 1,
        comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treatMissingData: TreatMissingData.NOT_BREACHING,
      });
      alarm.addAlarmAction(new SnsAction(topic));
      return alarm;
    };
    const { rollback, cleanup, start, incident, program, timeline, wave } = machines;
    return [
      page(
        'rollback-failed',
        rollback.metricFailed(MINUTE),
        'A rollback failed or is stuck: traffic may be on both sides. Its execution and the run item say what to do by hand.',
      ),
      page(
        'rollback-cut-short',
        sum('stopped or timed out', [rollback.metricAborted(MINUTE), rollback.metricTimedOut(MINUTE)]),
        'A rollback was stopped or timed out. The sweep starts it again; see that it ends.',
      ),
      page(
        'cleanup-failed',
        sum('not ended', [cleanup.metricFailed(MINUTE), cleanup.metricAborted(MINUTE), cleanup.metricTimedOut(MINUTE)]),
        'A cleanup did not end: its run keeps its locks. The sweep starts it again; see that it ends.',
      ),
      page(
        'start-failed',
        sum('not started', [start.metricFailed(MINUTE), start.metricAborted(MINUTE), start.metricTimedOut(MINUTE)]),
        'A cutover may not have been started at its time. The input of the failed execution says which; its history, why.',
      ),
      page(
        'incident-unheard',
        sum('not told', [incident.metricFailed(MINUTE), incident.metricTimedOut(MINUTE)]),
        'An incident may be told to nobody: its execution failed. The input says which; another execution takes it up.',
      ),
      page(
        'programme-not-scheduled',
        sum('not ended', [program.metricFailed(MINUTE), program.metricAborted(MINUTE), program.metricTimedOut(MINUTE)]),
        'A programme was not scheduled, or not all of it: its execution says why. Started again, it goes on from there.',
      ),
      page(
        'timeline-not-told',
        sum('not told', [timeline.metricFailed(MINUTE), timeline.metricTimedOut(MINUTE)]),
        'Nobody may hear of a wave beforehand: its timeline failed. Start it again with the input of the failed execution.',
      ),
      page(
        'wave-not-moved',
        sum('not moved', [wave.metricFailed(MINUTE), wave.metricTimedOut(MINUTE)]),
        'A wave did not move everything that it was to move. The cause of its execution says where each application is, and why.',
      ),
      ...Object.entries(functions).flatMap(([crate, of]) => [
        page(
          `${crate}-errors`,
          of.metricErrors(FIVE_MINUTES),
          `The function ${crate} failed again and again. A run that cannot go on rolls back by itself; its logs say why.`,
          errorsThatPage(crate),
        ),
        page(
          `${crate}-throttles`,
          of.metricThrottles(FIVE_MINUTES),
          `The function ${crate} was throttled: the account runs as many functions at once as it may. Callers try again.`,
          errorsThatPage(crate),
        ),
      ]),
      ...Object.entries(deadLetters).map(([what, queue]) =>
        page(
          `${what}-dead-letters`,
          queue.metricApproximateNumberOfMessagesVisible({ ...MINUTE, statistic: 'Maximum' }),
          `Something was not delivered (${what}): the message's attributes in the queue say why.`,
        ),
      ),
    ];
  }

  private dashboard({ names, functions, machines, deadLetters }: ObservabilityProps, alarms: Alarm[]) {
    const graph = (title: string, left: IMetric[]) => new GraphWidget({ title, left, width: 12, height: 6 });
    const ofMachines = (what: (of: StateMachine, name: string) => IMetric[]) =>
      Object.entries(machines).flatMap(([name, of]) => what(of, name));
    const crates = Object.entries(functions);
    const queues = Object.entries(deadLetters);
    const ended = ofMachines((of, name) => [
      of.metricFailed({ label: `${name} failed` }),
      of.metricAborted({ label: `${name} stopped` }),
      of.metricTimedOut({ label: `${name} timed out` }),
    ]);
    const errors = crates.map(([label, of]) => of.metricErrors({ label }));
    const throttles = crates.map(([label, of]) => of.metricThrottles({ label }));
    const durations = crates.map(([label, of]) => of.metricDuration({ label, statistic: 'p99' }));
    const waiting = queues.map(([label, of]) =>
      of.metricApproximateNumberOfMessagesVisible({ label, statistic: 'Maximum' }),
    );
    const started = ofMachines((of, name) => [
      of.metricStarted({ label: `${name} started` }),
      of.metricSucceeded({ label: `${name} succeeded` }),
    ]);
    const widgets = [
      [new AlarmStatusWidget({ title: 'Alarms', alarms, width: 24, height: 4 })],
      [graph('Executions started and succeeded', started), graph('Executions failed, stopped, timed out', ended)],
      [graph('Function errors', errors), graph('Function throttles', throttles)],
      [graph('Function duration, p99, ms', durations), graph('Not delivered', waiting)],
    ];
    new Dashboard(this, 'Dashboard', { dashboardName: names.of('suite'), widgets });
  }
}

/** The sum of metrics; one without data counts as nothing. */
function sum(label: string, metrics: IMetric[]): MathExpression {
  const named = metrics.map((metric, index) => [`m${index}`, metric] as const);
  return new MathExpression({
    label,
    expression: named.map(([id]) => `FILL(${id}, 0)`).join(' + '),
    usingMetrics: Object.fromEntries(named),
    period: MINUTE.period,
  });
}
