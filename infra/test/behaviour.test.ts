/** How the definitions behave: walked through with scripted answers, every order, wait and way out is seen. */
import { describe, test } from 'node:test';
import { rendered } from '../lib/definitions';
import { FACTS } from './machine/facts';

for (const [machine, facts] of Object.entries(FACTS)) {
  describe(machine, () => {
    const definition = JSON.parse(rendered(machine));
    for (const { name, holds } of facts) test(name, () => holds(definition));
  });
}
