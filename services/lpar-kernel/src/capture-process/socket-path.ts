import { join } from 'node:path'

/** Where the keeper of capture processes under a limit listens. */
export function socketPath(directory: string, limitMiB: number): string {
  return join(directory, `${limitMiB}.sock`)
}
