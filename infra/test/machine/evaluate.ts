/** The definitions' JSONata by the reference implementation, with what Step Functions adds to the language. */
import { createHash } from 'node:crypto';

import jsonata = require('jsonata');

import type { Definition } from '../../lib/definitions';

export type Scope = Record<string, unknown>;

const COMPILED = new Map<string, jsonata.Expression>();

function compiled(text: string): jsonata.Expression {
  const known = COMPILED.get(text);
  if (known) return known;
  const expression = jsonata(/^\{%(.*)%\}$/s.exec(text)?.[1] ?? '');
  expression.registerFunction('parse', (json: string) => JSON.parse(json));
  expression.registerFunction('hash', (value: string) => createHash('sha256').update(value).digest('hex'));
  COMPILED.set(text, expression);
  return expression;
}

/** The value of `{% ... %}`; undefined is an error, as in Step Functions. */
export async function evaluated(text: string, scope: Scope): Promise<Definition> {
  const value = await compiled(text).evaluate(undefined, scope);
  if (value === undefined) throw new Error(`${text} answers nothing`);
  // Lists of JSONata carry more than their items.
  return value !== null && typeof value === 'object' ? JSON.parse(JSON.stringify(value)) : value;
}

const PLAIN = new WeakMap<object, boolean>();

/** Whether there is no expression in a value. */
function isPlain(value: object): boolean {
  const known = PLAIN.get(value);
  if (known !== undefined) return known;
  const isOne = !JSON.stringify(value).includes('"{%');
  PLAIN.set(value, isOne);
  return isOne;
}

/** A value with every expression in it evaluated. */
export async function filled(value: Definition, scope: Scope): Promise<Definition> {
  if (typeof value === 'string') return value.startsWith('{%') ? evaluated(value, scope) : value;
  if (value === null || typeof value !== 'object') return value;
  if (isPlain(value)) return value;
  if (Array.isArray(value)) return Promise.all(value.map((item) => filled(item, scope)));
  const entries: [string, Definition][] = [];
  for (const [key, item] of Object.entries(value)) entries.push([key, await filled(item, scope)]);
  return Object.fromEntries(entries);
}
