/**
 * The store refused what would have been an invalid state; nothing of the transaction stays. Services check
 * first, so it points at a mistake in the program, not of a person.
 */
export class InvalidStateError extends Error {
  override readonly name = 'InvalidStateError';
  /**
   * Which rules of the schema are violated, sorted: names of checks, uniqueness rules and triggers, and
   * `TABLE_to_TABLE` for a broken reference. The same in every adapter.
   */
  readonly rules: readonly string[];

  /** @param rules at least one */
  constructor(rules: readonly string[], options?: ErrorOptions) {
    super(`the metadata would be invalid: ${rules.join(', ')}`, options);
    this.rules = rules;
  }
}

export function violates(error: unknown, rule: string): boolean {
  return error instanceof InvalidStateError && error.rules.includes(rule);
}
