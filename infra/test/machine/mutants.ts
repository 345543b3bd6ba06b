/**
 * Small changes of a definition's meaning, each of one kind: what a slip of the hand would leave behind. One that no fact
 * sees shows what the facts do not defend.
 */
import type { Definition } from '../../lib/definitions';

export interface Mutant {
  readonly kind: string;
  readonly state: string;
  readonly what: string;
  readonly definition: Definition;
}

/** A change of one state, in a copy of the whole; `siblings` are the states of the same machine or Map. */
interface Change {
  readonly kind: string;
  readonly what: string;
  readonly make: (state: Definition, siblings: Definition) => void;
}

type Operator = (state: Definition, name: string, siblings: Definition) => Change[];

/** Every mutant of a definition. */
export function mutantsOf(definition: Definition): Mutant[] {
  return places(definition).flatMap((place) => {
    const machine = at(definition, place.slice(0, -2));
    const name = place.at(-1) ?? '';
    return OPERATORS.flatMap((operator) => operator(machine.States[name], name, machine)).map(
      ({ kind, what, make }) => {
        const changed = structuredClone(definition);
        const machine = at(changed, place.slice(0, -2));
        make(machine.States[name], machine);
        return { kind, state: name, what, definition: changed };
      },
    );
  });
}

/** The path of every state, those inside of Maps too. */
function places(machine: Definition, above: string[] = []): string[][] {
  return Object.entries<Definition>(machine.States).flatMap(([name, state]) => {
    const path = [...above, 'States', name];
    return [path, ...(state.ItemProcessor ? places(state.ItemProcessor, [...path, 'ItemProcessor']) : [])];
  });
}

function at(value: Definition, path: (string | number)[]): Definition {
  return path.reduce((within, key) => within[key], value);
}

/** A change of what lies at a path of a state. */
function put(kind: string, path: (string | number)[], value: unknown): Change {
  const make = (state: Definition) => {
    at(state, path.slice(0, -1))[path.at(-1) ?? ''] = value;
  };
  return { kind, what: `${path.join('.')}: ${JSON.stringify(value)}`, make };
}

function drop(kind: string, path: (string | number)[]): Change {
  const make = (state: Definition) => {
    const within = at(state, path.slice(0, -1));
    const key = path.at(-1) ?? '';
    if (Array.isArray(within)) within.splice(Number(key), 1);
    else delete within[key];
  };
  return { kind, what: `without ${path.join('.')}`, make };
}

const inner = (text: string) => text.replace(/^\{%|%\}$/g, '');

/** Paths to every text, number and list below a value. */
function leaves(value: Definition, path: (string | number)[] = []): (string | number)[][] {
  if (value === null || typeof value !== 'object') return [path];
  return Object.entries<Definition>(value).flatMap(([key, item]) =>
    leaves(item, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}

/** Paths to every key below a value that is a map. */
function keys(value: Definition, path: (string | number)[]): (string | number)[][] {
  if (value === null || typeof value !== 'object') return [];
  return Object.entries<Definition>(value).flatMap(([key, item]) => [
    ...(Array.isArray(value) ? [] : [[...path, key]]),
    ...keys(item, [...path, Array.isArray(value) ? Number(key) : key]),
  ]);
}

const waits: Operator = (state) => {
  if (state.Type !== 'Wait') return [];
  const { Seconds } = state;
  const twice = typeof Seconds === 'number' ? 2 * Seconds : `{% 2 * (${inner(Seconds)}) %}`;
  return [0, 1, twice].map((seconds) => put('wait', ['Seconds'], seconds));
};

const orders: Operator = (state, name) => {
  const { Next } = state;
  if (!Next) return [];
  const skipped = (machine: Definition) => {
    redirect(machine, name, Next);
  };
  const swapped = (machine: Definition) => {
    const next = machine.States[Next];
    redirect(machine, name, Next);
    const self = machine.States[name];
    self.Next = next.Next;
    next.Next = name;
  };
  return [
    { kind: 'order', what: 'left out', make: (_: Definition, machine: Definition) => skipped(machine) },
    {
      kind: 'order',
      what: `after ${Next} instead of before`,
      make: (_: Definition, machine: Definition) => swapped(machine),
    },
  ];
};

/** Whatever leads to one state leads to another. */
function redirect(machine: Definition, from: string, to: string) {
  if (machine.StartAt === from) machine.StartAt = to;
  for (const state of Object.values<Definition>(machine.States)) {
    for (const way of [state, ...(state.Choices ?? []), ...(state.Catch ?? [])]) {
      for (const key of ['Next', 'Default']) if (way[key] === from) way[key] = to;
    }
  }
}

const choices: Operator = (state) => {
  if (state.Type !== 'Choice') return [];
  const targets = [...new Set<string>([...state.Choices.map(({ Next }: Definition) => Next), state.Default])];
  return state.Choices.flatMap((rule: Definition, index: number) => [
    put('choice', ['Choices', index, 'Condition'], `{% $not(${inner(rule.Condition)}) %}`),
    put('choice', ['Choices', index, 'Condition'], '{% true %}'),
    put('choice', ['Choices', index, 'Condition'], '{% false %}'),
    ...targets.filter((to) => to !== rule.Next).map((to) => put('choice', ['Choices', index, 'Next'], to)),
    ...(index > 0 ? [earlier(index)] : []),
  ]).concat(targets.filter((to) => to !== state.Default).map((to) => put('choice', ['Default'], to)));
};

function earlier(index: number): Change {
  const make = ({ Choices }: Definition) => {
    Choices.splice(index - 1, 2, Choices[index], Choices[index - 1]);
  };
  return { kind: 'choice', what: `rule ${index} before rule ${index - 1}`, make };
}

const catchers: Operator = (state, name) =>
  (state.Catch ?? []).flatMap((catcher: Definition, index: number) => [
    drop('catch', ['Catch', index]),
    ...[...new Set([state.Next, name, ...state.Catch.map(({ Next }: Definition) => Next)])]
      .filter((to) => to && to !== catcher.Next)
      .map((to) => put('catch', ['Catch', index, 'Next'], to)),
    ...(index > 0 ? [put('catch', ['Catch', index - 1, 'ErrorEquals'], ['States.ALL'])] : []),
  ]);

/** What is remembered, wherever that is said. */
const assigned: Operator = (state) =>
  keys(state, [])
    .filter((path) => path.at(-2) === 'Assign' && !path.includes('ItemProcessor'))
    .flatMap((path) => [
      drop('assign', path),
      ...(at(state, path) === null ? [] : [put('assign', path, typeof at(state, path) === 'number' ? 17 : null)]),
    ]);

const asked: Operator = (state) =>
  keys(state.Arguments, ['Arguments']).flatMap((path) => [
    drop('argument', path),
    ...(typeof at(state, path) === 'string' ? [put('argument', path, 'something else')] : []),
  ]);

const answered: Operator = (state) => {
  const own = keys(state.Output, ['Output']).map((path) => drop('output', path));
  const ways = ['Error', 'Cause'].filter((key) => state.Type === 'Fail' && state[key]);
  return [...own, ...ways.map((key) => put('output', [key], 'something else'))];
};

const lists: Operator = (state) => {
  if (state.Type !== 'Map') return [];
  const items = inner(state.Items);
  return [
    put('list', ['Items'], `{% $reverse(${items}) %}`),
    put('list', ['Items'], `{% [(${items})[0]] %}`),
    put('list', ['Items'], `{% [(${items})[[1..9]]] %}`),
    put('list', ['Items'], '{% [] %}'),
    // 0 stands for as many as there are, and so does nothing.
    ...[0, 1]
      .filter((most) => most !== (state.MaxConcurrency ?? 0))
      .map((most) => put('list', ['MaxConcurrency'], most)),
  ];
};

const timeouts: Operator = (state) =>
  state.TimeoutSeconds ? [drop('time-out', ['TimeoutSeconds']), put('time-out', ['TimeoutSeconds'], 20)] : [];

const retries: Operator = (state) =>
  (state.Retry ?? []).flatMap((_: Definition, index: number) => [
    drop('retry', ['Retry', index]),
    put('retry', ['Retry', index, 'MaxAttempts'], 20),
    put('retry', ['Retry', index, 'IntervalSeconds'], 5),
    drop('retry', ['Retry', index, 'JitterStrategy']),
    put('retry', ['Retry', index, 'ErrorEquals'], ['Test.Other']),
  ]);

/** A slip within an expression: one operator, number or name for another. */
const SLIPS: [RegExp, string][] = [
  [/>=/g, '>'],
  [/<=/g, '<'],
  [/ < /g, ' <= '],
  [/ = /g, ' != '],
  [/ and /g, ' or '],
  [/ or /g, ' and '],
  [/\$not\(/g, '('],
  [/ \+ 1/g, ''],
  [/ \+ /g, ' - '],
  [/\$min\(/g, '$max('],
  [/(?<= )\d+(?=[ ,)])/g, '2'],
  [/(?<= )\d+(?=[ ,)])/g, '29'],
  [/null(?= : )/g, "'x'"],
];

const slips: Operator = (state) =>
  leaves(state)
    .filter((path) => !path.includes('ItemProcessor') && !['Comment', 'Resource'].includes(`${path[0]}`))
    .flatMap((path) => {
      const text = at(state, path);
      // What failed is told by an expression that has tests of its own.
      if (typeof text !== 'string' || !text.startsWith('{%') || text.includes('$substringAfter')) return [];
      return SLIPS.flatMap(([slip, instead]) =>
        [...text.matchAll(slip)].map(({ index, 0: found }) =>
          put('slip', path, text.slice(0, index) + instead + text.slice(index + found.length)),
        ),
      ).filter(({ what }) => !what.endsWith(`: ${JSON.stringify(text)}`));
    });

const OPERATORS = [waits, orders, choices, catchers, assigned, asked, answered, lists, timeouts, retries, slips];
