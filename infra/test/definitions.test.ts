/**
 * The definitions, as they lie in statemachine/, pass asl-validator: their form by the Amazon States Language's schema,
 * their JSONata by the reference implementation's parser.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

// The package has no types of its own.
import validate = require('asl-validator');

const folder = join(__dirname, '../../statemachine');

for (const file of readdirSync(folder).filter((name) => name.endsWith('.asl.json'))) {
  test(`${file} passes asl-validator`, () => {
    const result = validate(JSON.parse(readFileSync(join(folder, file), 'utf8')));
    assert.deepEqual(result.errors, []);
  });
}
