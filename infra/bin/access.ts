/** What `cdk --app "npx tsx bin/access.ts"` runs: the stack `CutoverAccess`, for an account that a central stack enters. */
import { accessApp } from '../lib/app';
import { ConfigurationError } from '../lib/configuration-error';

try {
  accessApp();
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error;
  console.error(`error: ${error.message}`);
  process.exit(1);
}
