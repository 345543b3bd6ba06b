/** Pages on which people answer what a run asks: the key of their links, and the address of the function `answer`. */
import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import { FunctionUrlAuthType, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { ConfigurationError } from './configuration-error';
import type { Crate } from './names';

export interface AnswersProps {
  /** Whether messages that ask have links to pages that answer. Default: false. */
  readonly answers?: boolean;
  /**
   * The address of what stands before these pages, such as a company's sign-on: `https://answers.example.com`. The function then takes
   * signed requests only (AuthType AWS_IAM). Default: the function's own address, which anybody can reach, and whose links alone let in.
   */
  readonly answersUrl?: string;
  /**
   * The header by which what stands there tells who has signed on, such as `x-forwarded-user`: their name is then that, and verified. Default: people write
   * their names themselves, and nobody verifies these.
   */
  readonly answersIdentityHeader?: string;
}

/** The key that signs links. CDK never sees it: Secrets Manager makes it. */
export class AnswersKey extends Construct {
  readonly secretArn: string;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const secret = new Secret(this, 'Secret', {
      description: 'Cutover: signs the links that answer. Whoever changes it makes all links void within five minutes.',
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
      removalPolicy: RemovalPolicy.DESTROY,
    });
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'Rotation makes links void that people have got. They end by themselves with the time to answer; whoever must, changes it by hand.',
    });
    this.secretArn = secret.secretArn;
  }
}

/** Those who make links. */
const LINKING = ['notify', 'program', 'tell', 'wave'] as const;

/** Gives `answer` its address, and tells those who make links. */
export function openAnswers(functions: Record<Crate, LambdaFunction>, { answersUrl }: AnswersProps) {
  // With NONE, CDK allows everybody what Lambda asks for since October 2025: to invoke the URL, and the function by way of it.
  const authType = answersUrl ? FunctionUrlAuthType.AWS_IAM : FunctionUrlAuthType.NONE;
  const { url } = functions.answer.addFunctionUrl({ authType });
  for (const crate of LINKING) functions[crate].addEnvironment('ANSWERS_URL', answersUrl ?? url);
}

/** What `answer`, and those who make links, find in their environments; the address comes later. */
export function answersEnvironment(props: AnswersProps, keyArn: string | undefined) {
  const key = { ANSWERS_KEY_ARN: keyArn ?? '' };
  const linking = { ...key, ANSWERS_URL: '' };
  const answer = { ...key, ANSWERS_ORIGINS: origin(props), ANSWERS_IDENTITY_HEADER: identityHeader(props) };
  return { answer, linking };
}

function identityHeader({ answersUrl, answersIdentityHeader: header = '' }: AnswersProps): string {
  if (header !== '' && answersUrl === undefined) {
    throw new ConfigurationError(
      '`answersIdentityHeader` is for `answersUrl`: without something that signs people on, anybody can write a header.',
    );
  }
  if (!/^[A-Za-z0-9-]{0,64}$/.test(header)) {
    throw new ConfigurationError(`\`answersIdentityHeader\` should be the name of a header, not ${header}.`);
  }
  return header.toLowerCase();
}

function origin({ answers = false, answersUrl }: AnswersProps): string {
  if (answersUrl === undefined) return '';
  if (!answers)
    throw new ConfigurationError('`answersUrl` is for `answers`: set that to true, or take the address out.');
  const [found] = /^https:\/\/[a-z0-9.-]+(:[0-9]+)?(?=\/?$)/.exec(answersUrl) ?? [];
  if (!found) {
    throw new ConfigurationError(
      `\`answersUrl\` should be an address without a path, such as https://answers.example.com, not ${answersUrl}.`,
    );
  }
  return found;
}
