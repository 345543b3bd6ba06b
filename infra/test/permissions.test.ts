/** The permissions of the template are those of the table, and the table is what the code calls. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { ENTERING } from '../lib/accounts';
import { OPEN } from '../lib/authority';
import { CutoverAccess } from '../lib/cutover-access';
import { rendered } from '../lib/definitions';
import { CRATES, type Crate, MACHINES, pascalCase } from '../lib/names';
import { INVOKED, normalisedName } from '../lib/permissions';
import { actionsAt, type Json, logicalIdAt, ROOT, statementsAt, synthesize } from './support';

const FUNCTIONS = join(ROOT, 'functions');
const TELEMETRY = /^(logs|xray):/;
const SECRET = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:chat-AbCdEf';
const byDefault = synthesize({
  userPoolArns: ['arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_a'],
  answers: true,
  mailFrom: 'cutover@example.com',
  webhookSecretArns: [SECRET],
  loadTestSecretArns: [SECRET],
  approvalTopicArn: 'arn:aws:sns:eu-west-1:123456789012:changes',
  approvalTags: { criticality: 'high' },
  accounts: { '222222222222': { externalId: 'sixteen-or-more-characters' } },
});
const sorted = (items: Iterable<string>) => [...new Set(items)].sort();

/** What a function says that it does in other accounts: a list, and no calls. */
const ELSEWHERE = /pub const ELSEWHERE: &\[&str\] =\s*&\[([^\]]*)\];/;

/** The Rust files of a crate, without unit tests. */
function rustFiles(crate: string): [file: string, source: string][] {
  const files = readdirSync(join(FUNCTIONS, crate, 'src'), { recursive: true, encoding: 'utf8' });
  const rust = files.filter((file) => file.endsWith('.rs') && !/(^|[\\/_])tests\.rs$/.test(file));
  const read = (file: string) =>
    (readFileSync(join(FUNCTIONS, crate, 'src', file), 'utf8').split('#[cfg(test)]')[0] ?? '').replace(ELSEWHERE, '');
  return rust.map((file) => [file, read(file)]);
}

/** The Rust sources of a crate, without unit tests. */
function sources(crate: string): string {
  return rustFiles(crate)
    .map(([, source]) => source)
    .join('\n');
}

/** The calls that a text names where it turns their errors into its own: `"service:Action ...`. */
function callsIn(text: string): string[] {
  return [...text.matchAll(/"([a-z0-9]+:[A-Z][A-Za-z]+)/g)].map((match) => match[1] ?? '');
}

/** The calls that a crate names. */
function named(crate: string): string[] {
  return callsIn(sources(crate));
}

/** A write to a run's item, which makes room in it first where it is full. */
const IN_ROOM = ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'];

/** What the journal calls for a function. A transaction needs the permission of each write in it. */
const JOURNAL: Record<string, string[]> = {
  'journal.read': ['dynamodb:GetItem'],
  'journal.fence': ['dynamodb:GetItem'],
  'journal.find': ['dynamodb:GetItem'],
  'journal.line': ['dynamodb:GetItem'],
  'journal.line_said': ['dynamodb:GetItem', 'dynamodb:PutItem'],
  'journal.check_deadline': ['dynamodb:GetItem'],
  'journal.share': ['dynamodb:GetItem', 'dynamodb:PutItem'],
  'journal.lock_holders': ['dynamodb:BatchGetItem'],
  'journal.standing': ['dynamodb:GetItem'],
  'journal.held_applications': ['dynamodb:Scan'],
  'journal.claim': ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:PutItem'],
  'journal.transition': IN_ROOM,
  'journal.mark_quiesced': IN_ROOM,
  'journal.mark_past_no_return': IN_ROOM,
  'journal.remember_alarm': IN_ROOM,
  'journal.remember_baseline': IN_ROOM,
  'journal.remember_counted': IN_ROOM,
  'journal.remember_report': ['dynamodb:UpdateItem'],
  'journal.count_sweep': IN_ROOM,
  'journal.count_trouble': IN_ROOM,
  'journal.followed': ['dynamodb:Query'],
  'journal.is_followed_so': ['dynamodb:GetItem'],
  'journal.open_runs': ['dynamodb:Query'],
  'journal.incident': ['dynamodb:GetItem'],
  'journal.remember_incident': ['dynamodb:PutItem'],
  'journal.past_runs': ['dynamodb:Scan'],
  'journal.programme': ['dynamodb:GetItem'],
  'journal.remember_programme': ['dynamodb:PutItem'],
  'journal.timeline': ['dynamodb:GetItem'],
  'journal.remember_timeline': ['dynamodb:PutItem'],
  'journal.wave': ['dynamodb:GetItem'],
  'journal.remember_wave': ['dynamodb:PutItem'],
  'journal.wave_part': ['dynamodb:GetItem'],
  'journal.keep_wave_part': ['dynamodb:PutItem'],
  'journal.see': ['dynamodb:BatchGetItem'],
  'journal.hold': IN_ROOM,
  'journal.remember_page_link': ['dynamodb:PutItem'],
  'journal.knows_page_link': ['dynamodb:GetItem'],
  'journal.count_sent': ['dynamodb:UpdateItem'],
  'journal.told': ['dynamodb:GetItem'],
  'journal.undelivered': ['dynamodb:GetItem'],
  'journal.undelivered_lines': ['dynamodb:GetItem'],
  'journal.remember_undelivered': ['dynamodb:PutItem'],
  'journal.remember_told': ['dynamodb:PutItem'],
  'journal.ask': ['dynamodb:PutItem'],
  'journal.asked': ['dynamodb:GetItem'],
  'journal.remember_link': ['dynamodb:UpdateItem'],
  'journal.answer': ['dynamodb:UpdateItem'],
  'journal.hand_over': ['dynamodb:UpdateItem'],
  'journal.turn': ['dynamodb:GetItem'],
  'journal.set_turn': ['dynamodb:UpdateItem'],
  'journal.owed': ['dynamodb:GetItem', 'dynamodb:Scan'],
  'journal.release': [...IN_ROOM, 'dynamodb:DeleteItem', 'dynamodb:Scan'],
};

/** What AWS wants of a caller beside the call's own permission. */
const IMPLIED: Record<string, string[]> = {
  // For a topic that is encrypted with a key.
  'sns:Publish': ['kms:Decrypt', 'kms:GenerateDataKey'],
  // For a listener or rule that authenticates with Cognito.
  'elasticloadbalancing:ModifyListener': ['cognito-idp:DescribeUserPoolClient'],
  'elasticloadbalancing:ModifyRule': ['cognito-idp:DescribeUserPoolClient'],
  // For the role by which a schedule is delivered.
  'scheduler:CreateSchedule': ['iam:PassRole'],
  'scheduler:UpdateSchedule': ['iam:PassRole'],
  // For an alarm with tags.
  'cloudwatch:PutMetricAlarm': ['cloudwatch:TagResource'],
};

/** A change `to` an ending without locks, or a function that answers one. */
const RELEASING = /(\bto(?::| =)[^;]*?|-> Phase \{[^}]*?)Phase::(RolledBack|Closed)\b/;

/** What is read of hooks: by default a stack lists none, and in other accounts it is the role there that may. */
const OF_HOOKS = 'lambda:GetPolicy';

/** What is made to enter other accounts by. */
const ENTERS = /\b(?:access::Access::of|routes::any::Clients::new)\(/;

/** The libraries whose functions call AWS for others, each with the permissions of its caller. */
const LIBRARIES = ['access', 'bucket', 'executions', 'history', 'links', 'routes', 'replication', 'secrets', 'watch'];

/**
 * The functions of the libraries by their paths, `routes::listener::observe::live`, each with its text. A module is a file, and
 * a function ends where its closing brace stands at the beginning of a line.
 */
const LIBRARY: Record<string, string> = Object.fromEntries(
  LIBRARIES.flatMap((crate) => rustFiles(crate).map(([file, source]) => [crate, file, source] as const)).flatMap(
    ([crate, file, source]) => {
      const parts = file.replace(/\.rs$/, '').split(/[\\/]/);
      const module = [crate, ...parts.filter((part) => part !== 'lib')].join('::');
      const functions = [...source.matchAll(/^(?:pub(?:\([a-z]+\))? )?(?:async )?fn ([a-z0-9_]+)[\s\S]*?^\}/gm)];
      return functions.map((found) => [`${module}::${found[1]}`, found[0]]);
    },
  ),
);

/** Where a text within `module` finds what it calls by `call`: beside it, in its room, or from the library's root. */
function libraryFunction(module: string, call: string): string | undefined {
  const [crate = '', room = ''] = module.split('::');
  return [module, `${crate}::${room}`, crate].map((place) => `${place}::${call}`).find((path) => LIBRARY[path]);
}

/** The calls that a function of a library names: its own, and those of the library's functions that it calls. */
function namedByLibrary(path: string, seen: Set<string> = new Set()): string[] {
  const text = LIBRARY[path];
  assert.ok(text, `${path} is not a function of a library`);
  if (seen.has(path)) return [];
  seen.add(path);
  const module = path.split('::').slice(0, -1).join('::');
  const calls = [...text.matchAll(/(?<![.\w:])((?:[a-z0-9_]+::)*[a-z0-9_]+)\(/g)].map((match) => match[1] ?? '');
  const inside = calls.map((call) => libraryFunction(module, call)).filter((place) => place !== undefined);
  return [...callsIn(text), ...throughJournal(path, text), ...inside.flatMap((place) => namedByLibrary(place, seen))];
}

/** What a text calls of the journal. */
function journalUses(text: string): string[] {
  return [...text.matchAll(/\bjournal\s*\.\s*([a-z_]+)\(/g)].map((match) => `journal.${match[1]}`);
}

/** What those calls take. */
function throughJournal(whose: string, text: string): string[] {
  return journalUses(text).flatMap((use) => {
    const taken = JOURNAL[use];
    assert.ok(taken, `${whose} calls ${use}: say here which permissions that takes`);
    return taken;
  });
}

/** What a text imports of the libraries that is no type, as paths: `routes::listener::pair`, `replication::judge`. */
function importedOfLibrary(text: string): string[] {
  return [
    ...text.matchAll(/^use (access|bucket|executions|history|links|routes|replication|secrets|watch)::([^;]*);/gm),
  ].flatMap(([, crate, imported = '']) => {
    const [, path = '', names = ''] = /^((?:\w+::)*)\{?([^}]*)\}?$/.exec(imported) ?? [];
    const lower = names.split(',').map((name) => name.trim());
    return lower.filter((name) => /^[a-z]/.test(name)).map((name) => `${crate}::${path}${name}`.replace(/::self$/, ''));
  });
}

/** Whether a function, or every function of a module, calls nothing. */
function isPure(path: string): boolean {
  const name = path.split('::').pop();
  const meant = Object.keys(LIBRARY).filter((known) => known.endsWith(`::${name}`) || known.includes(`::${name}::`));
  return meant.length > 0 && meant.every((known) => namedByLibrary(known).length === 0);
}

function called(crate: Crate): string[] {
  const text = sources(crate);
  const uses = journalUses(text);
  const paths = [
    ...text.matchAll(
      /\b((?:access|bucket|executions|history|links|routes|replication|secrets|watch)::(?:[a-z0-9_]+::)*[a-z0-9_]+)\(/g,
    ),
  ].map((match) => match[1] ?? '');
  const imported = importedOfLibrary(text).filter((path) => !path.startsWith(`${crate}::`)); // its own main does
  for (const path of imported) {
    assert.ok(isPure(path), `${crate} imports ${path}: call what calls AWS, and modules, by their whole path`);
  }
  // The endings that release locks delete them in the same transaction.
  const releases = uses.includes('journal.transition') && RELEASING.test(text);
  const calls = [
    ...named(crate),
    ...throughJournal(crate, text),
    ...paths.flatMap((path) => namedByLibrary(path)),
    ...(releases ? ['dynamodb:DeleteItem'] : []),
    ...(ENTERS.test(text) ? ['sts:AssumeRole'] : []),
  ];
  return sorted(calls.flatMap((call) => [call, ...(IMPLIED[call] ?? [])]));
}

describe('functions', () => {
  test('every crate with a main is deployed', () => {
    const crates = readdirSync(FUNCTIONS).filter((crate) => existsSync(join(FUNCTIONS, crate, 'src/main.rs')));
    assert.deepEqual([...CRATES], crates.sort());
  });

  for (const crate of CRATES) {
    test(`${crate} may do what it calls, and nothing else`, () => {
      const allowed = actionsAt(byDefault, `Functions/${pascalCase(crate)}/Role`);
      assert.deepEqual(
        allowed.filter((action) => !TELEMETRY.test(action)),
        called(crate).filter((action) => action !== OF_HOOKS),
      );
      assert.deepEqual(
        allowed.filter((action) => TELEMETRY.test(action)),
        ['logs:CreateLogStream', 'logs:PutLogEvents', 'xray:PutTelemetryRecords', 'xray:PutTraceSegments'],
      );
    });
  }

  test('the journal calls what is known of it here', () => {
    const reads = ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:Scan'];
    const writes = ['dynamodb:PutItem', 'dynamodb:TransactWriteItems', 'dynamodb:UpdateItem'];
    assert.deepEqual(sorted(named('journal')), sorted([...reads, ...writes]));
    const written = [...sources('journal').matchAll(/\b(Put|Update|Delete|ConditionCheck)::builder\(/g)];
    assert.deepEqual(sorted(written.map((match) => match[1] ?? '')), ['Delete', 'Put', 'Update']);
  });
});

describe('other accounts', () => {
  /** What the functions do at home only: names' aliases lead to load balancers there. */
  const AT_HOME: Partial<Record<Crate, string[]>> = {
    monitor: ['elasticloadbalancing:DescribeLoadBalancers', 'elasticloadbalancing:DescribeTargetGroups'],
    'weight-shift': [
      'elasticloadbalancing:DescribeLoadBalancers',
      'elasticloadbalancing:DescribeTargetGroups',
      'elasticloadbalancing:DescribeTargetHealth',
    ],
  };
  const NAMED = /^(cloudwatch|cognito-idp|dms|elasticloadbalancing|route53):/;
  /** What is seen in other accounts only: the policies there. At home topics are looked at by one that the lists narrow. */
  const THERE = [OF_HOOKS, 'sns:GetTopicAttributes'];
  const elsewhere = (crate: Crate) => {
    const source = readFileSync(join(FUNCTIONS, crate, 'src/lib.rs'), 'utf8');
    return [...(ELSEWHERE.exec(source)?.[1] ?? '').matchAll(/"([^"]+)"/g)].map((match) => match[1] ?? '');
  };

  test('the functions that enter them are those that may', () => {
    const entering = CRATES.filter((crate) => ENTERS.test(sources(crate)));
    assert.deepEqual(entering, [...ENTERING]);
    assert.deepEqual(
      CRATES.filter((crate) => elsewhere(crate).length > 0),
      entering,
    );
  });

  for (const crate of ENTERING) {
    test(`${crate} has a session for what it may do at home, and nothing else`, () => {
      const own = actionsAt(byDefault, `Functions/${pascalCase(crate)}/Role`).filter((action) => NAMED.test(action));
      assert.deepEqual(
        elsewhere(crate).filter((action) => !THERE.includes(action)),
        own.filter((action) => !AT_HOME[crate]?.includes(action)),
      );
    });
  }

  test('the role there allows what all of them do, and nothing else', () => {
    const app = new App({ analyticsReporting: false });
    const props = { centralAccount: '111111111111', externalId: 'sixteen-or-more-characters', narrowing: OPEN };
    const template = Template.fromStack(
      new CutoverAccess(app, 'CutoverAccess', {
        ...props,
        userPoolArns: ['*'],
        alarmActions: ['*'],
        hookFunctionArns: ['arn:aws:lambda:eu-west-1:222222222222:function:stop'],
      }),
    ).toJSON();
    const [role] = Object.values<Json>(template.Resources);
    const statements: Json[] = role.Properties.Policies[0].PolicyDocument.Statement;
    assert.deepEqual(sorted(statements.flatMap((statement) => statement.Action)), sorted(ENTERING.flatMap(elsewhere)));
  });
});

describe('the libraries', () => {
  test('every call is in a function that is seen here', () => {
    assert.deepEqual(sorted(Object.values(LIBRARY).flatMap(callsIn)), sorted(LIBRARIES.flatMap(named)));
  });

  test('whoever calls a function that calls AWS is seen to', () => {
    const calling = Object.keys(LIBRARY).filter((path) => callsIn(LIBRARY[path] ?? '').length > 0);
    const names = new Set(calling.map((path) => path.split('::').pop()));
    for (const [path, text] of Object.entries(LIBRARY)) {
      const module = path.split('::').slice(0, -1).join('::');
      const calls = [...text.matchAll(/(?<![.\w:])((?:[a-z0-9_]+::)*([a-z0-9_]+))\(/g)];
      for (const [, call = '', name = ''] of calls) {
        assert.ok(
          !names.has(name) || libraryFunction(module, call),
          `${path} calls ${call}, and where that is, is not seen`,
        );
      }
    }
  });
});

describe('state machines', () => {
  const INTEGRATIONS: Record<string, string> = {
    'arn:${Partition}:states:::lambda:invoke': 'lambda:InvokeFunction',
    'arn:${Partition}:states:::lambda:invoke.waitForTaskToken': 'lambda:InvokeFunction',
    'arn:${Partition}:states:::states:startExecution': 'states:StartExecution',
    'arn:${Partition}:states:::dynamodb:getItem': 'dynamodb:GetItem',
  };

  for (const machine of MACHINES) {
    const definition = rendered(machine);

    test(`${machine} may do what its states do, and nothing else`, () => {
      const resources = [...definition.matchAll(/"Resource": "([^"]+)"/g)].map((match) => match[1] ?? '');
      const needed = resources.map((resource) => {
        assert.ok(INTEGRATIONS[resource], `${machine} uses ${resource}: say here which permission that takes`);
        return INTEGRATIONS[resource];
      });
      const allowed = actionsAt(byDefault, `StateMachines/${pascalCase(machine)}/Role`);
      assert.deepEqual(
        allowed.filter((action) => !TELEMETRY.test(action)),
        sorted(needed),
      );
    });

    test(`${machine} invokes exactly the functions that its definition names`, () => {
      const wanted = [...definition.matchAll(/\$\{([A-Za-z]+)FunctionArn\}/g)].map((match) => match[1] ?? '');
      assert.deepEqual(INVOKED[machine].map(pascalCase).sort(), sorted(wanted));
    });

    test(`${machine} invokes hooks only where its definition has them`, () => {
      const hook = 'arn:aws:lambda:eu-west-1:123456789012:function:hook';
      const statements = statementsAt(withHook, `StateMachines/${pascalCase(machine)}/Role`);
      const invoked = statements.filter((statement) => statement.Action === 'lambda:InvokeFunction');
      const hasHooks = definition.includes('"FunctionName": "{% $states.input.function_arn %}"');
      assert.equal(invoked.flatMap((statement) => statement.Resource).includes(hook), hasHooks);
    });
  }
  const withHook = synthesize({ hookFunctionArns: ['arn:aws:lambda:eu-west-1:123456789012:function:hook'] });
});

describe('narrowing', () => {
  const arn = (resource: string) => `arn:aws:elasticloadbalancing:eu-west-1:123456789012:${resource}`;
  const narrow = synthesize({
    narrowing: {
      listeners: [arn('listener/app/shop/1/2')],
      rules: [],
      targetGroups: [arn('targetgroup/old/3')],
      hostedZones: ['Z1'],
      recordNames: ['Shop.Example.COM.', '*.shop.example.com'],
      alarmNames: ['shop-*'],
    },
    topicArns: ['arn:aws:sns:eu-west-1:123456789012:shop'],
  });
  const statement = (function_: string, action: string, from = narrow): Json =>
    statementsAt(from, `Functions/${function_}/Role`).find(({ Action }) => [Action].flat().includes(action));

  test('listeners, rules and target groups', () => {
    for (const name of ['ListenerSwap', 'Cleanup']) {
      const modify = 'elasticloadbalancing:ModifyListener';
      assert.equal(statement(name, modify).Resource, arn('listener/app/shop/1/2'));
      assert.equal(statement(name, 'elasticloadbalancing:ModifyRule'), undefined, 'an empty list allows none');
    }
    const remove = statement('Cleanup', 'elasticloadbalancing:DeleteTargetGroup');
    assert.equal(remove.Resource, arn('targetgroup/old/3'));
  });

  test('hosted zones and record names, each multi-valued key with its Null check', () => {
    const change = statement('WeightShift', 'route53:ChangeResourceRecordSets');
    assert.match(JSON.stringify(change.Resource), /:route53:::hostedzone\/Z1"/);
    assert.deepEqual(change.Condition, {
      'ForAllValues:StringEquals': {
        'route53:ChangeResourceRecordSetsActions': ['CREATE', 'DELETE'],
        'route53:ChangeResourceRecordSetsRecordTypes': ['A', 'AAAA', 'CNAME'],
        'route53:ChangeResourceRecordSetsNormalizedRecordNames': ['shop.example.com', '\\052.shop.example.com'],
      },
      Null: {
        'route53:ChangeResourceRecordSetsActions': 'false',
        'route53:ChangeResourceRecordSetsRecordTypes': 'false',
        'route53:ChangeResourceRecordSetsNormalizedRecordNames': 'false',
      },
    });
  });

  test('without names, types and actions are still conditions', () => {
    const change = statement('WeightShift', 'route53:ChangeResourceRecordSets', byDefault);
    assert.deepEqual(Object.keys(change.Condition.Null).length, 2);
  });

  test('the record types are those that a plan may have', () => {
    const plan = readFileSync(join(FUNCTIONS, 'cutover/src/plan/routes.rs'), 'utf8');
    const types = /pub enum RecordType \{(.*?)^\}/ms.exec(plan)?.[1] ?? '';
    const names = [...types.matchAll(/^ {4}([A-Z][A-Za-z]*),$/gm)].map((match) => (match[1] ?? '').toUpperCase());
    assert.deepEqual(names, ['A', 'AAAA', 'CNAME']);
  });

  test('alarms and topics', () => {
    assert.match(JSON.stringify(statement('Alarms', 'cloudwatch:PutMetricAlarm').Resource), /:alarm:shop-\*"/);
    const topics = statement('Notify', 'sns:Publish').Resource;
    assert.equal(topics.length, 2, "the stack's own, and the listed one");
    assert.deepEqual(statement('Precheck', 'sns:GetTopicAttributes').Resource, topics);
  });

  test('an alarm is set with listed actions only, and one without any is not taken for one', () => {
    const plain = synthesize();
    const topic = { Ref: logicalIdAt(plain, 'Notifications/Topic/Resource') };
    const key = 'cloudwatch:AlarmActions';
    assert.deepEqual(statement('Alarms', 'cloudwatch:PutMetricAlarm', plain).Condition, {
      'ForAllValues:StringLike': { [key]: [topic] },
      Null: { [key]: 'false' },
    });
    const open = synthesize({ alarmActions: ['*'] });
    assert.equal(statement('Alarms', 'cloudwatch:PutMetricAlarm', open).Condition, undefined);
  });

  test("the stack's own alarms are denied to plans, whatever the stack allows", () => {
    for (const [from, name] of [
      [byDefault, 'cutover-*'],
      [synthesize({ prefix: 'blue-', alarmActions: ['*'] }), 'blue-cutover-*'],
    ] as const) {
      const denials = statementsAt(from, 'Functions/Alarms/Role').filter(({ Effect }) => Effect === 'Deny');
      assert.equal(denials.length, 1);
      const [{ Action, Resource, Condition }] = denials as [Json];
      assert.deepEqual(Action, ['cloudwatch:DeleteAlarms', 'cloudwatch:PutMetricAlarm', 'cloudwatch:TagResource']);
      assert.ok(JSON.stringify(Resource).includes(`:alarm:${name}"`) && Condition === undefined);
    }
  });

  test('without listed topics and pools, messages go to the topic of the stack, and no client of a pool is read', () => {
    const plain = synthesize();
    const topic = { Ref: logicalIdAt(plain, 'Notifications/Topic/Resource') };
    for (const name of ['Notify', 'Tell', 'Sweep', 'Wave', 'Program']) {
      assert.deepEqual(statement(name, 'sns:Publish', plain).Resource, topic, name);
    }
    for (const name of ['ListenerSwap', 'Cleanup']) {
      assert.equal(statement(name, 'cognito-idp:DescribeUserPoolClient', plain), undefined);
    }
    const group = { name: 'a', channels: [{ type: 'sns', topic_arn: 'arn:aws:sns:eu-west-1:123456789012:a' }] };
    const told = statement('Tell', 'sns:Publish', synthesize({ stakeholders: [group] })).Resource;
    assert.equal(told[1], 'arn:aws:sns:eu-west-1:123456789012:a', 'a group of the stack is listed by the stack');
  });

  test('names are normalised as IAM compares them', () => {
    assert.equal(normalisedName('A_b-1.Example.com.'), 'a_b-1.example.com');
    assert.equal(normalisedName('\\052.example.com'), '\\052.example.com');
    assert.equal(normalisedName('*.example.com'), '\\052.example.com');
  });
});
