/** What is deployed, and how it is called. Names are fixed, so that roles and machines can name each other. */
import { ArnFormat, type Stack } from 'aws-cdk-lib';

/** The functions: a crate of the workspace each. */
export const CRATES = [
  'alarms',
  'answer',
  'baseline',
  'claim',
  'cleanup',
  'dashboard',
  'incident',
  'listener-swap',
  'load-test',
  'monitor',
  'notify',
  'precheck',
  'program',
  'replication-lag',
  'report',
  'rollback',
  'status-report',
  'sweep',
  'tell',
  'timeline',
  'validate',
  'wave',
  'weight-shift',
] as const;
export type Crate = (typeof CRATES)[number];

/** The functions that ask the sides themselves: with private ones, they have to be in their VPC. */
export const PROBING: readonly Crate[] = ['load-test', 'precheck', 'validate'];

/** The state machines: a file `statemachine/<name>.asl.yaml` each. */
export const MACHINES = ['cutover', 'rollback', 'cleanup', 'start', 'incident', 'program', 'timeline', 'wave'] as const;
export type Machine = (typeof MACHINES)[number];

/** `listener-swap` becomes `ListenerSwap`. */
export function pascalCase(name: string): string {
  return name.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** The physical names of one stack. */
export class Names {
  constructor(
    private readonly stack: Stack,
    private readonly prefix: string,
  ) {}

  /** Of anything that belongs to the suite as a whole, or of a function: `cutover-<what>`. */
  of(what: string): string {
    return `${this.prefix}cutover-${what}`;
  }

  machine(machine: Machine): string {
    return `${this.prefix}${machine}`;
  }

  /** Made from its name, not from the resource: the machines start each other, and resources must not form a circle. */
  machineArn(machine: Machine): string {
    return this.states('stateMachine', this.machine(machine));
  }

  /** All executions of a machine. */
  executionsArn(machine: Machine): string {
    return this.states('execution', `${this.machine(machine)}:*`);
  }

  private states(resource: string, resourceName: string): string {
    return this.stack.formatArn({
      service: 'states',
      resource,
      resourceName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  }
}
