/** Everything of Cutover in one account and region. */
import { Annotations, CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { accountsEnvironment, ENTERING, type MemberAccounts, memberRoleArns } from './accounts';
import { AnswersKey, type AnswersProps, answersEnvironment, openAnswers } from './answers';
import {
  type AuthorityProps,
  approvalEnvironment,
  authorityEnvironment,
  everyHook,
  type HookFunctions,
  hooksByApplication,
  type Narrowing,
  routesEnvironment,
  said,
} from './authority';
import { ConfigurationError } from './configuration-error';
import { Functions, MOST_ENVIRONMENT_BYTES, type ProbeVpc, probeNetworks } from './functions';
import { type IncidentTimes, incidentTimes, OpenedByItself } from './incidents';
import { Journal } from './journal';
import { CRATES, type Crate, MACHINES, Names, pascalCase } from './names';
import { Notifications, tellMoments } from './notifications';
import { Observability } from './observability';
import { functionPermissions, machinePermissions, type Surroundings } from './permissions';
import { Programmes } from './programmes';
import { Reports } from './reports';
import { SafetyNet } from './safety-net';
import { type ScheduledStart, Schedules } from './schedules';
import { refuseNoTopics } from './spelling';
import { groupTopics, type MessagesProps, mailsEnvironment, messagesEnvironment } from './stakeholders';
import { StateMachines } from './state-machines';
import { StatusPages, type StatusProps, statusEnvironment } from './status-pages';
import { FollowedWaves } from './waves';

/** The defaults suit one installation per account and region; `narrowing` has none, and `emails` deserve a thought. */
export interface CutoverStackProps extends StackProps, MessagesProps, StatusProps, AnswersProps, AuthorityProps {
  /** Before every name, so that several installations fit into one account and region. Default: none. */
  readonly prefix?: string;
  /** The journal's name. Default: `<prefix>cutover-journal`. */
  readonly tableName?: string;
  /** Whether the journal is protected from deletion and outlives the stack. Default: true. */
  readonly retainJournal?: boolean;
  /**
   * A DynamoDB table (partition key `pk`, a text) that stacks of this account and region share, so that no two of them move one listener or name at a
   * time. Default: none, and each stack knows of its own runs only.
   */
  readonly locksTable?: string;
  /**
   * A KMS key of the owner's, for the journal, the logs, and the executions' data: whoever may not use it reads none of them, task tokens included.
   * Default: AWS's keys.
   */
  readonly dataKeyArn?: string;
  /** Whether logs outlive the stack. Default: false. */
  readonly retainLogs?: boolean;
  /** The functions' processor. Default: arm64. */
  readonly architecture?: 'arm64' | 'x86_64';
  /** A folder of prebuilt binaries, `<crate>/bootstrap` or `<crate>`. Default: cargo-lambda builds them. */
  readonly binaries?: string;
  /** How long logs are kept. Default: three months. */
  readonly logRetention?: RetentionDays;
  /** Where `precheck`, `validate` and `load-test` are, which ask the sides. Default: in no VPC, so these need public addresses. */
  readonly probeVpc?: ProbeVpc;
  /**
   * The private networks that probes and load tests may connect to, such as `10.1.0.0/16`. Default: with `probeVpc` the private ones, without it none.
   */
  readonly probeNetworks?: string[];
  /** What plans may change, and where they may send users: every list has to be said. */
  readonly narrowing?: Narrowing;
  /** What alarms that plans set may do: ARNs, in which `*` and `?` are patterns. Default: tell the topics that plans may name, but for `approvalTopicArn`. */
  readonly alarmActions?: string[];
  /** The functions that plans may name as hooks, for all applications or for each. Default: none, so precheck refuses a plan with hooks. */
  readonly hookFunctionArns?: HookFunctions;
  /** The Cognito user pools that listeners of plans authenticate with. Default: none, so precheck refuses such a listener. */
  readonly userPoolArns?: string[];
  /** The fastest that a plan's load test may be, in requests a second to one side. Default: 1,000. */
  readonly maxLoadRatePerSecond?: number;
  /**
   * How many requests a second the runs of waves send to Route 53, all together. The account has five (Route 53 developer guide, quotas), for
   * everybody; while runs go back it may be half as much again. Default: 3.
   */
  readonly route53RequestsPerSecond?: number;
  /** Hosts that load tests may reach, beside those that a plan shows to be its own. Default: none. */
  readonly loadTestHosts?: string[];
  /** The secrets whose headers load tests may send. Default: none, so precheck refuses a plan with one. */
  readonly loadTestSecretArns?: string[];
  /** The topics that plans may name, beside the stack's own; `*`: all of this account and region. Default: none. */
  readonly topicArns?: string[];
  /** The keys of those topics that are encrypted, beside the stack's own. Default: none. */
  readonly topicKeyArns?: string[];
  /** Who is told of alarms. Default: nobody but the topic's later subscribers. */
  readonly emails?: string[];
  /**
   * When people hear of incidents again, where that differs from the default; `false`: rollbacks open none by themselves. Default: they do where
   * the stack has groups of stakeholders.
   */
  readonly incidents?: IncidentTimes | false;
  /**
   * The other accounts in which routes may be, by their ids: what the stack `CutoverAccess` was deployed with there. A region beside the stack's own
   * is entered so, too: list the stack's own account. Default: none.
   */
  readonly accounts?: MemberAccounts;
  /** Cutovers at a set time. Default: none. */
  readonly schedules?: ScheduledStart[];
}

export class CutoverStack extends Stack {
  constructor(scope: Construct, id: string, props: CutoverStackProps = {}) {
    const narrowing = said(props.narrowing);
    super(scope, id, { description: 'Cutover: moves the traffic of applications, and takes it back', ...props });
    const { prefix = '', architecture = 'arm64', logRetention = RetentionDays.THREE_MONTHS } = props;
    if (architecture !== 'arm64' && architecture !== 'x86_64') {
      throw new ConfigurationError(`The architecture should be arm64 or x86_64, not ${architecture}.`);
    }
    if (!/^[a-z0-9-]{0,24}$/.test(prefix)) {
      throw new ConfigurationError('The prefix should be at most 24 lower-case letters, digits and `-`.');
    }
    const names = new Names(this, prefix);
    const dataKey = props.dataKeyArn === undefined ? undefined : Key.fromKeyArn(this, 'DataKey', props.dataKeyArn);
    const logs = { logRetention, dataKey, retainLogs: props.retainLogs ?? false };
    const { table } = new Journal(this, 'Journal', {
      dataKey,
      tableName: props.tableName ?? names.of('journal'),
      retain: props.retainJournal ?? true,
    });
    const { bucket: reports } = new Reports(this, 'Reports', {
      bucketName: `${names.of('reports')}-${this.account}-${this.region}`,
      retain: props.retainJournal ?? true,
    });
    const notifications = new Notifications(this, 'Notifications', { names, emails: props.emails ?? [] });
    const { topic, moments, key } = notifications;
    const answersKeyArn = props.answers ? new AnswersKey(this, 'AnswersKey').secretArn : undefined;
    const programmes = new Programmes(this, 'Programmes', { names });
    refuseNoTopics('topicArns', props.topicArns ?? []);
    refuseNoTopics('stakeholders', groupTopics(props));
    const approvers = props.approvalTopicArn === undefined ? [] : [props.approvalTopicArn];
    const listed = [...(props.topicArns ?? []), ...approvers, ...groupTopics(props)];
    const topicArns = [...new Set([topic.topicArn, ...listed])];
    const here: Surroundings = {
      stack: this,
      names,
      journal: table,
      reports,
      narrowing,
      topicArns,
      alarmActions: props.alarmActions ?? usualActions(topicArns, props.approvalTopicArn, this),
      locksTable: props.locksTable,
      dataKeyArn: props.dataKeyArn,
      asksTags: props.approvalTags !== undefined,
      userPoolArns: props.userPoolArns ?? [],
      hookFunctionArns: everyHook(props.hookFunctionArns ?? []),
      momentsTopicArn: moments.topicArn,
      mailFrom: props.mailFrom,
      mailConfigurationSet: props.mailConfigurationSet,
      webhookSecretArns: props.webhookSecretArns ?? [],
      loadTestSecretArns: props.loadTestSecretArns ?? [],
      answersKeyArn,
      waveSchedulesRoleArn: programmes.roleArn,
      topicKeyArns: [key.keyArn, ...(props.topicKeyArns ?? [])],
      memberRoleArns: memberRoleArns(props.accounts ?? {}, this.partition, prefix),
    };
    const { all: functions } = new Functions(this, 'Functions', {
      names,
      architecture,
      ...logs,
      binaries: props.binaries,
      probeVpc: props.probeVpc,
      answers: props.answers ?? false,
      permissions: functionPermissions(here),
      environment: environment(here, props, programmes.deadLetters.queueArn),
    });
    tellMoments(notifications, functions.tell, functions['status-report']);
    if (props.answers) openAnswers(functions, props);
    const functionArns = byCrate((crate) => functions[crate].functionArn);
    const { all: machines } = new StateMachines(this, 'StateMachines', {
      names,
      ...logs,
      permissions: machinePermissions(here, functionArns),
      values: { Partition: this.partition, ...placeholderValues(names, table.tableName, functionArns) },
    });
    const net = new SafetyNet(this, 'SafetyNet', { names, cutover: machines.cutover, sweep: functions.sweep });
    const opened = opensIncidents(props)
      ? new OpenedByItself(this, 'Incidents', { names, rollback: machines.rollback, incident: machines.incident })
      : undefined;
    new FollowedWaves(this, 'Waves', {
      names,
      wave: machines.wave,
      rollback: machines.rollback,
      deadLetterQueue: net.deadLetters,
    });
    new StatusPages(this, 'StatusPages', {
      names,
      statusReport: functions['status-report'],
      deadLetterQueue: net.deadLetters,
      statusInterval: props.statusInterval,
    });
    const schedules = props.schedules?.length
      ? new Schedules(this, 'Schedules', { names, starts: props.schedules, start: machines.start })
      : undefined;
    new Observability(this, 'Observability', {
      names,
      topic,
      functions,
      machines,
      deadLetters: {
        events: net.deadLetters,
        programmes: programmes.deadLetters,
        ...(opened && { incidents: opened.deadLetters }),
        ...(schedules && { schedules: schedules.deadLetters }),
      },
    });
    for (const machine of MACHINES) {
      new CfnOutput(this, `${pascalCase(machine)}Arn`, { value: machines[machine].stateMachineArn });
    }
    new CfnOutput(this, 'JournalName', { value: table.tableName });
    new CfnOutput(this, 'ReportsBucket', { value: reports.bucketName });
    new CfnOutput(this, 'TopicArn', { value: topic.topicArn });
  }
}

/**
 * What alarms do unless told otherwise: tell the topics that messages may go to, all of account and region where these are all. A `*` among actions would be
 * whatever CloudWatch can do: stop a machine, run a document, invoke a function. Who agrees to cutovers hears of no alarm.
 */
function usualActions(topicArns: string[], approvers: string | undefined, stack: Stack): string[] {
  const topics = topicArns.map((arn) => (arn === '*' ? stack.formatArn({ service: 'sns', resource: '*' }) : arn));
  return topics.filter((arn) => arn !== approvers);
}

/** Without anybody to hear of them, nothing opens incidents. */
function opensIncidents({ incidents, stakeholders = [] }: CutoverStackProps): boolean {
  return incidents === undefined ? stakeholders.length > 0 : incidents !== false;
}

function byCrate<T>(value: (crate: Crate) => T): Record<Crate, T> {
  return Object.fromEntries(CRATES.map((crate) => [crate, value(crate)])) as Record<Crate, T>;
}

/** What each function reads from its environment. */
function environment(
  here: Surroundings,
  props: CutoverStackProps,
  undeliveredArn: string,
): Record<Crate, Record<string, string>> {
  const { names, journal, momentsTopicArn, answersKeyArn } = here;
  const reports = here.reports.bucketName;
  const {
    hookFunctionArns = [],
    maxLoadRatePerSecond = 1000,
    route53RequestsPerSecond = 3,
    loadTestHosts = [],
    loadTestSecretArns = [],
  } = props;
  const messages = messagesEnvironment(props);
  const mails = mailsEnvironment(props);
  const approval = approvalEnvironment(props);
  const authority = authorityEnvironment(here.narrowing, { ...here, ownAlarms: names.of('*') });
  const answers = answersEnvironment(props, answersKeyArn);
  if (!(route53RequestsPerSecond >= 0.1 && route53RequestsPerSecond <= 50)) {
    throw new ConfigurationError('`route53RequestsPerSecond` should be a number from 0.1 to 50; the account has 5.');
  }
  const accounts = accountsEnvironment(props.accounts ?? {}, here.stack.partition, props.prefix ?? '');
  const common = byCrate<Record<string, string>>((crate) => ({
    ...(ENTERING.includes(crate) && accounts),
    JOURNAL_TABLE: journal.tableName,
    LOCKS_TABLE: here.locksTable ?? '',
    ROUTE53_REQUESTS_PER_SECOND: `${route53RequestsPerSecond}`,
  }));
  const machineArns = {
    ROLLBACK_STATE_MACHINE_ARN: names.machineArn('rollback'),
    CLEANUP_STATE_MACHINE_ARN: names.machineArn('cleanup'),
  };
  const load = {
    MAX_LOAD_RATE_PER_SECOND: `${maxLoadRatePerSecond}`,
    LOAD_TEST_HOSTS: loadTestHosts.join(','),
    LOAD_TEST_SECRET_ARNS: loadTestSecretArns.join(','),
  };
  const probes = { PROBE_NETWORKS: JSON.stringify(probeNetworks(props)) };
  return {
    ...common,
    alarms: { ...common.alarms, ...authority.alarms },
    claim: { ...common.claim, ...approval, STAKEHOLDERS: messages.STAKEHOLDERS },
    'listener-swap': { ...common['listener-swap'], ...authority.destinations },
    'weight-shift': { ...common['weight-shift'], ...authority.destinations },
    validate: { ...common.validate, ...probes },
    'load-test': { ...common['load-test'], ...load, ...authority.sides, ...probes, REPORTS_BUCKET: reports },
    answer: { ...common.answer, ...answers.answer },
    incident: {
      ...common.incident,
      INCIDENTS: incidentTimes(props.incidents),
      INCIDENT_STATE_MACHINE_ARN: names.machineArn('incident'),
      MOMENTS_TOPIC_ARN: momentsTopicArn,
      STAKEHOLDERS: messages.STAKEHOLDERS,
    },
    notify: {
      ...common.notify,
      ...machineArns,
      ...answers.linking,
      ...authority.topics,
      MOMENTS_TOPIC_ARN: momentsTopicArn,
    },
    program: {
      ...common.program,
      ...answers.linking,
      ...authority.topics,
      REPORTS_BUCKET: reports,
      CUTOVER_STATE_MACHINE_ARN: names.machineArn('cutover'),
      ...machineArns,
      SCHEDULE_GROUP: names.of('programmes'),
      SCHEDULE_ROLE_ARN: here.waveSchedulesRoleArn,
      SCHEDULE_DEAD_LETTERS_ARN: undeliveredArn,
      START_STATE_MACHINE_ARN: names.machineArn('start'),
      TIMELINE_STATE_MACHINE_ARN: names.machineArn('timeline'),
      WAVE_STATE_MACHINE_ARN: names.machineArn('wave'),
    },
    report: { ...common.report, REPORTS_BUCKET: reports },
    // It refuses plans with other hooks: without, a denied `resume` would come to light when it is needed. And with other
    // alarms, which would be denied when all traffic has moved.
    precheck: withRoutes(here, {
      ...common.precheck,
      ...load,
      ...probes,
      ...approval,
      USER_POOL_ARNS: JSON.stringify(here.userPoolArns),
      TOPIC_KEY_ARNS: JSON.stringify(here.topicKeyArns),
      ...authority.alarms,
      ...authority.destinations,
      ...authority.topics,
      ...mails,
      HOOK_FUNCTION_ARNS: JSON.stringify(hooksByApplication(hookFunctionArns)),
      STAKEHOLDERS: messages.STAKEHOLDERS,
    }),
    'status-report': {
      ...common['status-report'],
      REPORTS_BUCKET: reports,
      CUTOVER_STATE_MACHINE_ARN: names.machineArn('cutover'),
      STATUS: statusEnvironment(props),
    },
    sweep: { ...common.sweep, ...machineArns, ...authority.topics },
    tell: { ...common.tell, ...messages, ...answers.linking, ...approval, ...authority.topics, ...mails },
    timeline: {
      ...common.timeline,
      CUTOVER_STATE_MACHINE_ARN: names.machineArn('cutover'),
      MOMENTS_TOPIC_ARN: momentsTopicArn,
      REPORTS_BUCKET: reports,
      TIMELINE_STATE_MACHINE_ARN: names.machineArn('timeline'),
    },
    wave: {
      ...common.wave,
      ...answers.linking,
      ...approval,
      ...authority.topics,
      ...mails,
      CUTOVER_STATE_MACHINE_ARN: names.machineArn('cutover'),
      MOMENTS_TOPIC_ARN: momentsTopicArn,
      REPORTS_BUCKET: reports,
      ROLLBACK_STATE_MACHINE_ARN: names.machineArn('rollback'),
      STAKEHOLDERS: messages.STAKEHOLDERS,
      WAVE_STATE_MACHINE_ARN: names.machineArn('wave'),
    },
  };
}

/** What RUST_LOG takes of precheck's environment, and what is known at deployment only: names and ARNs that are longer than what stands for them. */
const ROOM_FOR_OTHERS = 250;

/** And what IAM will refuse, as far as there is room to tell it. */
function withRoutes({ stack, narrowing }: Surroundings, variables: Record<string, string>): Record<string, string> {
  const used = Object.entries(variables).reduce((sum, entry) => sum + Buffer.byteLength(entry.join('')), 0);
  const routes = routesEnvironment(narrowing, MOST_ENVIRONMENT_BYTES - used - ROOM_FOR_OTHERS);
  if (routes.untold.length > 0) {
    Annotations.of(stack).addWarningV2(
      'cutover:lists-that-precheck-does-not-know',
      `Precheck has no room for ${routes.untold.join(', ')}: IAM holds them, but a plan that names something else is denied when it moves, and not before people agree. Use patterns, or a stack for each team.`,
    );
  }
  return { ...variables, ...routes.variables };
}

/** What the definitions' placeholders stand for. */
function placeholderValues(names: Names, journal: string, functionArns: Record<Crate, string>): Record<string, string> {
  return {
    JournalTableName: journal,
    ...Object.fromEntries(
      MACHINES.map((machine) => [`${pascalCase(machine)}StateMachineArn`, names.machineArn(machine)]),
    ),
    ...Object.fromEntries(CRATES.map((crate) => [`${pascalCase(crate)}FunctionArn`, functionArns[crate]])),
  };
}
