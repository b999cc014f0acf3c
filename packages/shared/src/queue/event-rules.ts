/** What both event logs hold to. */
import { z } from 'zod'
import { labEvent, type LabEvent } from '../contracts/index.ts'
import { invariant } from '../units/index.ts'
import { eventRowsMax } from './event-log.ts'

/** `id`, when it has the form of a row id: two decimal numbers joined by a hyphen. */
export function checkedRowId(id: string): string {
  if (!/^[0-9]{1,19}-[0-9]{1,19}$/.test(id)) {
    throw new RangeError(
      `${JSON.stringify(id)} is not the id of an event row: use one that the log gave, such as 1526919030474-0`,
    )
  }
  return id
}

export function checkedRowLimit(limit: number): number {
  const fits = Number.isInteger(limit) && limit >= 1 && limit <= eventRowsMax
  invariant(fits, `a limit of ${limit} event rows is not between 1 and ${eventRowsMax}`)
  return limit
}

/** The JSON value of `event`. One that its schema refuses is a programmer error. */
export function encodeEvent(event: LabEvent): LabEvent {
  const encoded = z.safeEncode(labEvent, event)
  const issues = (encoded.error?.issues ?? []).map(
    (issue) => `#/${issue.path.join('/')} ${issue.message}`,
  )
  invariant(encoded.success, `the event is refused: ${issues.join('; ')}`)
  return encoded.data
}
