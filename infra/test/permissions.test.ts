/** The permissions of the template are those of the table, and the table is what the code calls. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { rendered } from '../lib/definitions';
import { CRATES, type Crate, MACHINES, pascalCase } from '../lib/names';
import { INVOKED, normalisedName } from '../lib/permissions';
import { actionsAt, type Json, ROOT, statementsAt, synthesize } from './support';

const FUNCTIONS = join(ROOT, 'functions');
const TELEMETRY = /^(logs|xray):/;
const byDefault = synthesize();
const sorted = (items: Iterable<string>) => [...new Set(items)].sort();

/** The Rust sources of a crate, without unit tests. */
function sources(crate: string): string {
  const files = readdirSync(join(FUNCTIONS, crate, 'src'), { recursive: true, encoding: 'utf8' });
  const rust = files.filter((file) => file.endsWith('.rs'));
  const text = rust.map((file) => readFileSync(join(FUNCTIONS, crate, 'src', file), 'utf8'));
  return text.map((source) => source.split('#[cfg(test)]')[0]).join('\n');
}

/** The calls that a crate names where it turns their errors into its own: `"service:Action ...`. */
function named(crate: string): string[] {
  return [...sources(crate).matchAll(/"([a-z0-9]+:[A-Z][A-Za-z]+)/g)].map((match) => match[1] ?? '');
}

/** What the libraries call for a function. A transaction needs the permission of each write in it. */
const LIBRARIES: Record<string, string[]> = {
  'journal.read': ['dynamodb:GetItem'],
  'journal.fence': ['dynamodb:GetItem'],
  'journal.find': ['dynamodb:GetItem'],
  'journal.lock_holders': ['dynamodb:BatchGetItem'],
  'journal.claim': ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:PutItem'],
  'journal.transition': ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
  'journal.mark_quiesced': ['dynamodb:UpdateItem'],
  'journal.mark_past_no_return': ['dynamodb:UpdateItem'],
  'journal.remember_alarm': ['dynamodb:UpdateItem'],
  'journal.count_sweep': ['dynamodb:UpdateItem'],
  'journal.open_runs': ['dynamodb:Query'],
  'listener_swap::observe::live': ['elasticloadbalancing:DescribeListeners', 'elasticloadbalancing:DescribeRules'],
  'listener_swap::observe::health': ['elasticloadbalancing:DescribeTargetHealth'],
  'listener_swap::write': ['elasticloadbalancing:ModifyListener', 'elasticloadbalancing:ModifyRule'],
  'weight_shift::observe::name': ['route53:ListResourceRecordSets'],
  'weight_shift::observe::all_of_name': ['route53:ListResourceRecordSets'],
  'weight_shift::health_check::of_run': ['route53:ListHealthChecks'],
  'weight_shift::health_check::references': [],
  'weight_shift::health_check::delete_of_run': ['route53:DeleteHealthCheck', 'route53:ListHealthChecks'],
};

/** What AWS wants of a caller beside the call's own permission. */
const IMPLIED: Record<string, string[]> = {
  // For a topic that is encrypted with a key.
  'sns:Publish': ['kms:Decrypt', 'kms:GenerateDataKey'],
  // For a listener or rule that authenticates with Cognito.
  'elasticloadbalancing:ModifyListener': ['cognito-idp:DescribeUserPoolClient'],
  'elasticloadbalancing:ModifyRule': ['cognito-idp:DescribeUserPoolClient'],
};

/** A change `to` an ending without locks, or a function that answers one. */
const RELEASING = /(\bto(?::| =)[^;]*?|-> Phase \{[^}]*?)Phase::(RolledBack|Closed)\b/;

function called(crate: Crate): string[] {
  const text = sources(crate);
  const uses = [
    ...[...text.matchAll(/\bjournal\s*\.\s*([a-z_]+)\(/g)].map((match) => `journal.${match[1]}`),
    ...[...text.matchAll(/\b((?:listener_swap|weight_shift)::[a-z_:]+)\(/g)].map((match) => match[1] ?? ''),
  ];
  const throughLibraries = uses.flatMap((use) => {
    assert.ok(LIBRARIES[use], `${crate} calls ${use}: say here which permissions that takes`);
    return LIBRARIES[use];
  });
  // The endings that release locks delete them in the same transaction.
  const releases = uses.includes('journal.transition') && RELEASING.test(text);
  const calls = [...named(crate), ...throughLibraries, ...(releases ? ['dynamodb:DeleteItem'] : [])];
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
        called(crate),
      );
      assert.deepEqual(
        allowed.filter((action) => TELEMETRY.test(action)),
        ['logs:CreateLogStream', 'logs:PutLogEvents', 'xray:PutTelemetryRecords', 'xray:PutTraceSegments'],
      );
    });
  }

  test('the journal calls what is known of it here', () => {
    const transactions = ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:TransactWriteItems'];
    assert.deepEqual(sorted(named('journal')), [...transactions, 'dynamodb:UpdateItem']);
    const writes = [...sources('journal').matchAll(/\b(Put|Update|Delete|ConditionCheck)::builder\(/g)];
    assert.deepEqual(sorted(writes.map((match) => match[1] ?? '')), ['Delete', 'Put', 'Update']);
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

  test('names are normalised as IAM compares them', () => {
    assert.equal(normalisedName('A_b-1.Example.com.'), 'a_b-1.example.com');
    assert.equal(normalisedName('\\052.example.com'), '\\052.example.com');
    assert.equal(normalisedName('*.example.com'), '\\052.example.com');
  });
});
