/**
 * The state machines: the definitions as they are rendered, byte for byte; only `${Placeholders}` are filled, at deployment.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RemovalPolicy, Stage, Validations } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import {
  CustomerManagedEncryptionConfiguration,
  DefinitionBody,
  LogLevel,
  StateMachine,
} from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { rendered } from './definitions';
import { MACHINES, type Machine, type Names, pascalCase } from './names';
import { machineTelemetry, type Permission } from './permissions';
import { role } from './role';

/** The names of the placeholders in a definition. */
export function placeholders(definition: string): string[] {
  return [...new Set([...definition.matchAll(/\$\{([A-Za-z0-9]+)\}/g)].map((match) => match[1] ?? ''))].sort();
}

export interface StateMachinesProps {
  readonly names: Names;
  readonly permissions: Record<Machine, Permission[]>;
  /** What fills the placeholders. */
  readonly values: Record<string, string>;
  readonly logRetention: RetentionDays;
  /** What encrypts logs, definitions, and executions' data; `undefined`: AWS's own. */
  readonly dataKey: IKey | undefined;
  readonly retainLogs: boolean;
}

export class StateMachines extends Construct {
  readonly all: Record<Machine, StateMachine>;

  constructor(scope: Construct, id: string, props: StateMachinesProps) {
    super(scope, id);
    const made = MACHINES.map((machine) => [machine, this.make(machine, props)]);
    this.all = Object.fromEntries(made) as Record<Machine, StateMachine>;
  }

  private make(machine: Machine, props: StateMachinesProps): StateMachine {
    const scope = new Construct(this, pascalCase(machine));
    const stateMachineName = props.names.machine(machine);
    // Vended logs: other names each need a place in the account's resource policy, which is short.
    const destination = new LogGroup(scope, 'Logs', {
      logGroupName: `/aws/vendedlogs/states/${stateMachineName}`,
      retention: props.logRetention,
      encryptionKey: props.dataKey,
      removalPolicy: props.retainLogs ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    const definition = rendered(machine);
    const made = new StateMachine(scope, 'Machine', {
      stateMachineName,
      definitionBody: DefinitionBody.fromFile(this.written(machine, definition)),
      ...this.substitutions(machine, definition, props.values),
      role: role(scope, 'Role', 'states', [...props.permissions[machine], ...machineTelemetry()]),
      ...(props.dataKey && { encryptionConfiguration: new CustomerManagedEncryptionConfiguration(props.dataKey) }),
      tracingEnabled: true,
      // Errors only, and without data: the history of a Standard workflow holds every event with its data for 90 days, so
      // logs serve alarms and searches across runs. Hooks' payloads and answers are the application's: they stay there.
      logs: { destination, level: LogLevel.ERROR, includeExecutionData: false },
    });
    Validations.of(made).acknowledge({
      id: 'AwsSolutions-SF1',
      reason:
        'Standard workflows keep every event in their history for 90 days; logging all of them again adds only cost.',
    });
    return made;
  }

  /** A file with the definition, for CDK to deploy; it lies with all else that is synthesized. */
  private written(machine: Machine, definition: string): string {
    const folder = join(Stage.of(this)?.outdir ?? '', 'definitions');
    const file = join(folder, `${machine}.asl.json`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, definition);
    return file;
  }

  /** Exactly what the definition asks for; nothing at all where it asks for nothing, as CloudFormation refuses an empty map. */
  private substitutions(machine: Machine, definition: string, values: Record<string, string>) {
    const filled = placeholders(definition).map((name) => {
      const value = values[name];
      if (value === undefined) throw new Error(`The definition of ${machine}: nothing fills \${${name}}.`);
      return [name, value];
    });
    return filled.length > 0 ? { definitionSubstitutions: Object.fromEntries(filled) as Record<string, string> } : {};
  }
}
