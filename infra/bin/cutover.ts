/** What `cdk` runs. A mistake in the configuration ends as one sentence. */
import { cutoverApp } from '../lib/app';
import { ConfigurationError } from '../lib/configuration-error';

try {
  cutoverApp();
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error;
  console.error(`error: ${error.message}`);
  process.exit(1);
}
