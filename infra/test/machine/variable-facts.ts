/** What a machine remembers: nothing is read that is not known on every way there, and nothing is remembered for nobody. */
import assert from 'node:assert/strict';
import type { Definition } from '../../lib/definitions';
import type { Fact } from './fact';
import { statesOf } from './graph';

/** Names that are read below a value, apart from those of functions and of what is written down there itself. */
function namesRead(value: Definition): Set<string> {
  const text = JSON.stringify(value);
  const own = new Set([...text.matchAll(/\$(\w+) :=/g)].map(([, name]) => name));
  const read = [...text.matchAll(/\$([A-Za-z]\w*)(?![\w(])/g)].map(([, name = '']) => name);
  return new Set(read.filter((name) => name !== 'states' && !own.has(name)));
}

interface Way {
  readonly to: string;
  readonly assigned: string[];
}

/** Each way out of a state, with what is remembered on it. */
function waysFrom(state: Definition): Way[] {
  const ways = [{ ...state, Next: state.Next ?? state.Default }, ...(state.Choices ?? []), ...(state.Catch ?? [])];
  return ways.filter(({ Next }) => Next).map(({ Next, Assign }) => ({ to: Next, assigned: Object.keys(Assign ?? {}) }));
}

const both = (one: Set<string>, other: Set<string>) => new Set([...one].filter((name) => other.has(name)));

/** What is known for certain where a state begins, of all that can be reached. */
function known(machine: Definition, outer: Set<string>): Map<string, Set<string>> {
  const certain = new Map([[machine.StartAt as string, outer]]);
  const open: string[] = [machine.StartAt];
  for (let name = open.pop(); name; name = open.pop()) {
    for (const { to, assigned } of waysFrom(machine.States[name])) {
      const now = new Set([...(certain.get(name) ?? []), ...assigned]);
      const before = certain.get(to);
      const after = before ? both(before, now) : now;
      if (before && after.size === before.size) continue;
      certain.set(to, after);
      open.push(to);
    }
  }
  return certain;
}

/** Each state that reads what need not be known there, and what that is. */
function unknown(machine: Definition, outer = new Set<string>()): string[] {
  return [...known(machine, outer)].flatMap(([name, certain]) => {
    const { ItemProcessor, ...own } = machine.States[name] as Definition;
    const missing = [...namesRead(own)].filter((read) => !certain.has(read)).map((read) => `${name} reads ${read}`);
    return [...missing, ...(ItemProcessor ? unknown(ItemProcessor, certain) : [])];
  });
}

export const facts: Fact[] = [
  {
    name: 'nothing is read that is not known on every way there',
    holds: (definition) => assert.deepEqual(unknown(definition), []),
  },
  {
    name: 'nothing is remembered that nothing reads',
    holds: (definition) => {
      const read = namesRead(definition);
      const assigned = statesOf(definition).flatMap(([, state]) => waysFrom({ Next: 'end', ...state }));
      const idle = assigned.flatMap(({ assigned }) => assigned).filter((name) => !read.has(name));
      assert.deepEqual(idle, []);
    },
  },
];
