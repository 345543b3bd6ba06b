/**
 * Who may do what: one table for the functions, one for the state machines. Roles are made of them and of nothing else; a
 * test compares them with the calls in the Rust sources and in the definitions.
 *
 * Every `*` says why there is nothing narrower; the reason is also its acknowledgement to cdk-nag.
 */
import type { Stack } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { isOpen, type Narrowing } from './authority';
import { OPEN_RUNS } from './journal';
import type { Crate, Machine, Names } from './names';

/** One statement of a role. */
export interface Permission {
  readonly actions: readonly string[];
  /** None: nothing is allowed, and the statement is left out. */
  readonly resources: readonly string[];
  /** Why no narrower resource exists; required where a resource holds a `*`. */
  readonly why?: string;
  readonly conditions?: Record<string, Record<string, unknown>>;
  /** Whether it is denied, whatever else is allowed. */
  readonly denies?: boolean;
}

/** What the tables refer to. */
export interface Surroundings {
  readonly stack: Stack;
  readonly names: Names;
  readonly journal: ITable;
  readonly reports: IBucket;
  readonly narrowing: Required<Narrowing>;
  /** The topics that messages may go to, the stack's own first. */
  readonly topicArns: string[];
  /** What alarms that plans set may do. */
  readonly alarmActions: string[];
  /** The table of locks that stacks share; `undefined`: none. */
  readonly locksTable: string | undefined;
  /** The owner's key for the journal and for executions' data; `undefined`: none. */
  readonly dataKeyArn: string | undefined;
  /** Whether tags of what moves say that somebody has to agree. */
  readonly asksTags: boolean;
  /** The user pools that listeners may authenticate with. */
  readonly userPoolArns: string[];
  /** The functions that plans may name as hooks, of every application. */
  readonly hookFunctionArns: string[];
  /** Where what happens in runs goes. */
  readonly momentsTopicArn: string;
  /** The sender of mails, and the configuration set; `undefined`: none. */
  readonly mailFrom: string | undefined;
  readonly mailConfigurationSet: string | undefined;
  /** The secrets that hold webhooks' addresses. */
  readonly webhookSecretArns: string[];
  /** The secrets that hold headers of load tests. */
  readonly loadTestSecretArns: string[];
  /** The secret with the key of links that answer; `undefined`: the stack has no pages that do. */
  readonly answersKeyArn: string | undefined;
  /** The role by which schedules of waves are delivered. */
  readonly waveSchedulesRoleArn: string;
  /** The keys of encrypted topics. */
  readonly topicKeyArns: string[];
  /** The roles of other accounts. */
  readonly memberRoleArns: string[];
}

/** Machines whose executions follow something beside a run: the sweep sees to it that somebody does. */
const FOLLOWING = ['wave', 'timeline', 'incident'] as const;
/** What a route can be, as in the plan's `RecordType`. */
const RECORD_TYPES = ['A', 'AAAA', 'CNAME'];
/** A batch deletes what was observed and creates what is wanted; nothing is ever upserted. */
const RECORD_ACTIONS = ['CREATE', 'DELETE'];

/** Something to act on: resources, and why they are that wide. */
type Target = Omit<Permission, 'actions'>;

const may = (target: Target, ...actions: string[]): Permission => ({ ...target, actions });
const denied = (target: Target, ...actions: string[]): Permission => ({ ...target, actions, denies: true });

const anything: Target = {
  resources: ['*'],
  why: 'AWS knows no resource for these calls (Service Authorization Reference).',
};
const logDelivery: Target = {
  resources: ['*'],
  why: 'Step Functions wants these on `*` to have its logs delivered (Step Functions guide, logging), and refuses a machine without.',
};
const networkInterfaces: Target = {
  resources: ['*'],
  why: 'Lambda names the network interfaces when it makes them, and wants describing on `*` (Lambda developer guide, VPC).',
};
const anyAlarm: Target = {
  resources: ['*'],
  why: 'With anything narrower CloudWatch leaves out composite alarms (API reference of DescribeAlarms).',
};

/** What a prop lists, as resources; all there is, where it says so by `*`. */
function listed(prop: string, list: string[], resource: (item: string) => string, ...all: string[]): Target {
  if (!isOpen(list)) return { resources: list.map(resource), why: `The prop \`${prop}\` says so.` };
  return { resources: all, why: `The prop \`${prop}\` says \`*\`: plans name these at run time.` };
}

const asItIs = (item: string) => item;

const REPLICATIONS = ['dms:DescribeReplicationInstances', 'dms:DescribeReplicationTasks', 'dms:DescribeReplications'];

/** Makes ARNs of one account: in the stack's own region, or in every one. */
function arnsOf({ stack }: Pick<Surroundings, 'stack'>, region?: '*') {
  return (service: string, resource: string) => stack.formatArn({ service, resource, ...(region && { region }) });
}

/** What replications are looked at by, in one account. */
function replicationTargets(here: Pick<Surroundings, 'stack'>, region?: '*') {
  const arn = arnsOf(here, region);
  const tasks: Target = {
    resources: [arn('dms', 'task:*')],
    why: 'Plans name their replication tasks at run time, and this only reads.',
  };
  const serverless: Target = {
    resources: [arn('dms', 'replication-config:*')],
    why: 'Plans name their serverless replications at run time, and this only reads.',
  };
  return { tasks, serverless };
}

/** The alarms that plans set, in one account, and those that may be set by what they do. */
function alarmTargets(here: Pick<Surroundings, 'alarmActions' | 'narrowing' | 'stack'>, region?: '*') {
  const arn = arnsOf(here, region);
  const alarm = (name: string) => arn('cloudwatch', `alarm:${name}`);
  const alarms = listed('alarmNames', here.narrowing.alarmNames, alarm, alarm('*'));
  return { alarms, settable: { ...alarms, ...actionConditions(here.alarmActions) } };
}

/** What routes are made of, in one account: in the stack's own region, or in every one. */
function routeTargets(here: Pick<Surroundings, 'narrowing' | 'stack' | 'userPoolArns'>, region?: '*') {
  const { narrowing, stack } = here;
  const arn = arnsOf(here, region);
  const route53 = (resource: string) => `arn:${stack.partition}:route53:::${resource}`;
  const elb = (resource: string) => arn('elasticloadbalancing', resource);
  const zoneArn = (id: string) => route53(`hostedzone/${id.replace('/hostedzone/', '')}`);
  const zones = listed('hostedZones', narrowing.hostedZones, zoneArn, zoneArn('*'));
  const changes: Target = {
    resources: [route53('change/*')],
    why: 'Route 53 gives changes their ids when they are made.',
  };
  const healthChecks: Target = {
    resources: [route53('healthcheck/*')],
    why: "Route 53 gives health checks their ids when a run makes them; only those with the run's own reference are deleted.",
  };
  const anyHealthCheck: Target = {
    resources: [route53('healthcheck/*')],
    why: 'Records carry the health checks that their owners gave them, and this only reads.',
  };
  return {
    listeners: listed('listeners', narrowing.listeners, asItIs, elb('listener/app/*'), elb('listener/net/*')),
    rules: listed('rules', narrowing.rules, asItIs, elb('listener-rule/app/*')),
    targetGroups: listed('targetGroups', narrowing.targetGroups, asItIs, elb('targetgroup/*')),
    zones,
    records: { ...zones, conditions: recordConditions(narrowing.recordNames) },
    changes,
    healthChecks,
    anyHealthCheck,
    // Whoever sends such an action back must be able to read its client (ELB user guide), secret included.
    userPools: listed('userPoolArns', here.userPoolArns, asItIs, arn('cognito-idp', 'userpool/*')),
  };
}

/** What the role of another account allows: what the functions need there, all together. A session has what its function needs. */
export function memberPermissions(
  here: Pick<Surroundings, 'alarmActions' | 'hookFunctionArns' | 'narrowing' | 'stack' | 'userPoolArns'>,
): Permission[] {
  const of = routeTargets(here, '*');
  const replicated = replicationTargets(here, '*');
  const alarms = alarmTargets(here, '*');
  const hooks: Target = { resources: here.hookFunctionArns };
  const anyTopic: Target = {
    resources: [here.stack.formatArn({ service: 'sns', resource: '*', region: '*' })],
    why: 'Plans name their topics at run time, and this only reads.',
  };
  return [
    may(anything, 'elasticloadbalancing:DescribeListeners', 'elasticloadbalancing:DescribeRules'),
    may(anything, 'elasticloadbalancing:DescribeLoadBalancers', 'elasticloadbalancing:DescribeTags'),
    may(anything, 'elasticloadbalancing:DescribeTargetGroupAttributes', 'elasticloadbalancing:DescribeTargetGroups'),
    may(anything, 'elasticloadbalancing:DescribeTargetHealth', 'cloudwatch:GetMetricData'),
    may(of.listeners, 'elasticloadbalancing:ModifyListener'),
    may(of.rules, 'elasticloadbalancing:ModifyRule'),
    may(of.userPools, 'cognito-idp:DescribeUserPoolClient'),
    may(of.targetGroups, 'elasticloadbalancing:DeleteTargetGroup'),
    may(of.zones, 'route53:GetHostedZone', 'route53:ListResourceRecordSets', 'route53:ListTagsForResource'),
    may(anything, 'route53:ListHostedZones', 'route53:ListHostedZonesByName'),
    may(of.records, 'route53:ChangeResourceRecordSets'),
    may(of.changes, 'route53:GetChange'),
    may(anything, 'route53:CreateHealthCheck', 'route53:ListHealthChecks'),
    may(of.healthChecks, 'route53:DeleteHealthCheck'),
    may(of.anyHealthCheck, 'route53:GetHealthCheck', 'route53:GetHealthCheckStatus'),
    may(anyAlarm, 'cloudwatch:DescribeAlarms'),
    may(alarms.alarms, 'cloudwatch:DeleteAlarms', 'cloudwatch:TagResource'),
    // Without any action that they may have, none is set.
    may(here.alarmActions.length > 0 ? alarms.settable : { resources: [] }, 'cloudwatch:PutMetricAlarm'),
    may(hooks, 'lambda:GetPolicy'),
    may(anyTopic, 'sns:GetTopicAttributes'),
    may(anything, ...REPLICATIONS),
    may(replicated.tasks, 'dms:DescribeTableStatistics'),
    may(replicated.serverless, 'dms:DescribeReplicationTableStatistics'),
  ];
}

/** The functions: what each one calls, and on what. */
export function functionPermissions(here: Surroundings): Record<Crate, Permission[]> {
  const { names, stack } = here;
  const arn = arnsOf(here);
  const { listeners, rules, targetGroups, zones, records, changes, healthChecks, anyHealthCheck, userPools } =
    routeTargets(here);
  const others: Target = { resources: here.memberRoleArns };

  const table: Target = { resources: [here.journal.tableArn] };
  const locks: Target = { resources: here.locksTable ? [arn('dynamodb', `table/${here.locksTable}`)] : [] };
  const openRuns: Target = { resources: [`${here.journal.tableArn}/index/${OPEN_RUNS}`] };
  const { alarms, settable } = alarmTargets(here);
  const ownAlarms: Target = {
    resources: [arn('cloudwatch', `alarm:${names.of('*')}`)],
    why: "The stack's own alarms, which page when a rollback fails, are none that a plan may change.",
  };
  const { tasks, serverless } = replicationTargets(here);
  const loadResults: Target = {
    resources: [here.reports.arnForObjects('runs/*/load-test*')],
    why: 'Runs are named when they start.',
  };
  const dashboards: Target = {
    // Dashboards have no region (Service Authorization Reference of CloudWatch).
    resources: [
      stack.formatArn({ service: 'cloudwatch', region: '', resource: `dashboard/${names.machine('cutover')}-run-*` }),
    ],
    why: 'There is one for each run, and it is called after the execution.',
  };
  const ownMetrics: Target = {
    ...anything,
    conditions: { StringEquals: { 'cloudwatch:namespace': 'Cutover' } },
  };
  const report: Target = {
    resources: [here.reports.arnForObjects('runs/*/report.*')],
    why: 'Runs are named when they start.',
  };
  const statuses: Target = {
    resources: [here.reports.arnForObjects('status/*')],
    why: 'There is one for each application, and it is called after it.',
  };
  const loadTest: Target = {
    resources: [here.reports.arnForObjects('runs/*/load-test.json')],
    why: 'Runs are named when they start.',
  };
  const topics = listed('topicArns', here.topicArns, asItIs, arn('sns', '*'));
  const topicKeys: Target = { resources: here.topicKeyArns };
  const mail: Target = { resources: mailIdentities(here) };
  const webhooks: Target = { resources: here.webhookSecretArns };
  const loadTestSecrets: Target = { resources: here.loadTestSecretArns };
  const executions = (...machines: Machine[]): Target => ({
    resources: machines.map((machine) => names.executionsArn(machine)),
    why: 'Executions are named when they start.',
  });
  const pages = here.answersKeyArn !== undefined;
  const answersKey: Target = { resources: here.answersKeyArn === undefined ? [] : [here.answersKeyArn] };
  // Of the journal, whoever is called from the internet sees the questions, incidents and timelines alone; and `notify` the questions, which needs no more.
  const questions: Target = { ...(pages ? table : { resources: [] }), conditions: leadingKeys('ask#*') };
  // What is said of an incident, or of a wave's checklists, by its page.
  const said: Target = { ...(pages ? table : { resources: [] }), conditions: leadingKeys('incident#*', 'timeline#*') };
  // The slots of Route 53's limit, which all runs of waves draw from.
  const share: Target = { ...table, conditions: leadingKeys('share#*') };
  const machines = (['cutover', 'program', 'wave'] as const).map((machine) => names.machineArn(machine));
  const asking: Target = { resources: pages ? machines : [] };
  const given: Target = {
    resources: [here.reports.arnForObjects('portfolios/*'), here.reports.arnForObjects('plans/*')],
    why: 'People put portfolios and cutover plans there, under names of their own.',
  };
  const programmes: Target = {
    resources: [here.reports.arnForObjects('programmes/*')],
    why: 'There is one for each portfolio and execution, and it is called after them.',
  };
  const waveSchedules: Target = {
    resources: [arn('scheduler', `schedule/${names.of('programmes')}/*`)],
    why: 'There is one for each wave, in a group of their own.',
  };
  const toScheduler: Target = {
    resources: [here.waveSchedulesRoleArn],
    conditions: { StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' } },
  };
  const moved: Target = { resources: [names.machineArn('cutover'), names.machineArn('rollback')] };
  const plans: Target = {
    resources: [here.reports.arnForObjects('plans/*')],
    why: 'Waves name the plans of their applications when they start.',
  };
  const wavePages: Target = {
    resources: [here.reports.arnForObjects('waves/*')],
    why: 'There is one for each wave, and it is called after it.',
  };
  const owners: Target = {
    resources: (['cutover', 'rollback', 'cleanup', ...FOLLOWING] as const).map((machine) => names.machineArn(machine)),
  };
  const broughtOn: Target = {
    resources: (['rollback', 'cleanup', ...FOLLOWING] as const).map((machine) => names.machineArn(machine)),
  };

  return withKey<Crate>(dataKey(here), {
    precheck: [
      may(others, 'sts:AssumeRole'),
      may(anything, 'elasticloadbalancing:DescribeListeners', 'elasticloadbalancing:DescribeRules'),
      may(anything, 'elasticloadbalancing:DescribeLoadBalancers', 'elasticloadbalancing:DescribeTags'),
      may(anything, 'elasticloadbalancing:DescribeTargetGroupAttributes', 'elasticloadbalancing:DescribeTargetGroups'),
      may(anything, 'elasticloadbalancing:DescribeTargetHealth'),
      may(zones, 'route53:GetHostedZone', 'route53:ListResourceRecordSets'),
      may(here.asksTags ? zones : { resources: [] }, 'route53:ListTagsForResource'),
      may(anything, 'route53:ListHostedZones', 'route53:ListHostedZonesByName'),
      may(anyHealthCheck, 'route53:GetHealthCheck', 'route53:GetHealthCheckStatus'),
      may(anything, ...REPLICATIONS, 'cloudwatch:GetMetricData'),
      may(tasks, 'dms:DescribeTableStatistics'),
      may(serverless, 'dms:DescribeReplicationTableStatistics'),
      may(anyAlarm, 'cloudwatch:DescribeAlarms'),
      may(topics, 'sns:GetTopicAttributes'),
      may({ resources: here.hookFunctionArns }, 'lambda:GetPolicy'),
      may(loadTestSecrets, 'secretsmanager:GetSecretValue'),
      may(webhooks, 'secretsmanager:GetSecretValue'),
      may(table, 'dynamodb:BatchGetItem', 'dynamodb:GetItem'),
      may(share, 'dynamodb:PutItem'),
      may(locks, 'dynamodb:BatchGetItem'),
    ],
    claim: [
      may(others, 'sts:AssumeRole'),
      may(anything, 'elasticloadbalancing:DescribeListeners', 'elasticloadbalancing:DescribeRules'),
      may(zones, 'route53:ListResourceRecordSets'),
      may(table, 'dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'),
      may(locks, 'dynamodb:BatchGetItem', 'dynamodb:PutItem'),
    ],
    'replication-lag': [
      may(others, 'sts:AssumeRole'),
      may(anything, ...REPLICATIONS, 'cloudwatch:GetMetricData'),
      may(tasks, 'dms:DescribeTableStatistics'),
      may(serverless, 'dms:DescribeReplicationTableStatistics'),
      may(table, 'dynamodb:GetItem'),
    ],
    'listener-swap': [
      may(others, 'sts:AssumeRole'),
      may(anything, 'elasticloadbalancing:DescribeListeners', 'elasticloadbalancing:DescribeRules'),
      may(anything, 'elasticloadbalancing:DescribeTargetHealth'),
      may(listeners, 'elasticloadbalancing:ModifyListener'),
      may(rules, 'elasticloadbalancing:ModifyRule'),
      may(userPools, 'cognito-idp:DescribeUserPoolClient'),
      may(table, 'dynamodb:GetItem'),
    ],
    'weight-shift': [
      may(others, 'sts:AssumeRole'),
      may(zones, 'route53:ListResourceRecordSets'),
      may(records, 'route53:ChangeResourceRecordSets'),
      may(changes, 'route53:GetChange'),
      may(anything, 'route53:CreateHealthCheck', 'route53:ListHealthChecks'),
      may(healthChecks, 'route53:DeleteHealthCheck'),
      may(anyHealthCheck, 'route53:GetHealthCheck', 'route53:GetHealthCheckStatus'),
      may(anything, 'elasticloadbalancing:DescribeLoadBalancers', 'elasticloadbalancing:DescribeTargetGroups'),
      may(anything, 'elasticloadbalancing:DescribeTargetHealth'),
      may(table, 'dynamodb:GetItem'),
      may(share, 'dynamodb:PutItem'),
    ],
    monitor: [
      may(others, 'sts:AssumeRole'),
      may(anything, 'elasticloadbalancing:DescribeListeners', 'elasticloadbalancing:DescribeRules'),
      may(anything, 'elasticloadbalancing:DescribeLoadBalancers', 'elasticloadbalancing:DescribeTargetGroups'),
      may(anything, 'elasticloadbalancing:DescribeTargetHealth', 'cloudwatch:GetMetricData'),
      may(zones, 'route53:ListResourceRecordSets'),
      may(anyHealthCheck, 'route53:GetHealthCheck', 'route53:GetHealthCheckStatus'),
      may(anyAlarm, 'cloudwatch:DescribeAlarms'),
      may(table, 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'),
    ],
    baseline: [
      may(others, 'sts:AssumeRole'),
      may(anything, 'cloudwatch:GetMetricData'),
      may(table, 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'),
    ],
    dashboard: [
      may(dashboards, 'cloudwatch:DeleteDashboards', 'cloudwatch:GetDashboard', 'cloudwatch:PutDashboard'),
      may(anything, 'cloudwatch:ListDashboards'),
      may(ownMetrics, 'cloudwatch:PutMetricData'),
      may(table, 'dynamodb:GetItem'),
    ],
    validate: [
      may(others, 'sts:AssumeRole'),
      may(anything, 'cloudwatch:GetMetricData'),
      may(table, 'dynamodb:GetItem'),
    ],
    'load-test': [
      may(loadResults, 's3:GetObject', 's3:PutObject'),
      may({ resources: [here.reports.bucketArn] }, 's3:ListBucket'),
      may(loadTestSecrets, 'secretsmanager:GetSecretValue'),
      may(table, 'dynamodb:GetItem'),
    ],
    report: [
      may(others, 'sts:AssumeRole'),
      may(report, 's3:PutObject'),
      may(loadTest, 's3:GetObject'),
      may({ resources: [here.reports.bucketArn] }, 's3:ListBucket'),
      may(executions('cutover', 'rollback'), 'states:GetExecutionHistory'),
      may(anything, 'cloudwatch:GetMetricData'),
      may(table, 'dynamodb:GetItem', 'dynamodb:UpdateItem'),
    ],
    alarms: [
      may(others, 'sts:AssumeRole'),
      may(anyAlarm, 'cloudwatch:DescribeAlarms'),
      may(alarms, 'cloudwatch:DeleteAlarms', 'cloudwatch:TagResource'),
      may(settable, 'cloudwatch:PutMetricAlarm'),
      denied(ownAlarms, 'cloudwatch:DeleteAlarms', 'cloudwatch:PutMetricAlarm', 'cloudwatch:TagResource'),
      may(table, 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'),
    ],
    notify: [
      may(topics, 'sns:Publish'),
      may({ resources: [here.momentsTopicArn] }, 'sns:Publish'),
      may(answersKey, 'secretsmanager:GetSecretValue'),
      may(questions, 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'),
      may(topicKeys, 'kms:Decrypt', 'kms:GenerateDataKey'),
    ],
    rollback: [
      may(others, 'sts:AssumeRole'),
      may(anything, 'elasticloadbalancing:DescribeListeners', 'elasticloadbalancing:DescribeRules'),
      may(anything, 'elasticloadbalancing:DescribeTargetHealth'),
      may(zones, 'route53:ListResourceRecordSets'),
      may(anything, 'route53:ListHealthChecks'),
      may(anything, ...REPLICATIONS, 'cloudwatch:GetMetricData'),
      may(executions('cutover', 'rollback'), 'states:DescribeExecution'),
      may(table, 'dynamodb:DeleteItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'),
      may(locks, 'dynamodb:DeleteItem'),
      // For the names of open runs, where a person has named another one.
      may(table, 'dynamodb:Scan'),
    ],
    'status-report': [
      may(statuses, 's3:GetObject', 's3:PutObject'),
      may({ resources: [here.reports.bucketArn] }, 's3:ListBucket'),
      may(executions('cutover', 'rollback', 'cleanup'), 'states:GetExecutionHistory'),
      may({ resources: [names.machineArn('cutover')] }, 'states:ListExecutions'),
      may(openRuns, 'dynamodb:Query'),
      may(table, 'dynamodb:GetItem'),
    ],
    sweep: [
      may(openRuns, 'dynamodb:Query'),
      may(table, 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'),
      may(executions('cutover', 'rollback', 'cleanup', ...FOLLOWING), 'states:DescribeExecution'),
      may(owners, 'states:ListExecutions'),
      may(broughtOn, 'states:StartExecution'),
      may(topics, 'sns:Publish'),
      may(topicKeys, 'kms:Decrypt', 'kms:GenerateDataKey'),
    ],
    incident: [
      may({ resources: [here.momentsTopicArn] }, 'sns:Publish'),
      may(topicKeys, 'kms:Decrypt', 'kms:GenerateDataKey'),
      may(table, 'dynamodb:GetItem', 'dynamodb:PutItem'),
    ],
    program: [
      may(given, 's3:GetObject'),
      may(programmes, 's3:GetObject', 's3:PutObject'),
      may({ resources: [here.reports.bucketArn] }, 's3:ListBucket'),
      may(anything, 'scheduler:ListSchedules'),
      may(waveSchedules, 'scheduler:CreateSchedule', 'scheduler:DeleteSchedule'),
      may(waveSchedules, 'scheduler:GetSchedule', 'scheduler:UpdateSchedule'),
      may(toScheduler, 'iam:PassRole'),
      may(topics, 'sns:Publish'),
      may(topicKeys, 'kms:Decrypt', 'kms:GenerateDataKey'),
      may(table, 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Scan'),
      may(questions, 'dynamodb:UpdateItem'),
      may(answersKey, 'secretsmanager:GetSecretValue'),
    ],
    timeline: [
      may(plans, 's3:GetObject'),
      may(programmes, 's3:GetObject'),
      may(executions('cutover', 'timeline'), 'states:DescribeExecution'),
      may({ resources: [names.machineArn('cutover')] }, 'states:StartExecution'),
      may({ resources: [here.momentsTopicArn] }, 'sns:Publish'),
      may(topicKeys, 'kms:Decrypt', 'kms:GenerateDataKey'),
      may(table, 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Scan'),
    ],
    wave: [
      may(answersKey, 'secretsmanager:GetSecretValue'),
      may(table, 'dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'),
      may(plans, 's3:GetObject'),
      may(wavePages, 's3:PutObject'),
      may(executions('cutover', 'wave'), 'states:DescribeExecution'),
      may(moved, 'states:StartExecution'),
      may(topics, 'sns:Publish'),
      may({ resources: [here.momentsTopicArn] }, 'sns:Publish'),
      may(topicKeys, 'kms:Decrypt', 'kms:GenerateDataKey'),
    ],
    tell: [
      may(topics, 'sns:Publish'),
      may(topicKeys, 'kms:Decrypt', 'kms:GenerateDataKey'),
      may(mail, 'ses:SendRawEmail'),
      may(webhooks, 'secretsmanager:GetSecretValue'),
      may(answersKey, 'secretsmanager:GetSecretValue'),
      may(table, 'dynamodb:GetItem', 'dynamodb:PutItem'),
      may({ ...table, conditions: leadingKeys('ask#*', 'pace#*') }, 'dynamodb:UpdateItem'),
    ],
    answer: [
      may(questions, 'dynamodb:GetItem', 'dynamodb:UpdateItem'),
      may(said, 'dynamodb:GetItem', 'dynamodb:PutItem'),
      may(answersKey, 'secretsmanager:GetSecretValue'),
      may(asking, 'states:SendTaskFailure', 'states:SendTaskSuccess'),
    ],
    cleanup: [
      may(others, 'sts:AssumeRole'),
      may(anything, 'elasticloadbalancing:DescribeListeners', 'elasticloadbalancing:DescribeRules'),
      may(anything, 'elasticloadbalancing:DescribeTargetGroups', 'cloudwatch:GetMetricData'),
      may(listeners, 'elasticloadbalancing:ModifyListener'),
      may(rules, 'elasticloadbalancing:ModifyRule'),
      may(userPools, 'cognito-idp:DescribeUserPoolClient'),
      may(targetGroups, 'elasticloadbalancing:DeleteTargetGroup'),
      may(zones, 'route53:ListResourceRecordSets'),
      may(anything, 'route53:ListHealthChecks'),
      may(healthChecks, 'route53:DeleteHealthCheck'),
      may(table, 'dynamodb:DeleteItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'),
      may(locks, 'dynamodb:DeleteItem'),
      // For the locks of a run whose item nobody can read, and the names of open runs.
      may(table, 'dynamodb:Scan'),
    ],
  });
}

/**
 * What SES asks for: the sender's address or its domain, whichever was verified, and the configuration set (Service Authorization
 * Reference, SES).
 */
function mailIdentities({ stack, mailFrom, mailConfigurationSet }: Surroundings): string[] {
  if (!mailFrom) return [];
  const ses = (resource: string) => stack.formatArn({ service: 'ses', resource });
  const identities = [mailFrom, mailFrom.slice(mailFrom.indexOf('@') + 1)].map((name) => ses(`identity/${name}`));
  return mailConfigurationSet ? [...identities, ses(`configuration-set/${mailConfigurationSet}`)] : identities;
}

/** The functions that each machine invokes. */
export const INVOKED: Record<Machine, readonly Crate[]> = {
  cutover: [
    'alarms',
    'baseline',
    'claim',
    'dashboard',
    'listener-swap',
    'load-test',
    'monitor',
    'notify',
    'precheck',
    'replication-lag',
    'report',
    'validate',
    'weight-shift',
  ],
  rollback: ['alarms', 'dashboard', 'listener-swap', 'notify', 'report', 'rollback', 'weight-shift'],
  cleanup: ['cleanup', 'dashboard', 'monitor', 'notify'],
  start: [],
  incident: ['incident'],
  program: ['program'],
  timeline: ['timeline'],
  wave: ['wave'],
};

/** The state machines: their functions, the application's hooks, and what they do themselves. */
export function machinePermissions(
  here: Surroundings,
  functionArns: Record<Crate, string>,
): Record<Machine, Permission[]> {
  const { names, journal, hookFunctionArns } = here;
  const functions = (machine: Machine): string[] => INVOKED[machine].map((crate) => functionArns[crate]);
  return withKey<Machine>(dataKeyOfMachine(here), {
    cutover: [
      may({ resources: [...functions('cutover'), ...hookFunctionArns] }, 'lambda:InvokeFunction'),
      may({ resources: [names.machineArn('rollback'), names.machineArn('cleanup')] }, 'states:StartExecution'),
      may({ resources: [journal.tableArn] }, 'dynamodb:GetItem'),
    ],
    rollback: [may({ resources: [...functions('rollback'), ...hookFunctionArns] }, 'lambda:InvokeFunction')],
    cleanup: [
      may({ resources: functions('cleanup') }, 'lambda:InvokeFunction'),
      may({ resources: [names.machineArn('rollback')] }, 'states:StartExecution'),
    ],
    program: [may({ resources: functions('program') }, 'lambda:InvokeFunction')],
    start: [
      may(
        { resources: [names.machineArn('cutover'), names.machineArn('timeline'), names.machineArn('wave')] },
        'states:StartExecution',
      ),
    ],
    incident: [
      may({ resources: functions('incident') }, 'lambda:InvokeFunction'),
      may({ resources: [names.machineArn('incident')] }, 'states:StartExecution'),
    ],
    timeline: [may({ resources: functions('timeline') }, 'lambda:InvokeFunction')],
    wave: [
      may({ resources: functions('wave') }, 'lambda:InvokeFunction'),
      may({ resources: [names.machineArn('wave')] }, 'states:StartExecution'),
    ],
  });
}

/**
 * What reading and writing encrypted data takes beside: DynamoDB uses the key in the name of whoever asks for the data, and Step Functions in that of
 * whoever reads an execution or starts one (DynamoDB developer guide, usage notes of encryption at rest; Step Functions guide, data at rest).
 */
function dataKey({ stack, dataKeyArn }: Surroundings): Permission[] {
  const services = ['dynamodb', 'states'].map((service) => `${service}.${stack.region}.${stack.urlSuffix}`);
  const conditions = { StringEquals: { 'kms:ViaService': services } };
  return [may({ resources: dataKeyArn ? [dataKeyArn] : [], conditions }, 'kms:Decrypt', 'kms:GenerateDataKey')];
}

/** The same of a machine, for its own executions. */
function dataKeyOfMachine({ dataKeyArn }: Surroundings): Permission[] {
  return [may({ resources: dataKeyArn ? [dataKeyArn] : [] }, 'kms:Decrypt', 'kms:GenerateDataKey')];
}

function withKey<Of extends string>(more: Permission[], table: Record<Of, Permission[]>): Record<Of, Permission[]> {
  const entries = Object.entries<Permission[]>(table).map(([of, permissions]) => [of, [...permissions, ...more]]);
  return Object.fromEntries(entries) as Record<Of, Permission[]>;
}

/** What every function needs to be seen. */
export function functionTelemetry(logGroupArn: string): Permission[] {
  return [
    may({ resources: [logGroupArn] }, 'logs:CreateLogStream', 'logs:PutLogEvents'),
    may(anything, 'xray:PutTelemetryRecords', 'xray:PutTraceSegments'),
  ];
}

/** What Lambda does in the function's name to put it into a VPC (Lambda developer guide; AWSLambdaVPCAccessExecutionRole). */
export function vpcAccess(): Permission[] {
  return [
    may(networkInterfaces, 'ec2:AssignPrivateIpAddresses', 'ec2:CreateNetworkInterface', 'ec2:DeleteNetworkInterface'),
    may(networkInterfaces, 'ec2:DescribeNetworkInterfaces', 'ec2:DescribeSubnets', 'ec2:UnassignPrivateIpAddresses'),
  ];
}

/** What every state machine needs to be seen; Step Functions asks for the delivery of its logs with these. */
export function machineTelemetry(): Permission[] {
  return [
    may(logDelivery, 'logs:CreateLogDelivery', 'logs:DeleteLogDelivery', 'logs:GetLogDelivery'),
    may(logDelivery, 'logs:ListLogDeliveries', 'logs:UpdateLogDelivery'),
    may(logDelivery, 'logs:DescribeLogGroups', 'logs:DescribeResourcePolicies', 'logs:PutResourcePolicy'),
    may(anything, 'xray:PutTelemetryRecords', 'xray:PutTraceSegments'),
    may(anything, 'xray:GetSamplingRules', 'xray:GetSamplingTargets'),
  ];
}

/**
 * An alarm's actions in whichever state (CloudWatch user guide, condition keys to limit alarm actions). The key is multi-valued: ForAllValues is
 * true of an absent one, so it must also be there, and an alarm without any action is denied.
 */
function actionConditions(actions: string[]): Pick<Permission, 'conditions'> {
  const key = 'cloudwatch:AlarmActions';
  if (isOpen(actions)) return {};
  return { conditions: { 'ForAllValues:StringLike': { [key]: actions }, Null: { [key]: 'false' } } };
}

/** The keys are multi-valued: ForAllValues is true of an absent key, so each one must also be there. */
function recordConditions(recordNames: string[]): Record<string, Record<string, unknown>> {
  const key = (name: string) => `route53:ChangeResourceRecordSets${name}`;
  const equals: Record<string, string[]> = { [key('Actions')]: RECORD_ACTIONS, [key('RecordTypes')]: RECORD_TYPES };
  if (!isOpen(recordNames)) equals[key('NormalizedRecordNames')] = recordNames.map(normalisedName);
  return {
    'ForAllValues:StringEquals': equals,
    Null: Object.fromEntries(Object.keys(equals).map((name) => [name, 'false'])),
  };
}

/** Items of these keys only. The key is multi-valued, so it must also be there. */
function leadingKeys(...patterns: string[]): Record<string, Record<string, unknown>> {
  const key = 'dynamodb:LeadingKeys';
  return { 'ForAllValues:StringLike': { [key]: patterns }, Null: { [key]: 'false' } };
}

/** As IAM compares record names: lower case, no final dot, all but letters, digits, `_`, `-` and `.` as octal escapes. */
export function normalisedName(name: string): string {
  const octal = (character: string) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`;
  const unescaped = name.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));
  return unescaped
    .toLowerCase()
    .replace(/\.$/, '')
    .replace(/[^a-z0-9_.-]/g, octal);
}
