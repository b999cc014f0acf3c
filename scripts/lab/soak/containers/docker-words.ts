/** What the engine's command line writes, read. */

const units: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
}

/** The first figure of `docker stats`, e.g. `38.5MiB / 384MiB`; `undefined` where there is none. */
export function bytesOf(usage: string): number | undefined {
  const found = /^(\d+(?:\.\d+)?)([KMGT]?i?B)\b/.exec(usage)
  const unit = units[found?.[2] ?? '']
  return found === null || unit === undefined ? undefined : Math.round(Number(found[1]) * unit)
}

/** The address of a published port, as `docker port` tells it; the first one of IPv4. */
export function publishedAt(text: string): string | undefined {
  const line = text.split('\n').find((each) => /^\d+\.\d+\.\d+\.\d+:\d+$/.test(each))
  return line?.replace(/^0\.0\.0\.0:/, '127.0.0.1:')
}
