/** The headers and notes of a vmcore, and nothing else of it. */
import { readCoreParts, type CorePiece, type CoreRange } from '@fadump-lab/shared/explain'

/** `read` gives fewer bytes than asked for at the end of the vmcore. */
export async function readCore(
  read: (range: CoreRange) => Promise<Uint8Array>,
): Promise<readonly CorePiece[]> {
  const reading = readCoreParts()
  let step = reading.next()
  while (step.done !== true) step = reading.next(await read(step.value))
  return step.value
}
