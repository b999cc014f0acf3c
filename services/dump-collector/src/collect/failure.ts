/** The end of a capture that cannot succeed. */
import type { Verification } from '../manifest/verify-file.ts'

/** Another run of the job cannot do better; `found` is what a verification on the way has told already. */
export class CaptureFailure extends Error {
  override readonly name = 'CaptureFailure'
  readonly found: Verification | undefined
  constructor(
    message: string,
    options: { readonly cause?: unknown; readonly found?: Verification },
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.found = options.found
  }
}

const failureCharactersMax = 1024

/** An error with its causes as one line, e.g. for `failure` of a dump. */
export function describeError(error: unknown): string {
  const messages: string[] = []
  for (let cause = error; cause instanceof Error && messages.length < 4; cause = cause.cause) {
    if (!messages.includes(cause.message)) messages.push(cause.message)
  }
  const text = messages.length === 0 ? String(error) : messages.join(': ')
  return text.slice(0, failureCharactersMax)
}
