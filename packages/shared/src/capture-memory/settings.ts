/**
 * The settings that describe a system whose capture kernel is judged: one row each, from which checks, the options of
 * the command line and the axes of a sweep derive.
 */
import { networkCardKinds, type NetworkCardKind } from './network-cards.ts'
import { presetNames, type PresetName } from './presets/presets.ts'
import { reservationRules, type Mechanism, type ReservationRule } from './reservations.ts'
import { targetNames, type Target } from './targets.ts'

export interface Setting<Value> {
  readonly kind: 'size' | 'count' | 'choice' | 'switch'
  /** What the value means, and its default. */
  readonly meaning: string
  /** Name of the option on the command line. */
  readonly option: string
  /** The valid values in words. */
  readonly valid: string
  readonly accepts: (value: unknown) => value is Value
}

type Words = Pick<Setting<unknown>, 'meaning' | 'option'>

/** Sizes are MiB: a whole number, or a fraction of it for files. */
function size(minMiB: number, maxMiB: number, words: Words): Setting<number> {
  return {
    ...words,
    kind: 'size',
    valid: `${minMiB} to ${maxMiB} MiB`,
    accepts: (value): value is number =>
      typeof value === 'number' && value >= minMiB && value <= maxMiB,
  }
}

function count(min: number, max: number, words: Words): Setting<number> {
  return {
    ...words,
    kind: 'count',
    valid: `a whole number from ${min} to ${max}`,
    accepts: (value): value is number =>
      typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max,
  }
}

function choice<const Value>(values: readonly Value[], words: Words): Setting<Value> {
  return {
    ...words,
    kind: 'choice',
    valid: values.join(', '),
    accepts: (value): value is Value => values.some((known) => known === value),
  }
}

function onOff(words: Words): Setting<boolean> {
  return {
    ...words,
    kind: 'switch',
    valid: 'on, off',
    accepts: (value): value is boolean => typeof value === 'boolean',
  }
}

/** 256 TiB: four times the largest memory that a table of a distribution knows. */
const memoryMiBMax = 256 * 2 ** 20
const cpusMax = 8192
const portsMax = 64
const threadsMax = 4096

export const settings = {
  preset: choice<PresetName>(presetNames, {
    option: 'preset',
    meaning: 'kernel and user space of the capture kernel (default: now)',
  }),
  mechanism: choice<Mechanism>(['fadump', 'kdump'], {
    option: 'mechanism',
    meaning: 'fadump maps all RAM, kdump only its own (default: fadump)',
  }),
  memoryMiB: size(64, memoryMiBMax, {
    option: 'memory',
    meaning: 'memory of the partition',
  }),
  memLimitMiB: size(64, memoryMiBMax, {
    option: 'mem',
    meaning: 'mem= of the command line (default: all memory)',
  }),
  bootMemoryMiB: size(1, memoryMiBMax, {
    option: 'boot',
    meaning: 'boot memory: crashkernel= or fadump_reserve_mem= (default: by --reservation)',
  }),
  reservation: choice<ReservationRule>(reservationRules, {
    option: 'reservation',
    meaning: 'whose default decides about boot memory (default: linux)',
  }),
  cpus: count(1, cpusMax, { option: 'cpus', meaning: 'CPUs of the partition' }),
  nrCpus: count(1, cpusMax, {
    option: 'nr-cpus',
    meaning: 'nr_cpus= of the capture kernel (default: by preset)',
  }),
  pageKiB: choice<4 | 64>([4, 64], {
    option: 'page',
    meaning: 'page size, 4K or 64K (default: 64K)',
  }),
  target: choice<Target>(targetNames, {
    option: 'target',
    meaning: 'where the dump goes (default: ssh with a card, else local)',
  }),
  card: choice<NetworkCardKind | 'none'>([...networkCardKinds, 'none'], {
    option: 'nic',
    meaning: 'network card (default: none)',
  }),
  ports: count(1, portsMax, {
    option: 'ports',
    meaning: 'ports that are brought up (default: 1)',
  }),
  queues: count(1, 128, {
    option: 'queues',
    meaning: 'queues of a port (default: by card)',
  }),
  multiqueue: onOff({
    option: 'multiqueue',
    meaning: 'off: one queue a port, e.g. ehea.use_mcs=0 (default: on)',
  }),
  udevWorkers: count(0, 1024, {
    option: 'udev-children',
    meaning: 'udev.children-max= (default: by preset)',
  }),
  memoryController: onOff({
    option: 'memory-controller',
    meaning: 'off: cgroup_disable=memory (default: by preset)',
  }),
  luksMiB: size(0, 65_536, {
    option: 'luks',
    meaning: 'memory of the LUKS2 key slot of the dump target (default: 0)',
  }),
  hugepagesMiB: size(0, memoryMiBMax, {
    option: 'hugepages',
    meaning: 'huge pages of the production command line (default: 0)',
  }),
  initramfsMiB: size(0, 65_536, {
    option: 'initramfs',
    meaning: 'compressed initramfs with everything (default: by preset)',
  }),
  rootfsMiB: size(0, 65_536, {
    option: 'rootfs',
    meaning: 'unpacked initramfs with everything (default: by preset)',
  }),
  rootfsPercent: count(1, 100, {
    option: 'rootfs-percent',
    meaning: 'limit of the root file system; 100: ramfs (default: by preset)',
  }),
  threads: count(0, threadsMax, {
    option: 'threads',
    meaning: '--num-threads= of makedumpfile (default: 0)',
  }),
  windowMiB: size(0, 1024, {
    option: 'window',
    meaning: 'what a pulling dump server keeps in flight (default: 4M)',
  }),
  otherProcessMiB: size(0, memoryMiBMax, {
    option: 'other-process',
    meaning: 'what another process takes during the transfer (default: 0)',
  }),
  panicOnOom: onOff({
    option: 'panic-on-oom',
    meaning: 'on: vm.panic_on_oom=1 (default: off)',
  }),
} as const satisfies Readonly<Record<string, Setting<unknown>>>

export type SettingName = keyof typeof settings

export const settingNames = Object.keys(settings) as readonly SettingName[]

type ValueOf<S> = S extends Setting<infer Value> ? Value : never

/** A system as somebody describes it: everything but memory and CPUs has a default. */
export type SystemDescription = {
  readonly [K in SettingName]?: ValueOf<(typeof settings)[K]> | undefined
}

/** A row in the type that all rows share. */
export function settingRow(name: SettingName): Setting<unknown> {
  return settings[name]
}

export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(settings, name)
}
