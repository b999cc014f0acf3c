/** The sweeps that ship: `./lab sweep --example NAME`. */
import type { Sweep } from '@fadump-lab/shared/capture-memory'

export interface SweepExample {
  readonly title: string
  readonly sweep: Sweep
}

const steps = (first: number, last: number, step: number): number[] =>
  Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, index) => first + index * step)

const doublings = (first: number, last: number): number[] =>
  Array.from({ length: Math.floor(Math.log2(last / first)) + 1 }, (_, index) => first * 2 ** index)

const [GiB, TiB] = [1024, 1024 * 1024]

export const sweepExamples: Readonly<Record<string, SweepExample>> = {
  '2011-band': {
    title: 'POWER7 of the series, 2 GiB and 20 CPUs, SSH over one ehea port: which queue pairs fit',
    sweep: {
      base: { preset: '2011', memoryMiB: 2048, cpus: 20, card: 'ehea', target: 'ssh' },
      axes: [
        { setting: 'queues', values: steps(1, 16, 1) },
        { setting: 'bootMemoryMiB', values: steps(160, 448, 16) },
      ],
    },
  },
  today: {
    title:
      'fadump of today from 4 GiB to 64 TiB, 64 CPUs, with what Linux, Red Hat and SUSE reserve',
    sweep: {
      base: { preset: 'now', memoryMiB: 4096, cpus: 64, target: 'ssh', card: 'ibmvnic' },
      axes: [
        { setting: 'memoryMiB', values: doublings(4 * GiB, 64 * TiB) },
        { setting: 'card', values: ['ibmveth', 'ibmvnic', 'mlx5', 'i40e'] },
        { setting: 'reservation', values: ['linux', 'redhat', 'suse'] },
      ],
    },
  },
}
