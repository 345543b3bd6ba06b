/** A mistake in the configuration: its message alone tells what to do, without a stack trace. */
export class ConfigurationError extends Error {}

/** Makes an app for `cdk`. A mistake in the configuration ends as one sentence. */
export function runApp(make: () => unknown) {
  try {
    make();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    console.error(`error: ${error.message}`);
    process.exit(1);
  }
}
