/**
 * What others reserve for a capture kernel: Linux itself, the tables of RHEL and Fedora, SUSE's formula. All sizes are
 * MiB; a rule that reserves nothing gives 0.
 */

export type Mechanism = 'fadump' | 'kdump'

/** What the rules of the distributions look at. */
export interface ReservedSystem {
  readonly mechanism: Mechanism
  readonly memoryMiB: number
  readonly cpus: number
  /** CPUs that the capture kernel brings up. */
  readonly nrCpus: number
  readonly pageKiB: number
  readonly needsNetwork: boolean
  readonly luksMiB: number
}

const GiB = 1024
const TiB = 1024 * GiB

/** RTAS_FADUMP_MIN_BOOT_MEM: 320 MiB since the series of 2011. */
const linuxFloorMiB = 320
/** The kernel rounds 5 percent of memory down to this. */
const linuxStepMiB = 256

/** `fadump_calculate_reserve_size` without a boot argument: 5 percent of memory, at least 320 MiB. */
export function linuxDefaultMiB(memoryMiB: number): number {
  const share = Math.floor(Math.floor(memoryMiB / 20) / linuxStepMiB) * linuxStepMiB
  return Math.max(linuxFloorMiB, share)
}

type Range = readonly [fromMiB: number, toMiB: number, reserveMiB: number]

/** kdump-utils, kdump-lib.sh: default crashkernel= of ppc64le. */
export const redHatTables: Readonly<Record<Mechanism, readonly Range[]>> = {
  fadump: [
    [4 * GiB, 16 * GiB, 768],
    [16 * GiB, 64 * GiB, GiB],
    [64 * GiB, 128 * GiB, 2 * GiB],
    [128 * GiB, TiB, 4 * GiB],
    [TiB, 2 * TiB, 6 * GiB],
    [2 * TiB, 4 * TiB, 12 * GiB],
    [4 * TiB, 8 * TiB, 20 * GiB],
    [8 * TiB, 16 * TiB, 36 * GiB],
    [16 * TiB, 32 * TiB, 64 * GiB],
    [32 * TiB, 64 * TiB, 128 * GiB],
    [64 * TiB, Infinity, 180 * GiB],
  ],
  kdump: [
    [2 * GiB, 4 * GiB, 384],
    [4 * GiB, 16 * GiB, 512],
    [16 * GiB, 64 * GiB, GiB],
    [64 * GiB, 128 * GiB, 2 * GiB],
    [128 * GiB, Infinity, 4 * GiB],
  ],
}
/** kdump-utils 0d38985: 1 MiB for every CPU of the capture kernel. */
const redHatPerCpuMiB = 1
/** `get_system_size` rounds memory up to this. */
const redHatRoundingMiB = 128

/** The default of RHEL 10 and Fedora for ppc64le; nothing below 4 GiB (fadump) and 2 GiB (kdump). */
export function redHatMiB({ mechanism, memoryMiB, nrCpus }: ReservedSystem): number {
  const total = Math.ceil(memoryMiB / redHatRoundingMiB) * redHatRoundingMiB
  const row = redHatTables[mechanism].find(([from, to]) => total >= from && total < to)
  return row === undefined ? 0 : row[2] + redHatPerCpuMiB * nrCpus
}

/** openSUSE/kdump, calibrate.cc: the suggestion for fadump is 5 percent, from 64 MiB to half of memory. */
export function suseSuggestionMiB(memoryMiB: number): number {
  return Math.max(64, Math.min(Math.ceil(memoryMiB / 20), Math.floor(memoryMiB / 2)))
}

/** calibrate.cc of 2019 (898b9e7): the last constants for ppc64 that were published with the source, MiB. */
const suse = {
  kernel: 38,
  kernelInit: 5,
  initramfs: 87,
  initramfsNet: 4,
  perCpu: 172 / 1024,
  user: 56,
  userNet: 10,
  framebuffers: 2 * 3,
  bitmapMax: 32,
} as const

/**
 * SUSE's formula for kdump (calibrate.cc as of 2025) with its constants for ppc64: run-time need or boot-time need,
 * whichever is larger, 30 percent and 64 MiB on top. On Power it counts all CPUs, whatever nr_cpus= says.
 */
export function suseFormulaMiB(system: ReservedSystem): number {
  const bitmap = Math.min(suse.bitmapMax, (system.memoryMiB / (system.pageKiB * 1024)) * 0.25)
  const perCpu = suse.perCpu + (100 + 3 * system.pageKiB + 128 + 5) / 1024
  const network = system.needsNetwork ? suse.userNet : 0
  const fixed = suse.kernel + suse.initramfs + suse.framebuffers + suse.user + network + bitmap
  const used = fixed + system.luksMiB + perCpu * system.cpus
  // 20 percent dirty page cache, 64 KiB of buffers for each MiB of it.
  const withDirty = used / (1 - 0.2 - (0.2 * 64) / 1024)
  const withHashes = withDirty / (1 - (232 * 8) / 2 ** 20)
  const pageBytes = system.pageKiB * 1024
  const runTime = withHashes * (pageBytes / (pageBytes - 64))
  const content = suse.initramfs + (system.needsNetwork ? suse.initramfsNet : 0)
  const bootTime = suse.kernel + suse.kernelInit + content * 1.5
  const need = Math.max(runTime, bootTime) - system.luksMiB
  return Math.ceil(need * 1.3 + 64 + system.luksMiB)
}

export interface KdumpctlInput {
  readonly kernelMiB: number
  readonly modulesMiB: number
  readonly initramfsMiB: number
  readonly luksMiB: number
  /** Copies of the initramfs that are counted: 1 until 2025, then 3. */
  readonly initramfsCopies: 1 | 3
  /** Run-time reservation: 64 MiB until 2025, then 16. */
  readonly runtimeMiB: 64 | 16
}

/** `kdumpctl estimate` before it takes the larger of this and the table (kdump-utils, do_estimate). */
export function kdumpctlEstimateMiB(input: KdumpctlInput): number {
  return (
    input.kernelMiB +
    input.modulesMiB +
    input.initramfsCopies * input.initramfsMiB +
    input.runtimeMiB +
    input.luksMiB
  )
}

/** Which rule decides about boot memory when nobody does. */
export type ReservationRule = 'linux' | 'redhat' | 'suse'

export const reservationRules = ['linux', 'redhat', 'suse'] as const

/** What `rule` reserves. */
export function reservedMiB(rule: ReservationRule, system: ReservedSystem): number {
  switch (rule) {
    case 'linux':
      return system.mechanism === 'fadump' ? linuxDefaultMiB(system.memoryMiB) : redHatMiB(system)
    case 'redhat':
      return redHatMiB(system)
    case 'suse':
      return system.mechanism === 'fadump'
        ? suseSuggestionMiB(system.memoryMiB)
        : suseFormulaMiB(system)
  }
}
