/** NDJSON as it arrives: one line at a time, no line longer than a bound. */

/** The longest line of a manifest: an entry with two 16-digit numbers and a digest has 123 bytes. */
export const lineBytesMax = 256

const newline = 0x0a

export class LineTooLongError extends Error {
  override readonly name = 'LineTooLongError'
}

/** The lines of `source` without their newline; a last line need not have one. */
export async function* linesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let held = ''
  for await (const chunk of source) {
    let start = 0
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      yield bounded(held + decoder.decode(chunk.subarray(start, end)))
      held = ''
      start = end + 1
    }
    held = bounded(held + decoder.decode(chunk.subarray(start, start + lineBytesMax + 1)))
  }
  if (held !== '') yield held
}

function bounded(line: string): string {
  if (line.length <= lineBytesMax) return line
  throw new LineTooLongError(
    `a line of the manifest has more than ${lineBytesMax} bytes: ${JSON.stringify(line.slice(0, 40))}…`,
  )
}
