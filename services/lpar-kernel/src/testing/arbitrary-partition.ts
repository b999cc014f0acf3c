/** Random partitions with random capture environments and command lines, the same ones in every run. */
import type { CaptureEnvironment, Partition } from '@fadump-lab/shared/contracts'
import { networkCard, networkCardKinds, presetNames } from '@fadump-lab/shared/capture-memory'
import * as fc from 'fast-check'

export interface DrawnPartition {
  readonly partition: Pick<Partition, 'profile' | 'processors' | 'captureTarget'> & {
    readonly capture: CaptureEnvironment
  }
  readonly memoryBytes: bigint
  readonly bootMemoryBytes: bigint
  readonly pageBytes: bigint
  readonly commandLine: string
}

const MiB = 1n << 20n
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 })
const word = (...words: readonly string[]) => fc.constantFrom('', ...words)

const capture = fc
  .record(
    {
      preset: fc.constantFrom(...presetNames),
      target: fc.constantFrom('ssh' as const, 'nfs' as const, 'http' as const),
      card: fc.constantFrom(...networkCardKinds),
      ports: fc.integer({ min: 1, max: 3 }),
      queueShare: fc.double({ min: 0, max: 1, noNaN: true }),
      luksMiB: optional(fc.constantFrom(0, 256, 1024)),
      initramfsMiB: optional(fc.integer({ min: 4, max: 200 })),
      threads: optional(fc.constantFrom(0, 16, 64)),
      otherProcessMiB: optional(fc.constantFrom(0, 0, 300)),
    },
    { requiredKeys: ['preset', 'target', 'card', 'ports', 'queueShare'] },
  )
  .map(({ queueShare, ...rest }): CaptureEnvironment => {
    const queues = 1 + Math.floor(queueShare * (networkCard(rest.card).queuesMax - 1))
    return { ...rest, queues }
  })

const partition = fc
  .record({
    profile: fc.constantFrom('v5' as const, 'modern' as const),
    memoryMiB: fc.integer({ min: 2048, max: 1_048_576 }),
    processors: fc.integer({ min: 1, max: 256 }),
    captureTarget: fc.constantFrom('network' as const, 'network' as const, 'local' as const),
    capture,
    pageBytes: fc.constantFrom(65_536n, 65_536n, 4096n),
    words: fc.tuple(
      word('nr_cpus=1', 'nr_cpus=16'),
      word('cgroup_disable=memory'),
      word('udev.children-max=2', 'udev.children-max=32'),
      word('ehea.use_mcs=0'),
      word('hugepages=32', 'hugepages=4 hugepagesz=64M'),
      word('initramfs_options=size=90%', 'root=/dev/sda2'),
      word('sysctl.vm.panic_on_oom=1'),
    ),
  })
  .map(({ memoryMiB, words, pageBytes, ...rest }): DrawnPartition => ({
    partition: rest,
    memoryBytes: BigInt(memoryMiB) * MiB,
    bootMemoryBytes: 320n * MiB,
    pageBytes,
    commandLine: ['fadump=on', ...words].filter((text) => text !== '').join(' '),
  }))

export function drawPartitions(count: number, seed = 2011): readonly DrawnPartition[] {
  return fc.sample(partition, { numRuns: count, seed })
}
