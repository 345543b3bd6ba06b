/** The functions: a binary, a log group and a role each. */
import {
  closeSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs';
import { BlockList, isIP, isIPv4 } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  Architecture,
  type CfnFunction,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { cargoLambdaVersion, RustFunction } from 'cargo-lambda-cdk';
import { Construct } from 'constructs';
import { ConfigurationError } from './configuration-error';
import { CRATES, type Crate, type Names, PROBING, pascalCase } from './names';
import { functionTelemetry, type Permission, vpcAccess } from './permissions';
import { role } from './role';

/** The Cargo workspace. */
const WORKSPACE = resolve(__dirname, '../..');
/** Where an ELF file names its machine, and how it names these two. */
const ELF_MACHINE = { offset: 18, arm64: 0xb7, x86_64: 0x3e };

/** At 128 MB a function gets half the CPU: its first call then takes twice as long. */
const MEMORY_MB = 256;
/** The fence relies on it: a function that a machine has given up on is over by then, if it writes to routes. */
const TIMEOUT = Duration.seconds(30);
/**
 * One whole processor (Lambda developer guide, memory: 1,769 MB), and the time of the longest turn: warm-up, a minute, and the answers'
 * timeout. It writes to no route.
 */
const LARGER: Partial<Record<Crate, { memorySize: number; timeout: Duration }>> = {
  'load-test': { memorySize: 1769, timeout: Duration.seconds(240) },
  // It searches, and its search ends by what it has tried.
  program: { memorySize: 1769, timeout: Duration.seconds(120) },
};

/**
 * Whoever is called from the internet may take none of the account's concurrency that the others need: more than these are refused with
 * 429, and people answer one at a time.
 */
const MOST_PAGES_AT_ONCE = 5;

/** Where the functions that probe are, so that they reach a new side without a public address. */
export interface ProbeVpc {
  /** Private subnets with a way to AWS's endpoints: two or more, for two zones. */
  readonly subnetIds: string[];
  /** What lets the functions out, and what the new side lets in. */
  readonly securityGroupIds: string[];
}

export interface FunctionsProps {
  readonly names: Names;
  readonly permissions: Record<Crate, Permission[]>;
  /** Environment variables, beside RUST_LOG. */
  readonly environment: Record<Crate, Record<string, string>>;
  readonly architecture: 'arm64' | 'x86_64';
  /** A folder of prebuilt binaries: `<crate>/bootstrap`, as cargo-lambda leaves them, or `<crate>`, as cargo does. */
  readonly binaries: string | undefined;
  /** Whether `answer` is called from the internet. */
  readonly answers: boolean;
  /** `undefined`: no function is in a VPC. */
  readonly probeVpc: ProbeVpc | undefined;
  readonly logRetention: RetentionDays;
  /** What encrypts the logs; `undefined`: AWS's own. */
  readonly dataKey: IKey | undefined;
  readonly retainLogs: boolean;
}

export class Functions extends Construct {
  readonly all: Record<Crate, LambdaFunction>;

  constructor(scope: Construct, id: string, props: FunctionsProps) {
    super(scope, id);
    if (!props.binaries && Stack.of(this).bundlingRequired && !cargoLambdaVersion()) {
      throw new ConfigurationError(
        'cargo-lambda, which builds the functions, is not on the PATH: get it with `pip install cargo-lambda==1.9.2`, or name a ' +
          'folder of prebuilt binaries with `-c binaries=<folder>`.',
      );
    }
    if (props.probeVpc) refuse(props.probeVpc);
    const made = CRATES.map((crate) => [crate, this.make(crate, props)]);
    this.all = Object.fromEntries(made) as Record<Crate, LambdaFunction>;
  }

  private make(crate: Crate, props: FunctionsProps): LambdaFunction {
    const vpc = PROBING.includes(crate) ? props.probeVpc : undefined;
    const made = this.outsideOfVpc(crate, props, vpc ? vpcAccess() : []);
    // The construct's own props want the VPC itself, which then would have to be looked up in the account.
    if (vpc) (made.node.defaultChild as CfnFunction).vpcConfig = { ...vpc };
    return made;
  }

  private outsideOfVpc(crate: Crate, props: FunctionsProps, more: Permission[]): LambdaFunction {
    const functionName = props.names.of(crate);
    const scope = new Construct(this, pascalCase(crate));
    const logGroup = new LogGroup(scope, 'Logs', {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: props.logRetention,
      encryptionKey: props.dataKey,
      removalPolicy: props.retainLogs ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    const permissions = [...props.permissions[crate], ...more, ...functionTelemetry(logGroup.logGroupArn)];
    const architecture = props.architecture === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64;
    const variables = { RUST_LOG: 'info', ...props.environment[crate] };
    refuseLarge(crate, variables);
    const common = {
      functionName,
      description: `Cutover: see functions/${crate}/src/lib.rs`,
      role: role(scope, 'Role', 'lambda', permissions),
      environment: variables,
      memorySize: MEMORY_MB,
      timeout: TIMEOUT,
      ...LARGER[crate],
      ...(crate === 'answer' && props.answers && { reservedConcurrentExecutions: MOST_PAGES_AT_ONCE }),
      tracing: Tracing.ACTIVE,
      loggingFormat: LoggingFormat.JSON,
      logGroup,
    };
    if (props.binaries === undefined) {
      const bundling = { architecture };
      return new RustFunction(scope, 'Function', { ...common, manifestPath: WORKSPACE, binaryName: crate, bundling });
    }
    const prebuilt = (code: Code) => {
      const runtime = Runtime.PROVIDED_AL2023;
      return new LambdaFunction(scope, 'Function', { ...common, code, runtime, architecture, handler: 'bootstrap' });
    };
    return withBootstrap(props.binaries, crate, props.architecture, (folder) => prebuilt(Code.fromAsset(folder)));
  }
}

/** What Lambda takes of environment in all (Lambda quotas). */
export const MOST_ENVIRONMENT_BYTES = 4096;

/** Told here with what takes the room, and not at the deployment. */
function refuseLarge(crate: Crate, variables: Record<string, string>) {
  const sizes = Object.entries(variables).map(([name, value]) => [name, Buffer.byteLength(name + value)] as const);
  const all = sizes.reduce((sum, [, bytes]) => sum + bytes, 0);
  if (all <= MOST_ENVIRONMENT_BYTES) return;
  const largest = [...sizes].sort(([, one], [, other]) => other - one).slice(0, 3);
  const told = largest.map(([name, bytes]) => `${name} ${bytes}`).join(', ');
  throw new ConfigurationError(
    `The lists of the configuration take ${all} bytes of ${crate}'s environment, and Lambda has room for 4,096 (${told}): use patterns, or a stack for each team.`,
  );
}

/** Those of a VPC (RFC 1918, 6598, 4193). */
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'];

/** Where probes may connect to beside public addresses. What is within no network that a stack may have is refused: the functions' own machine, metadata. */
export function probeNetworks(props: { probeVpc?: ProbeVpc; probeNetworks?: string[] }): string[] {
  const networks = props.probeNetworks ?? (props.probeVpc ? PRIVATE : []);
  const isPrivate = new BlockList();
  for (const network of PRIVATE) {
    const [address = '', length] = network.split('/');
    isPrivate.addSubnet(address, Number(length), isIPv4(address) ? 'ipv4' : 'ipv6');
  }
  for (const network of networks) {
    const [address = '', length = '', ...more] = network.split('/');
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    const shortest = /^fc|^fd/i.test(address) ? 7 : 8;
    const isNetwork = more.length === 0 && isIP(address) !== 0 && /^[0-9]{1,3}$/.test(length);
    const isLong = Number(length) >= shortest && Number(length) <= (family === 'ipv4' ? 32 : 128);
    if (!isNetwork || !isLong || !isPrivate.check(address, family)) {
      throw new ConfigurationError(
        `\`probeNetworks\` should be private networks, such as 10.1.0.0/16, not ${network}: public addresses need not be listed, and others are never connected to.`,
      );
    }
  }
  return networks;
}

function refuse({ subnetIds, securityGroupIds }: ProbeVpc) {
  const areIds = (ids: unknown, id: RegExp) =>
    Array.isArray(ids) && ids.length > 0 && ids.every((one) => typeof one === 'string' && id.test(one));
  if (
    !areIds(subnetIds, /^subnet-([0-9a-f]{8}|[0-9a-f]{17})$/) ||
    !areIds(securityGroupIds, /^sg-([0-9a-f]{8}|[0-9a-f]{17})$/)
  ) {
    throw new ConfigurationError(
      '`probeVpc` needs `subnetIds`, such as ["subnet-0a1b2c3d"], and `securityGroupIds`, such as ["sg-0a1b2c3d"].',
    );
  }
}

/** Calls `use` with a folder that holds the crate's binary under the name that Lambda wants. */
function withBootstrap<T>(
  binaries: string,
  crate: Crate,
  architecture: 'arm64' | 'x86_64',
  use: (folder: string) => T,
): T {
  const given = resolve(binaries, crate);
  const isFolder = existsSync(join(given, 'bootstrap'));
  const executable = isFolder ? join(given, 'bootstrap') : given;
  if (!existsSync(executable) || !statSync(executable).isFile()) {
    throw new ConfigurationError(`The folder of binaries, ${binaries}, holds neither ${crate}/bootstrap nor ${crate}.`);
  }
  const machine = elfMachine(executable);
  if (machine !== undefined && machine !== ELF_MACHINE[architecture]) {
    throw new ConfigurationError(
      `${executable} is not built for ${architecture}: build it for that, or set \`-c architecture=\` to what it is for.`,
    );
  }
  if (isFolder) return use(given);
  const folder = mkdtempSync(join(tmpdir(), 'cutover-'));
  try {
    try {
      linkSync(executable, join(folder, 'bootstrap'));
    } catch {
      copyFileSync(executable, join(folder, 'bootstrap')); // another file system
    }
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true }); // the asset has been staged
  }
}

/** For which machine an executable was built; unknown if it is not ELF. */
function elfMachine(executable: string): number | undefined {
  const header = Buffer.alloc(20);
  const file = openSync(executable, 'r');
  const read = readSync(file, header);
  closeSync(file);
  const isElf = read === header.length && header.readUInt32BE(0) === 0x7f454c46;
  return isElf ? header.readUInt16LE(ELF_MACHINE.offset) : undefined;
}
