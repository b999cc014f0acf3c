/** A running console as a command asks it, and what it refuses in the words of a command line. */
import { hmcRoutes, Problem } from '@fadump-lab/shared/contracts'
import { createClient, type Client } from '@fadump-lab/shared/http'
import { bearer } from '@fadump-lab/shared/identity'
import { UnavailableError } from '@fadump-lab/shared/runtime'
import { UsageError } from './command.ts'
import { NoInputError } from './explain/errors.ts'
import { findToken } from './token-file.ts'

export type Console = Client<typeof hmcRoutes>

export interface ConsoleAddress {
  /** Base URL of the console. */
  readonly api: string
  /** File with a token of that console. */
  readonly tokenFile: string
}

/** Errors of `ask`: `UsageError`, `NoInputError` for what is not there, `UnavailableError`. */
export async function askConsole<Answer>(
  { api, tokenFile }: ConsoleAddress,
  ask: (routes: Console) => Promise<Answer>,
): Promise<Answer> {
  const token = await findToken(tokenFile)
  const authorize = token === undefined ? {} : { authorize: bearer(token) }
  try {
    return await ask(createClient(hmcRoutes, { baseUrl: api, ...authorize }))
  } catch (error) {
    throw refusalOf(error)
  }
}

/** Problems that another command line would not have. */
const usageProblems: readonly string[] = ['invalid-request', 'invalid-configuration']

function refusalOf(error: unknown): unknown {
  if (!(error instanceof Problem)) return error
  if (error.slug === 'dependency-unavailable') return new UnavailableError(error.message)
  return usageProblems.includes(error.slug)
    ? new UsageError(error.message)
    : new NoInputError(error.message)
}
