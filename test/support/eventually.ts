/** Waiting in tests: for a condition, never for a time. */

const pollMs = 5
const eventuallyTimeoutMs = 10_000

/** Resolves as soon as `condition` holds; fails with `what` when it does not within `timeoutMs`. */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number = eventuallyTimeoutMs,
): Promise<void> {
  const late = AbortSignal.timeout(timeoutMs)
  while (!(await condition())) {
    if (late.aborted) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
}
