/** The options of commands that ask a running console. */
import { text, UsageError } from './command.ts'
import { defaultTokenFile } from './token-file.ts'

export const consoleOptions = {
  api: {
    placeholder: 'URL',
    summary: 'the console, as ./lab up prints it; names a partition',
    parse: consoleUrl,
  },
  'token-file': {
    placeholder: 'FILE',
    summary: `a token of the console (default: ${defaultTokenFile}, where ./lab up leaves it)`,
    parse: text,
  },
} as const

/** Base URL of the console, without the `/v1` that `./lab up` shows. */
function consoleUrl(value: string): string {
  if (/^https?:\/\/[^\s/]/.test(value) && URL.canParse(value)) {
    return value.replace(/\/(?:v1\/?)?$/, '')
  }
  throw new UsageError(
    `${JSON.stringify(value)} is no address of a console: give http://HOST:PORT as ./lab up prints it`,
  )
}
