/** What Linux prints when a capture kernel fails, in the words of each profile's kernel (truth runs of 7.2; 3.4). */
import type { Failure } from '@fadump-lab/shared/capture-memory'
import type { Line } from '../kernel/kernel-log.ts'
import { invokers, killLines, memoryLines, oomLines, type Report } from './oom-report.ts'

/** KERN_EMERG, KERN_ERR, KERN_WARNING, KERN_NOTICE, KERN_INFO. */
const [emergency, error, warning, notice, info] = [0, 3, 4, 5, 6]

const line = (level: number) => (text: string) => ({ text, level })

/** The lines of a failure, up to the panic if there is one. */
export function failureLines(report: Report): readonly Line[] {
  const lines = words[report.failure.kind](report)
  return [...lines, line(error)(`kdump: ${report.explanation}`)]
}

/** What panics say, for the log and for `ibm,os-term`. */
export function panicText({ profile, failure }: Pick<Report, 'profile' | 'failure'>): string {
  if (failure.kind === 'rootfs full') {
    return profile === 'v5'
      ? 'VFS: Unable to mount root fs on unknown-block(0,0)'
      : 'VFS: Unable to mount root fs on "" or unknown-block(1,0)'
  }
  if (failure.phase === 'initramfs unpack') {
    return profile === 'v5'
      ? 'Out of memory and no killable processes...'
      : 'System is deadlocked on memory'
  }
  return 'Out of memory: system-wide panic_on_oom is enabled'
}

const words: Readonly<Record<Failure['kind'], (report: Report) => readonly Line[]>> = {
  hang: () => [],
  'rootfs full': (report) => [...rootfsLines(report), panicLine(report)],
  'out of memory panic': (report) => [...oomLines(report), panicLine(report)],
  'oom kill': killLines,
  'killed in mid-copy': killLines,
  'allocation failure': allocationFailureLines,
}

function panicLine(report: Report): Line {
  return line(emergency)(`Kernel panic - not syncing: ${panicText(report)}`)
}

/** init/initramfs.c: tmpfs is full (−ENOSPC), so what was unpacked is not taken for an initramfs; then init/do_mounts.c. */
function rootfsLines({ life }: Report): readonly Line[] {
  const { pages, system } = life
  const pageBytes = system.pageKiB * 1024
  const held = pages.heldBy('initramfs image') * pageBytes
  // What is stated is known to the byte, and freed are whole pages of it.
  const imageBytes =
    system.initramfsMiB === undefined ? held : Math.round(system.initramfsMiB * 2 ** 20)
  const freedKiB = Math.floor(imageBytes / pageBytes) * system.pageKiB
  return [
    line(info)('Trying to unpack rootfs image as initramfs...'),
    line(info)('rootfs image is not initramfs (write error); looks like an initrd'),
    line(error)(`/initrd.image: incomplete write (-28 != ${imageBytes})`),
    line(info)(`Freeing initrd memory: ${freedKiB}K`),
    line(notice)("RAMDISK: Couldn't find valid RAM disk image starting at 0."),
    line(warning)('List of all partitions:'),
    line(warning)('No filesystem could mount root, tried: '),
    line(warning)(''),
  ]
}

function allocationFailureLines(report: Report): readonly Line[] {
  const { profile, failure } = report
  const who = invokers[failure.phase] ?? 'ip'
  const order = failure.order ?? 0
  const head =
    profile === 'v5'
      ? `${who}: page allocation failure: order:${order}, mode:0xc0d0`
      : `${who}: page allocation failure: order:${order}, mode:0x40cc0(GFP_KERNEL|__GFP_COMP), nodemask=(null),cpuset=/,mems_allowed=0`
  return [line(warning)(head), ...memoryLines(report)]
}
