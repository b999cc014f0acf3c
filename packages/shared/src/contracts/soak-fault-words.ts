/** A fault of a soak as one word of a command line: `NAME[@PLACE][=VALUE][/SERVICE][~TIMES]`. */
import type { SoakFault } from './soak.ts'

export const soakFaultForm = 'NAME[@PLACE][=VALUE][/SERVICE][~TIMES]'

export function soakFaultWord({ name, at, value, service, times }: SoakFault): string {
  const parts = [
    name,
    at === undefined ? '' : `@${at}`,
    value === undefined ? '' : `=${value}`,
    service === undefined ? '' : `/${service}`,
    times === undefined ? '' : `~${times}`,
  ]
  return parts.join('')
}

const word =
  /^(?<name>[^@=/~]+)(?:@(?<at>[^@=/~]+))?(?:=(?<value>-?\d+))?(?:\/(?<service>[a-z-]+))?(?:~(?<times>\d+))?$/

/** In the JSON form of a soak, unchecked; `undefined` for text of another form. */
export function readSoakFaultWord(text: string): Readonly<Record<string, unknown>> | undefined {
  const { name, at, value, service, times } = word.exec(text)?.groups ?? {}
  if (name === undefined) return undefined
  return {
    name,
    ...(at === undefined ? {} : { at }),
    ...(value === undefined ? {} : { value: Number(value) }),
    ...(service === undefined ? {} : { service }),
    ...(times === undefined ? {} : { times: Number(times) }),
  }
}
