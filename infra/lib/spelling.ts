/** What is written nearly right: a setting of security that is misspelt would be silently off. */
import { Token } from 'aws-cdk-lib';
import { ConfigurationError } from './configuration-error';

/** What a person may have put into the context for tools of their own, and CDK for itself: these have a `:` or a `/`. */
function isOfTools(name: string): boolean {
  return /[:/]/.test(name);
}

/** Refuses context values whose names are none of ours and nearly one. Whatever else is there is somebody else's. */
export function refuseMisspelt(given: readonly string[], known: readonly string[]) {
  for (const name of given.filter((name) => !known.includes(name) && !isOfTools(name))) {
    const [nearest, distance] = known
      .map((one) => [one, changes(name.toLowerCase(), one.toLowerCase())] as const)
      .reduce((best, one) => (one[1] < best[1] ? one : best), ['', Number.POSITIVE_INFINITY] as const);
    if (distance <= Math.min(2, Math.floor(nearest.length / 4))) {
      throw new ConfigurationError(
        `The context value \`${name}\` is none of the configuration's, and would be passed over: is it \`${nearest}\`? Rename it, or take it out.`,
      );
    }
  }
}

/** How many letters differ: put in, left out, changed, or changed for their neighbours (optimal string alignment). */
export function changes(one: string, other: string): number {
  const rows: number[][] = Array.from({ length: one.length + 1 }, (_, row) => [row]);
  const at = (row: number, column: number) => rows[row]?.[column] ?? Number.POSITIVE_INFINITY;
  for (let column = 1; column <= other.length; column += 1) rows[0]?.push(column);
  for (let row = 1; row <= one.length; row += 1) {
    for (let column = 1; column <= other.length; column += 1) {
      const differs = one[row - 1] === other[column - 1] ? 0 : 1;
      const isSwapped =
        row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      const swapped = isSwapped ? at(row - 2, column - 2) + 1 : Number.POSITIVE_INFINITY;
      const best = Math.min(
        at(row - 1, column) + 1,
        at(row, column - 1) + 1,
        at(row - 1, column - 1) + differs,
        swapped,
      );
      rows[row]?.push(best);
    }
  }
  return at(one.length, other.length);
}

/** A topic that messages go to, by its ARN. A FIFO topic wants a group of each message, which nothing here gives. */
export function refuseNoTopic(prop: string, arn: string) {
  if (Token.isUnresolved(arn)) return;
  if (typeof arn === 'string' && /\.fifo$/.test(arn)) {
    throw new ConfigurationError(
      `\`${prop}\` should name a standard topic: ${arn} is a FIFO topic, to which nothing is published.`,
    );
  }
  if (typeof arn !== 'string' || !/^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[\w-]{1,256}$/.test(arn)) {
    throw new ConfigurationError(
      `\`${prop}\` should be a topic's ARN, such as arn:aws:sns:eu-west-1:123456789012:changes, not ${arn}.`,
    );
  }
}

/** A list of such, in which `*` is all, and `*` and `?` are patterns. */
export function refuseNoTopics(prop: string, arns: readonly string[]) {
  for (const arn of arns) {
    if (arn === '*' || (/[*?]/.test(arn) && /^arn:[^:]+:sns:/.test(arn))) continue;
    refuseNoTopic(prop, arn);
  }
}
