/** Programmer errors: a simulator whose own assumptions are broken must stop, not go on. */

export class InvariantError extends Error {
  override readonly name = 'InvariantError'
}

/** Throws `InvariantError` unless `condition` holds. `why` states the rule that was broken. */
export function invariant(condition: unknown, why: string): asserts condition {
  if (!condition) throw new InvariantError(why)
}

/** Marks the branch that an exhaustive switch can never take. */
export function unreachable(value: never, what: string): never {
  throw new InvariantError(`${what} has no case for ${JSON.stringify(value)}`)
}
