/** Keeps a bounded number of reads under way, and gives their results in the order of what was to be read. */

/** `depth` reads at most are unfinished or not taken yet; the first error ends it, and no further read starts. */
export async function* readAhead<Item, Result>(
  items: AsyncIterable<Item>,
  read: (item: Item) => Promise<Result>,
  depth: number,
): AsyncGenerator<Result, void, void> {
  const pending: Promise<Result>[] = []
  for await (const item of items) {
    const result = read(item)
    // The error is met when the result is taken; until then it must not count as unhandled.
    result.catch(() => undefined)
    pending.push(result)
    if (pending.length < depth) continue
    const next = pending.shift()
    if (next !== undefined) yield await next
  }
  for (const result of pending) yield await result
}
