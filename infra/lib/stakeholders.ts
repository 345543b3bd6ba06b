/** Who hears of every run, from whom, and how that looks: what the function `tell` is given, and `precheck` knows by name. */
import { ConfigurationError } from './configuration-error';

/** A group of people, as plans have it: `events/cutover.schema.json` describes each field. */
export interface Group {
  readonly name: string;
  readonly format?: 'summary' | 'detailed' | 'technical';
  readonly time_zone?: string;
  readonly language?: 'en' | 'de' | 'fr' | 'es' | 'it' | 'pt';
  readonly channels: readonly Record<string, unknown>[];
  readonly moments?: readonly string[];
  readonly may_answer?: boolean;
  readonly responds?: number;
}

/** How messages look. */
export interface Branding {
  /** Who writes. Default: Cutover. */
  readonly name?: string;
  /** `#rrggbb`. */
  readonly colour?: string;
  /** Below each message: whom to ask. */
  readonly footer?: string;
}

export interface MessagesProps {
  /** The groups that hear of every run, unless its plan names some of them. Default: none. */
  readonly stakeholders?: Group[];
  /** The sender of mails: an identity that SES has verified. Default: none, so no mail is sent. */
  readonly mailFrom?: string;
  /**
   * Whom plans and waves may have mail sent to by groups of their own: addresses, and domains for every address there; `*` and `?` are patterns. The stack's
   * own groups need no mention. Default: nobody.
   */
  readonly mailTo?: string[];
  /** The configuration set that tells bounces and complaints. Default: none. */
  readonly mailConfigurationSet?: string;
  /** The secrets that hold webhooks' addresses. Default: none. */
  readonly webhookSecretArns?: string[];
  /** Default: Cutover's own. */
  readonly branding?: Branding;
  /** Sources of templates by name (`succeeded.txt`, `layout.html`, ...), in place of the built-in ones. Default: none. */
  readonly messageTemplates?: Record<string, string>;
}

/** Lambda takes 4 KB of environment in all; the rest of a function's is some hundred bytes. */
const MOST_BYTES = 3000;

/** The environment of `tell`. */
export function messagesEnvironment(props: MessagesProps): { STAKEHOLDERS: string; MESSAGES: string } {
  const { stakeholders = [], mailFrom, mailConfigurationSet, branding, messageTemplates } = props;
  for (const group of stakeholders) refuse(group);
  if (mailFrom !== undefined && !/^[^\s@<>,;:"]+@[A-Za-z0-9.-]+$/.test(mailFrom)) {
    throw new ConfigurationError(
      `\`mailFrom\` should be an address alone, such as cutover@example.com, not ${mailFrom}.`,
    );
  }
  const messages = {
    ...(mailFrom && { mail_from: mailFrom }),
    ...(mailConfigurationSet && { configuration_set: mailConfigurationSet }),
    ...(branding && { branding }),
    ...(messageTemplates && { templates: messageTemplates }),
  };
  const made = { STAKEHOLDERS: JSON.stringify(stakeholders), MESSAGES: JSON.stringify(messages) };
  const bytes = Buffer.byteLength(made.STAKEHOLDERS + made.MESSAGES);
  if (bytes > MOST_BYTES) {
    throw new ConfigurationError(
      `Groups, branding and templates take ${bytes} bytes, more than the ${MOST_BYTES} that a function has room for: ` +
        'write groups that few runs need into their plans, and make templates shorter.',
    );
  }
  return made;
}

/** Whom plans' and waves' own groups may write to, for those who look at such groups and who send. */
export function mailsEnvironment({ mailTo = [] }: MessagesProps): { MAIL_TO: string } {
  return { MAIL_TO: JSON.stringify(mailTo) };
}

/** The topics that the stack's own groups are told by: whoever configures it has listed these. */
export function groupTopics({ stakeholders = [] }: MessagesProps): string[] {
  const topics = stakeholders.flatMap(({ channels }) => (Array.isArray(channels) ? channels : []));
  return topics.map(({ topic_arn: arn }) => arn).filter((arn) => typeof arn === 'string');
}

/** What would be found out at the first message only. The functions look closer when they start. */
function refuse({ name, time_zone: zone = 'UTC', channels, moments, responds = 0 }: Group) {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name ?? '')) {
    throw new ConfigurationError(`\`stakeholders\`: a group's name should be 1 to 64 of A-Z a-z 0-9 - _, not ${name}.`);
  }
  if (!Array.isArray(channels) || channels.length === 0) {
    throw new ConfigurationError(`\`stakeholders\`: ${name} has no channels: give it one or more.`);
  }
  if (responds > 0 && moments !== undefined && !moments.includes('incident')) {
    throw new ConfigurationError(
      `\`stakeholders\`: ${name} responds, and its moments lack "incident": it would never be called.`,
    );
  }
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
  } catch {
    throw new ConfigurationError(
      `\`stakeholders\`: ${name}'s time zone ${zone} is none: write one such as Europe/Berlin.`,
    );
  }
}
