/** The files that a kernel offers for fadump, as a table: path, mode, when it exists, what reading and writing do. */
import type { KernelProfileName } from '@fadump-lab/shared/contracts'
import {
  decodeDumpMemoryStructure,
  fadumpRegionText,
  type DumpMemoryStructure,
} from '@fadump-lab/shared/fadump'
import { rangeLength } from '@fadump-lab/shared/units'
import { readParameterArea } from '../boot/parameter-area.ts'
import { dumpStructureOf } from '../fadump/crash-info.ts'
import { profileOf, type KernelRecord } from '../kernel/kernel-record.ts'
import type { RunningKernel } from '../kernel/running-kernel.ts'
import { writeBootargsAppend } from './bootargs-append.ts'
import { cpuFiles } from './cpu-files.ts'
import { writeCpuProbe, writeCpuRelease } from './cpu-hotplug.ts'
import { writeDlpar } from './dlpar.ts'
import {
  admitRegistered,
  admitReleaseMem,
  writeRegistered,
  writeReleaseMem,
} from './fadump-writes.ts'
import type { SysfsFile } from './file.ts'

const decimal = (value: boolean) => `${value ? 1 : 0}\n`

const enabled: Pick<SysfsFile, 'mode' | 'read'> = {
  mode: 0o444,
  read: ({ record }) => decimal(record.fadump.isEnabled),
}
const registered: Pick<SysfsFile, 'mode' | 'read' | 'admits' | 'write'> = {
  mode: 0o644,
  read: ({ record }) => decimal(record.fadump.isRegistered),
  admits: admitRegistered,
  write: writeRegistered,
}
const releaseMem: Pick<SysfsFile, 'mode' | 'admits' | 'write'> = {
  mode: 0o200,
  admits: admitReleaseMem,
  write: writeReleaseMem,
}
const region: Pick<SysfsFile, 'path' | 'mode' | 'read'> = {
  path: 'kernel/debug/powerpc/fadump_region',
  mode: 0o444,
  read: fadumpRegion,
}

const isEnabled = ({ fadump }: KernelRecord) => fadump.isEnabled
const isSupported = ({ fadump }: KernelRecord) => fadump.isSupported
const hasReleaseFile = ({ fadump }: KernelRecord) => fadump.hasReleaseFile

/** 3.4: flat files, made only when fadump is enabled (C130). */
const v5Files: readonly SysfsFile[] = [
  { path: 'kernel/fadump_enabled', exists: isEnabled, ...enabled },
  { path: 'kernel/fadump_registered', exists: isEnabled, ...registered },
  {
    path: 'kernel/fadump_release_mem',
    exists: (record) => isEnabled(record) && hasReleaseFile(record),
    ...releaseMem,
  },
  { ...region, exists: isEnabled },
]

/** 6.10: a directory whenever firmware offers fadump, and the old names as symbolic links (C136). */
const modernFiles: readonly SysfsFile[] = [
  ...['kernel/fadump/enabled', 'kernel/fadump_enabled'].map((path) => ({
    path,
    exists: isSupported,
    ...enabled,
  })),
  ...['kernel/fadump/registered', 'kernel/fadump_registered'].map((path) => ({
    path,
    exists: isSupported,
    ...registered,
  })),
  ...['kernel/fadump/release_mem', 'kernel/fadump_release_mem'].map((path) => ({
    path,
    exists: hasReleaseFile,
    ...releaseMem,
  })),
  {
    path: 'kernel/fadump/mem_reserved',
    mode: 0o444,
    exists: isSupported,
    read: ({ record: { fadump } }) =>
      `${fadump.area === undefined ? 0n : rangeLength(fadump.area)}\n`,
  },
  { path: 'kernel/fadump/hotplug_ready', mode: 0o444, exists: isSupported, read: () => '1\n' },
  {
    path: 'kernel/fadump/bootargs_append',
    mode: 0o644,
    exists: ({ fadump }) => fadump.parameterArea !== undefined,
    read: async ({ record: { fadump }, memory }) =>
      fadump.parameterArea === undefined
        ? '\n'
        : `${await readParameterArea(memory, fadump.parameterArea)}\n`,
    write: writeBootargsAppend,
  },
  { ...region, exists: isSupported },
]

/** `pseries` dynamic reconfiguration: the same files for both profiles. */
const common: readonly SysfsFile[] = [
  { path: 'kernel/dlpar', write: writeDlpar },
  { path: 'devices/system/cpu/probe', write: writeCpuProbe },
  { path: 'devices/system/cpu/release', write: writeCpuRelease },
].map((file) => ({ ...file, mode: 0o200, exists: () => true }))

const files: Readonly<Record<KernelProfileName, readonly SysfsFile[]>> = {
  v5: v5Files,
  modern: modernFiles,
}

/** The file at `path` of this kernel, if there is one. */
export function findFile(record: KernelRecord, path: string): SysfsFile | undefined {
  const fixed = [...files[record.profile], ...common].find(
    (file) => file.path === path && file.exists(record),
  )
  return fixed ?? cpuFiles(record, path)
}

async function fadumpRegion({ record, memory }: RunningKernel): Promise<string> {
  const { fadump } = record
  const structure = presentedStructure(record)
  return fadumpRegionText({
    profile: profileOf(record),
    isEnabled: fadump.isEnabled,
    ...(structure === undefined ? {} : { structure }),
    dumpActive: fadump.isDumpActive,
    preservedStart: fadump.bootMemoryTop,
    ...(fadump.parameterArea === undefined
      ? {}
      : { appendedArguments: await readParameterArea(memory, fadump.parameterArea) }),
  })
}

/** What firmware has presented while the dump is active, else what is or would be registered. */
function presentedStructure(record: KernelRecord): DumpMemoryStructure | undefined {
  const { dump } = record.fadump
  return dump === undefined ? dumpStructureOf(record) : decodeDumpMemoryStructure(dump)
}
