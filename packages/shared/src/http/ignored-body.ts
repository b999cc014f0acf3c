/** What becomes of a request body that nobody wanted to the end. */
import type { Readable } from 'node:stream'

/** How much of it is read and thrown away before its connection is cut. */
export const ignoredBytesMax = 64 * 1024 * 1024

/**
 * Takes no notice of what is still to come of a body whose request has been answered, so that its sender gets to the
 * reply: a request whose stream is destroyed loses its connection. Beyond `ignoredBytesMax` it does lose it.
 */
export function ignoreRest(body: Readable): void {
  if (body.destroyed || body.readableEnded) return
  let ignored = 0
  // A listener, because `resume` alone is void while whoever read until now has not let go.
  body.on('data', (chunk: Uint8Array) => {
    ignored += chunk.byteLength
    if (ignored > ignoredBytesMax) body.destroy()
  })
  body.resume()
}
