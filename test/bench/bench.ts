/**
 * `npm run bench`: speed in one run, as ratios to a calibration of the same machine in the same minute. Absolute
 * figures of shared machines drift; the ratios are what docs/performance.md records.
 */
import { openHeapAdapters, openRedisAdapters } from './adapters.ts'
import { calibrate } from './calibration.ts'
import { measureCycle } from './cycle.ts'
import { measureRehearsals } from './rehearsal.ts'
import { printReport, type Figure } from './report.ts'
import { measureSimulation } from './simulation.ts'

const MiB = 2 ** 20
const small = 64 * MiB
const large = 1024 * MiB

async function main(): Promise<void> {
  await using redis = await openRedisAdapters()
  await using heap = await openHeapAdapters()
  const yardstick = await calibrate(redis.url)
  const onHeap = await measureCycle(heap, small)
  const onRedis = await measureCycle(redis, small)
  const capture = await measureCycle(redis, large)
  const rehearsals = await measureRehearsals(heap)
  const figures: Figure[] = [
    ...Object.values(yardstick),
    {
      name: 'crash cycle, 64 MiB populated, embedded',
      value: onHeap.seconds,
      unit: 's',
      against: {
        name: 'hashing its bytes once',
        ratio: onHeap.seconds / (onHeap.bytes / 1e9 / yardstick.sha256.value),
      },
    },
    {
      name: 'crash cycle, 64 MiB populated, Redis',
      value: onRedis.seconds,
      unit: 's',
      against: { name: 'the same embedded', ratio: onRedis.seconds / onHeap.seconds },
    },
    {
      name: 'capture rate, 1 GiB populated, Redis',
      value: capture.bytes / 1e9 / capture.captureSeconds,
      unit: 'GB/s',
      against: {
        name: 'Redis read',
        ratio: capture.bytes / 1e9 / capture.captureSeconds / yardstick.redis.value,
      },
    },
    ...rehearsals,
    await measureSimulation(yardstick.sha256.value),
  ]
  printReport(figures)
}

await main()
