/** What this machine does this minute without any code of ours: the yardstick of every ratio. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Figure } from './report.ts'

const MiB = 2 ** 20
const volume = 512 * MiB
const chunkBytes = MiB

export interface Calibration {
  readonly redis: Figure
  readonly http: Figure
  readonly disk: Figure
  readonly sha256: Figure
}

/** Four figures, GB/s: Redis MGET of 64 KiB values, HTTP over loopback, synced sparse-free file, SHA-256. */
export async function calibrate(redisUrl: string): Promise<Calibration> {
  return {
    redis: await rate('calibration: Redis read (MGET 16 x 64 KiB)', () => readRedis(redisUrl)),
    http: await rate('calibration: loopback HTTP', readHttp),
    disk: await rate('calibration: disk write, fdatasync', writeDisk),
    sha256: await rate('calibration: SHA-256', hash),
  }
}

async function rate(name: string, move: () => Promise<void> | void): Promise<Figure> {
  const started = performance.now()
  await move()
  return { name, value: volume / 1e9 / ((performance.now() - started) / 1000), unit: 'GB/s' }
}

const sample = (): Uint8Array => new Uint8Array(chunkBytes).map((_, index) => (index * 31) % 251)

async function readRedis(url: string): Promise<void> {
  const redis = new Redis(url)
  const keys = Array.from({ length: 16 }, (_, index) => `calibration:${index}`)
  const page = Buffer.from(sample().subarray(0, 65_536))
  for (const key of keys) await redis.set(key, page)
  for (let moved = 0; moved < volume; moved += chunkBytes) await redis.mgetBuffer(...keys)
  await redis.del(...keys)
  await redis.quit()
}

async function readHttp(): Promise<void> {
  const chunk = sample()
  const server = createServer((_request, response) => {
    let sent = 0
    const push = (): void => {
      while (sent < volume) {
        sent += chunk.byteLength
        if (!response.write(chunk)) {
          response.once('drain', push)
          return
        }
      }
      response.end()
    }
    push()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise<void>((resolve, reject) => {
    get({ host: '127.0.0.1', port }, (response) => {
      response.resume()
      response.once('end', resolve)
    }).once('error', reject)
  })
  server.close()
}

async function writeDisk(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'fadump-bench-'))
  const chunk = sample()
  {
    await using file = await open(join(directory, 'file'), 'w')
    for (let at = 0; at < volume; at += chunkBytes) await file.write(chunk, 0, chunkBytes, at)
    await file.datasync()
  }
  await rm(directory, { recursive: true })
}

function hash(): void {
  const chunk = sample()
  const digest = createHash('sha256')
  for (let moved = 0; moved < volume; moved += chunkBytes) digest.update(chunk)
  digest.digest()
}
