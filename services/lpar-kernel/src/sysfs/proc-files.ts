/** /proc/cmdline, /proc/meminfo, /proc/kmsg, /proc/version. */
import { parseVmcoreinfo, vmcoreinfoText, notesOf, isVmcoreinfo } from '@fadump-lab/shared/elf'
import { characterLog, formatKmsg, recordRing } from '@fadump-lab/shared/printk'
import { rangeLength, toHostLength } from '@fadump-lab/shared/units'
import { kernelUseBytes, meminfoText } from '../boot/boot-log.ts'
import { captureMeminfo } from '../capture-memory/capture-meminfo.ts'
import { lifeOf } from '../capture-memory/capture-record.ts'
import { extraBytes } from '../capture-memory/transfer.ts'
import { errnoProblem } from '../kernel/errno.ts'
import type { KernelHost } from '../kernel/kernel-host.ts'
import { logOf } from '../kernel/kernel-log.ts'
import { profileOf, type KernelRecord } from '../kernel/kernel-record.ts'
import type { RunningKernel } from '../kernel/running-kernel.ts'
import { linuxBanner } from '../memory/kernel-image.ts'

type ReadFile = (kernel: RunningKernel, host: KernelHost) => string | Promise<string>

const files: Readonly<Record<string, ReadFile>> = {
  cmdline: ({ record }) => `${record.commandLine}\n`,
  version: ({ record }) => linuxBanner(record.profile),
  meminfo: (kernel, host) => captureMemory(kernel, host) ?? meminfo(kernel.record),
  kmsg: kernelMessages,
}

/** Errors: `errno` ENOENT. */
export async function readProcFile(
  host: KernelHost,
  kernel: RunningKernel,
  name: string,
): Promise<string> {
  const file = Object.hasOwn(files, name) ? files[name] : undefined
  if (file !== undefined) return file(kernel, host)
  throw errnoProblem(
    'ENOENT',
    `/proc/${name}`,
    `there are ${Object.keys(files).join(', ')}, vmcore`,
  )
}

/** While the dump is there; a kernel that has released it has all memory. */
function captureMemory(kernel: RunningKernel, host: KernelHost): string | undefined {
  const { capture, fadump, profile } = kernel.record
  if (capture === undefined || !fadump.isDumpActive || !fadump.isEnabled) return undefined
  const life = lifeOf(capture)
  return captureMeminfo(life, profile, extraBytes(host, kernel, life))
}

function meminfo(record: KernelRecord): string {
  const all = record.memoryRegions.reduce((sum, region) => sum + rangeLength(region), 0n)
  const { isEnabled, isDumpActive, bootMemorySize, area, cmaArea } = record.fadump
  const lent = cmaArea === undefined ? 0n : rangeLength(cmaArea)
  const { crashkernelArea } = record
  const kdump = crashkernelArea === undefined ? 0n : rangeLength(crashkernelArea)
  const reserved = (area === undefined ? 0n : rangeLength(area) - lent) + kdump
  const usable = isDumpActive && isEnabled ? bootMemorySize : all - reserved
  return meminfoText(usable, kernelUseBytes(all), record.profile === 'modern' ? lent : undefined)
}

/** The text of the log, at most the last 60 KiB of it: what fits a reply. */
const kmsgCharactersMax = 60 * 1024

async function kernelMessages(kernel: RunningKernel): Promise<string> {
  const { memory, record } = kernel
  const read = (address: Parameters<typeof memory.read>[0], length: number) =>
    memory.read(address, length)
  const { log, layout } = logOf(record.profile)
  const attached = record.isImage ? await attachToImage(kernel) : undefined
  if (record.isImage && attached === undefined) return ''
  const lines =
    attached === undefined
      ? await log.read(await log.load(layout, read), read)
      : await attached.log.read(attached.state, read)
  const text = lines.map(formatKmsg).join('')
  return text.length <= kmsgCharactersMax
    ? text
    : text.slice(text.indexOf('\n', text.length - kmsgCharactersMax) + 1)
}

async function attachToImage({ memory, record }: RunningKernel) {
  const order = profileOf(record).byteOrder
  const { address, bytes } = record.vmcoreinfo
  const area = await memory.read(address, toHostLength(bytes, 1024 * 1024))
  const note = [...notesOf(area, order)].find(isVmcoreinfo)
  if (note === undefined) return undefined
  const exported = parseVmcoreinfo(vmcoreinfoText(note))
  for (const log of [recordRing, characterLog]) {
    const state = await log.attach(exported, order, (at, length) => memory.read(at, length))
    if (state !== undefined) return { log, state }
  }
  return undefined
}
