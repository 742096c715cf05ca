/** The command was called in a way it does not take: exit code 2. */
export class UsageError extends Error {}
