/** A mistake in the configuration: its message alone tells what to do, without a stack trace. */
export class ConfigurationError extends Error {}
