/**
 * Figures about capture kernels that others have published, and what the model says of each. None of them set a
 * parameter of the model unless the row says so. A row that disagrees stays, with the reason.
 */
import {
  describeRefusal,
  describeSystem,
  evaluate,
  minimumBootMemoryMiB,
  redHatTables,
  type CaptureSystem,
  type SystemDescription,
} from '@fadump-lab/shared/capture-memory'

/** `needs`: the least that sufficed. `passes`, `fails`: what happened with so much. `takes`: one consumer's share. */
export type Claim =
  | { readonly kind: 'needs' | 'passes' | 'fails'; readonly MiB: number }
  | { readonly kind: 'takes'; readonly consumer: string; readonly MiB: number }

export interface PublishedPoint {
  readonly says: string
  readonly source: string
  readonly system: SystemDescription & { readonly memoryMiB: number; readonly cpus: number }
  readonly claim: Claim
  readonly verdict: 'agrees' | 'disagrees'
  /** Why it disagrees, or what had to be assumed about the system. */
  readonly note?: string
}

/** A figure agrees within a tenth. */
export const tolerance = 0.1

export interface ModelAnswer {
  readonly text: string
  readonly agrees: boolean
}

/** What the model says about the claim. */
export function modelAnswer({ system, claim }: PublishedPoint): ModelAnswer {
  const described = describeSystem({ bootMemoryMiB: claim.MiB, ...system })
  if (!described.isAccepted) throw new Error(described.refusals.map(describeRefusal).join('\n'))
  switch (claim.kind) {
    case 'needs':
      return figureAnswer(minimumBootMemoryMiB(described.system) ?? Infinity, claim.MiB)
    case 'takes':
      return figureAnswer(takenBy(described.system, claim.consumer), claim.MiB)
    case 'passes':
    case 'fails':
      return verdictAnswer(described.system, claim.kind)
  }
}

function figureAnswer(model: number, published: number): ModelAnswer {
  const error = model / published - 1
  const percent = (error * 100).toFixed(1)
  return {
    text: `${Math.round(model)} MiB (${error < 0 ? '' : '+'}${percent} %)`,
    agrees: Math.abs(error) <= tolerance,
  }
}

function takenBy(system: CaptureSystem, consumer: string): number {
  const { account } = evaluate({ ...system, bootMemoryMiB: system.memoryMiB - 1 })
  const uses = account.flatMap(({ consumers }) => consumers)
  return uses.find((use) => use.consumer === consumer)?.MiB ?? 0
}

function verdictAnswer(system: CaptureSystem, claim: 'passes' | 'fails'): ModelAnswer {
  const { verdict, failure } = evaluate(system)
  const text = failure === undefined ? verdict : `fail: ${failure.kind}, ${failure.phase}`
  const minimum = minimumBootMemoryMiB(system) ?? Infinity
  return {
    text: `${text} (needs ${minimum} MiB)`,
    agrees: (verdict === 'fail') === (claim === 'fails'),
  }
}

const GiB = 1024
const TiB = 1024 * GiB
/** kexec-based kdump of a 4 KiB page kernel with one CPU: what most published figures are about. */
const x86 = { mechanism: 'kdump', pageKiB: 4, nrCpus: 1, memoryMiB: 2 * GiB, cpus: 2 } as const
const virtio = { card: 'virtio', target: 'nfs' } as const

/** The figures of the study that the first model was checked against. */
export const firstPoints: readonly PublishedPoint[] = [
  {
    says: 'x86_64, NFS: at least 238 MB',
    source: 'rhkdump/kdump-utils pull request 74 (2025)',
    system: { ...x86, ...virtio, initramfsMiB: 57 },
    claim: { kind: 'needs', MiB: 238 },
    verdict: 'agrees',
    note: 'initramfs of 57 MB for NFS: kdump-utils 1d40ea3, before lzma',
  },
  {
    says: 'ppc64le, kdump, 2 to 4 GiB: 384 MB and 16 for 16 CPUs',
    source: 'kdump-utils kdump-lib.sh and 0d38985',
    system: {
      mechanism: 'kdump',
      memoryMiB: 4 * GiB,
      cpus: 16,
      threads: 16,
      card: 'ibmvnic',
      queues: 8,
      target: 'ssh',
    },
    claim: { kind: 'needs', MiB: 400 },
    verdict: 'agrees',
  },
  {
    says: 'ppc64le, kdump with 256 MB takes no dump',
    source: 'open-power/op-test OpTestLowCrashkernelKdump, pull request 974 (2026)',
    system: { mechanism: 'kdump', memoryMiB: 32 * GiB, cpus: 64, target: 'local' },
    claim: { kind: 'fails', MiB: 256 },
    verdict: 'agrees',
    note: 'what the test intends; it passes either way',
  },
  ...redHatTables.fadump
    .filter(([, to]) => Number.isFinite(to))
    .map(([from, to, reserve]): PublishedPoint => ({
      says: `fadump, ${from / GiB} to ${to / GiB} GiB: ${reserve} MB and 16 for 16 CPUs`,
      source: 'kdump-utils kdump-lib.sh and 0d38985',
      system: { memoryMiB: to - 128, cpus: 64, card: 'ibmvnic', queues: 8, threads: 16 },
      claim: { kind: 'passes', MiB: reserve + 16 },
      verdict: 'agrees',
    })),
  {
    says: '640 CPUs need 1.8 GB',
    source: 'openSUSE/kdump 95378d3, bsc#1240769',
    system: {
      mechanism: 'kdump',
      memoryMiB: 2 * TiB,
      cpus: 640,
      nrCpus: 640,
      threads: 640,
      target: 'local',
    },
    claim: { kind: 'needs', MiB: 1843 },
    verdict: 'disagrees',
    note: 'memory, drivers and their queues of that machine are not published; with all CPUs 2.2 MiB each would fit',
  },
  {
    says: 'LUKS2 with a key slot of 512 MB: 655 MB recommended',
    source: 'kdump-utils e9e6a2c (2021)',
    system: { ...x86, memoryMiB: 8 * GiB, target: 'local', initramfsMiB: 19, luksMiB: 512 },
    claim: { kind: 'needs', MiB: 655 },
    verdict: 'agrees',
  },
]

/** Further figures, searched for in commits, issues and pages. */
export const furtherPoints: readonly PublishedPoint[] = [
  {
    says: 'x86_64, NFS, initramfs of 47 MB: 221 MB is the least',
    source: 'rhkdump/kdump-utils 4e1f06e (2025)',
    system: { ...x86, ...virtio, initramfsMiB: 47 },
    claim: { kind: 'needs', MiB: 221 },
    verdict: 'agrees',
  },
  {
    says: 'Fedora 40 cloud image, network dump: 192 MB suffice',
    source: 'rhkdump/kdump-utils 3f4a9eb (2024)',
    system: { ...x86, card: 'virtio', initramfsMiB: 29 },
    claim: { kind: 'passes', MiB: 192 },
    verdict: 'agrees',
    note: 'initramfs of 29 MB: kdump-utils c8643af (2023)',
  },
  {
    says: 'the same with an Open vSwitch bridge: 260 MB needed',
    source: 'rhkdump/kdump-utils 3f4a9eb (2024)',
    system: { ...x86, card: 'virtio', initramfsMiB: 29 },
    claim: { kind: 'needs', MiB: 260 },
    verdict: 'disagrees',
    note: 'the model has no Open vSwitch: its daemons and files are the difference',
  },
  {
    says: 'Fedora 37 cloud image without squashfs, NFS: out of memory with 224 MB',
    source: 'rhkdump/kdump-utils 17c2655 (2023)',
    system: { ...x86, ...virtio, memoryMiB: 768 },
    claim: { kind: 'fails', MiB: 224 },
    verdict: 'agrees',
  },
  {
    says: 'the same with squashfs: 192 MB suffice',
    source: 'rhkdump/kdump-utils 17c2655 (2023)',
    system: { ...x86, ...virtio, memoryMiB: GiB, initramfsMiB: 29 },
    claim: { kind: 'passes', MiB: 192 },
    verdict: 'agrees',
    note: 'initramfs of 29 MB: kdump-utils c8643af (2023)',
  },
  {
    says: 'Fedora CoreOS without dracut-squash, 2 GB: about 300 MB is the least',
    source: 'coreos/fedora-coreos-docs pull request 276 (2021)',
    system: { ...x86, target: 'local' },
    claim: { kind: 'needs', MiB: 300 },
    verdict: 'agrees',
  },
  {
    says: 'the same: crashkernel=auto, 192 MB at most, is not enough',
    source: 'coreos/fedora-coreos-tracker issue 798 (2021)',
    system: { ...x86, target: 'local' },
    claim: { kind: 'fails', MiB: 192 },
    verdict: 'agrees',
  },
  {
    says: 'the same: 512 MB suffice',
    source: 'coreos/fedora-coreos-tracker issue 798 (2021)',
    system: { ...x86, target: 'local' },
    claim: { kind: 'passes', MiB: 512 },
    verdict: 'agrees',
  },
  {
    says: 'Fedora 40, 1 GB, initrd of 42 MB, 82 MB available: write error while unpacking',
    source: 'cockpit-project/bots pull request 6706 and issue 6769 (2024)',
    system: { ...x86, memoryMiB: GiB, card: 'virtio', initramfsMiB: 42 },
    claim: { kind: 'fails', MiB: 192 },
    verdict: 'agrees',
    note: 'the same failure: root file system full; one run in four got through',
  },
  {
    says: 'Ubuntu 15.10, initrd of 30 MB: 150 MB seem to suffice',
    source: 'Launchpad 1496317; caribou.kamikamamak.com 2015-10-19',
    system: { ...x86, preset: '2011', target: 'local', initramfsMiB: 30, rootfsMiB: 90 },
    claim: { kind: 'needs', MiB: 150 },
    verdict: 'agrees',
    note: 'assumed: unpacked three times the size of its gzip image',
  },
  {
    says: 'the same: the OOM killer comes with 128 MB',
    source: 'Launchpad 1496317 (2015)',
    system: { ...x86, preset: '2011', target: 'local', initramfsMiB: 30, rootfsMiB: 90 },
    claim: { kind: 'fails', MiB: 128 },
    verdict: 'agrees',
  },
  {
    says: 'the same with an initrd of 12 MB: 128 MB suffice',
    source: 'caribou.kamikamamak.com 2015-10-19',
    system: { ...x86, preset: '2011', target: 'local', initramfsMiB: 12, rootfsMiB: 36 },
    claim: { kind: 'passes', MiB: 128 },
    verdict: 'agrees',
  },
  {
    says: 'ppc64le, SLE 15 SP1: kdumptool is killed with the default; 640 MB suffice',
    source: 'os-autoinst/os-autoinst-distri-opensuse pull request 6531 (2019)',
    system: { mechanism: 'kdump', memoryMiB: 4 * GiB, cpus: 2, target: 'local' },
    claim: { kind: 'passes', MiB: 640 },
    verdict: 'agrees',
  },
  {
    says: 'ppc64le, SLE 15 SP2, 1 GB: 320 MB suffice',
    source: 'os-autoinst/os-autoinst-distri-opensuse pull request 9852 (2020)',
    system: { mechanism: 'kdump', memoryMiB: GiB, cpus: 1, target: 'local' },
    claim: { kind: 'passes', MiB: 320 },
    verdict: 'disagrees',
    note: 'the preset has the initramfs and the 64 KiB pages of other distributions: 46 MiB too many here',
  },
  {
    says: 'i40e takes about 15 GB on a Power machine, four ports',
    source: 'rhkdump/kdump-utils 586fe41 (2021)',
    system: {
      memoryMiB: TiB,
      cpus: 128,
      nrCpus: 120,
      card: 'i40e',
      ports: 4,
      queues: 120,
    },
    claim: { kind: 'takes', consumer: 'receive rings', MiB: 15 * GiB },
    verdict: 'agrees',
    note: 'assumed: 120 queues a port; the number of CPUs is not published',
  },
  {
    says: 'mlx5_core takes 350 MB',
    source: 'rhkdump/kdump-utils a65dde2 (2022)',
    system: { ...x86, memoryMiB: 64 * GiB, cpus: 64, card: 'mlx5', ports: 2 },
    claim: { kind: 'takes', consumer: 'receive rings', MiB: 350 },
    verdict: 'disagrees',
    note: 'two ports of 150 MB give 300; the other measurement (7a2c4cb) is the parameter',
  },
  {
    says: 'aarch64 with 64 KiB pages: out of memory with 512 MB, 786 MB suffice',
    source: 'rhkdump/kdump-utils fd1eccf (2019)',
    system: {
      mechanism: 'kdump',
      memoryMiB: 32 * GiB,
      cpus: 16,
      nrCpus: 1,
      target: 'local',
      udevWorkers: 10,
      memoryController: true,
    },
    claim: { kind: 'fails', MiB: 512 },
    verdict: 'disagrees',
    note: 'the SMMU of aarch64 takes up to 384 MB with 64 KiB pages (7a2c4cb); there is none on Power',
  },
  {
    says: 'x86_64, 768 GB: hangs with 219 and 72 MB',
    source: 'harvester/harvester issue 1357 (2021)',
    system: { ...x86, memoryMiB: 768 * GiB, cpus: 96, target: 'local' },
    claim: { kind: 'fails', MiB: 291 },
    verdict: 'disagrees',
    note: 'short of failing by 3 MiB; drivers of the storage of that machine are not modelled',
  },
  {
    says: 'x86_64, more than 1 TB: 2 GB',
    source: 'microsoft/lisa pull request 2091 (2022)',
    system: { ...x86, memoryMiB: 2 * TiB, cpus: 128, target: 'local' },
    claim: { kind: 'passes', MiB: 2048 },
    verdict: 'agrees',
    note: 'a value of experience, not a minimum',
  },
  {
    says: 'x86_64, 3 GB: the default of 320 MB suffices',
    source: 'canonical/ubuntu-server-documentation pull request 565 (2026)',
    system: { ...x86, memoryMiB: 3 * GiB, target: 'local' },
    claim: { kind: 'passes', MiB: 320 },
    verdict: 'agrees',
  },
  {
    says: 'ppc64le AC922, RHEL 7.4, NFS: 4096 MB suffice',
    source: 'xcat2/xcat-core issue 4864 (2018)',
    system: {
      mechanism: 'kdump',
      memoryMiB: 256 * GiB,
      cpus: 128,
      nrCpus: 1,
      card: 'i40e',
      target: 'nfs',
    },
    claim: { kind: 'passes', MiB: 4096 },
    verdict: 'agrees',
  },
  {
    says: 'ppc64le AC922: 256 MB recommended',
    source: 'xcat2/xcat-core pull request 4874 (2018)',
    system: {
      mechanism: 'kdump',
      memoryMiB: 256 * GiB,
      cpus: 128,
      nrCpus: 1,
      card: 'ibmveth',
      target: 'nfs',
    },
    claim: { kind: 'passes', MiB: 256 },
    verdict: 'disagrees',
    note: 'initramfs and kernel of 2018 were smaller; the review asks to raise it when 70 percent are used',
  },
  {
    says: 'ppc64, ehea, one queue: NFS still runs out of memory in mid-copy',
    source: 'rhkdump/kdump-utils e074e39 (2013)',
    system: {
      preset: '2011',
      mechanism: 'kdump',
      memoryMiB: 8 * GiB,
      cpus: 16,
      nrCpus: 1,
      card: 'ehea',
      multiqueue: false,
      target: 'nfs',
    },
    claim: { kind: 'fails', MiB: 256 },
    verdict: 'disagrees',
    note: 'the reservation is not published, and the model has no dynamics of write-back',
  },
]
