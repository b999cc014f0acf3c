/** `dump_header` of mm/oom_kill.c: what Linux prints of memory and processes when memory ends (truth runs of 7.2; 3.4). */
import {
  consumers,
  processesIn,
  phaseNames,
  type Failure,
  type Phase,
} from '@fadump-lab/shared/capture-memory'
import type { KernelProfileName } from '@fadump-lab/shared/contracts'
import type { Line } from '../kernel/kernel-log.ts'
import type { CaptureLife } from './capture-life.ts'

export interface Report {
  readonly profile: KernelProfileName
  readonly life: CaptureLife
  readonly failure: Failure
  /** Pages of all memory of the partition: what the capture kernel counts as present. */
  readonly presentPages: number
  /** The one sentence, which user space prints last. */
  readonly explanation: string
}

const [error, warning, info] = [3, 4, 6]

const line = (level: number) => (text: string) => ({ text, level })

/** The OOM killer took a process, and the dump went on. */
export function otherProcessLines(
  report: Omit<Report, 'failure' | 'explanation'>,
): readonly Line[] {
  const failure: Failure = {
    kind: 'oom kill',
    phase: 'transfer',
    consumer: otherProcess,
    victim: otherProcessName,
    needMiB: 0,
    availableMiB: 0,
  }
  return killLines({ ...report, failure, explanation: '' })
}

/** `tail /dev/zero`, as in the measured run. */
const otherProcessName = 'tail'
/** Its name in the account. */
const otherProcess = 'another process'

/** Who asks for memory when it ends; the victim itself unless the phase has a better candidate. */
export const invokers: Partial<Record<Phase, string>> = {
  'initramfs unpack': 'swapper/0',
  'user space': 'init',
  udev: 'systemd-udevd',
  'network modules': 'modprobe',
  'link up': 'ip',
}

/** `dump_header`: who asked, and what there is. */
export function oomLines(report: Report): readonly Line[] {
  const { profile, failure } = report
  const who = isOther(failure)
    ? otherProcessName
    : (invokers[failure.phase] ?? failure.victim ?? 'sh')
  const head =
    profile === 'v5'
      ? `${who} invoked oom-killer: gfp_mask=0x201da, order=0, oom_adj=0, oom_score_adj=0`
      : `${who} invoked oom-killer: gfp_mask=0x140cca(GFP_HIGHUSER_MOVABLE|__GFP_COMP), order=0, oom_score_adj=0`
  return [line(warning)(head), ...memoryLines(report), ...taskLines(report)]
}

/** Pages at the moment in which an allocation is refused. */
interface Moment {
  readonly free: number
  /** `min_wmark_pages`: below it nothing is given but to who frees memory. */
  readonly minimum: number
  readonly cache: number
  readonly rootfs: number
  readonly slab: number
  readonly anonymous: number
  /** Free blocks by order, as `/proc/buddyinfo` has them. */
  readonly blocks: readonly number[]
}

/** MAX_PAGE_ORDER with pages of 64 KiB. */
const orderMax = 8
/** Who holds what the refused allocation had been given before it met the end. */
const granted = 'refused allocation'

/** The account stops before an allocation that does not fit; life goes on in it page by page, until `minimum` is met. */
function momentOf({ life, failure }: Report): Moment {
  const { pages, system, shortage } = life
  const minimum = Math.floor(Math.sqrt(16 * life.managedPages * system.pageKiB) / system.pageKiB)
  const cache = isOther(failure) ? 0 : pages.heldBy('page cache')
  const most = isOther(failure) ? Infinity : (shortage?.pages ?? Infinity)
  const there = pages.free + pages.heldBy('page cache') - cache
  const given = Math.max(0, Math.min(most, there - minimum + 1))
  const anonymous = processPages(life).reduce((sum, task) => sum + task.pages, 0)
  const rootfs = pages.heldBy(rootfsOwner)
  const slab = pages.heldBy('slabs and page tables') + pages.heldBy('per-CPU slabs and lists')
  const holder = holderOf(failure)
  pages.take(granted, Math.min(given, pages.free))
  const blocks = pages.freeBlocks(orderMax)
  pages.give(granted)
  return {
    free: there - given,
    minimum,
    cache,
    rootfs: rootfs + (holder === 'rootfs' ? given : 0),
    slab: slab + (holder === 'slab' ? given : 0),
    anonymous: anonymous + (isOther(failure) ? given : 0),
    blocks,
  }
}

/** Where the pages of the refused allocation are counted; those of processes are counted with their process. */
function holderOf(failure: Failure): 'rootfs' | 'slab' | 'process' {
  if (failure.consumer === rootfsOwner) return 'rootfs'
  const row = consumers.find(({ name }) => name === failure.consumer)
  return isOther(failure) || row?.process !== undefined ? 'process' : 'slab'
}

const rootfsOwner = 'unpacked initramfs'

function isOther({ consumer }: Failure): boolean {
  return consumer === otherProcess
}

/** `show_mem`. */
export function memoryLines(report: Report): readonly Line[] {
  const { life, profile, presentPages } = report
  const { pageKiB } = life.system
  const { free, minimum, cache, rootfs, slab, anonymous, blocks } = momentOf(report)
  const kB = (count: number) => `${count * pageKiB}kB`
  const low = minimum + Math.floor(minimum / 4)
  const high = minimum + Math.floor(minimum / 2)
  const managed = life.managedPages
  const buddy = blocks.map((count, order) => `${count}*${2 ** order * pageKiB}kB`).join(' ')
  const zone = profile === 'v5' ? 'DMA' : 'Normal'
  const present =
    profile === 'v5'
      ? `present:${kB(life.pages.total)}`
      : `present:${kB(presentPages)} managed:${kB(managed)}`
  const text = [
    'Mem-Info:',
    `active_anon:${anonymous} inactive_anon:${rootfs} isolated_anon:0`,
    ` active_file:0 inactive_file:${cache} isolated_file:0`,
    ` unevictable:0 dirty:${cache} writeback:0`,
    ` slab_reclaimable:0 slab_unreclaimable:${slab}`,
    ` mapped:0 shmem:${rootfs} pagetables:0`,
    ` free:${free} free_pcp:0 free_cma:0`,
    `Node 0 ${zone} free:${kB(free)} min:${kB(minimum)} low:${kB(low)} high:${kB(high)} active_anon:${kB(anonymous)} inactive_file:${kB(cache)} ${present} mlocked:0kB`,
    'lowmem_reserve[]: 0 0 0',
    `Node 0 ${zone}: ${buddy} = ${kB(free)}`,
    `${cache + rootfs} total pagecache pages`,
    '0 pages in swap cache',
    'Free swap  = 0kB',
    'Total swap = 0kB',
    `${presentPages} pages RAM`,
    `${presentPages - managed} pages reserved`,
  ]
  return text.map(line(warning))
}

interface Task {
  readonly pid: number
  readonly name: string
  readonly pages: number
}

/** Pages of init and of a shell: busybox in the measured run. */
const smallProcessPages = 30
const firstPid = 105

function processPages({ system, timeline, shortage }: CaptureLife): readonly Task[] {
  const phase = phaseNames.indexOf(shortage?.phase ?? timeline.at(-1)?.phase ?? 'done')
  const large = processesIn(system, phase).map(({ name, MiB }) => ({
    name,
    pages: Math.max(1, Math.round((MiB * 1024) / system.pageKiB)),
  }))
  const small = [
    { name: 'init', pages: smallProcessPages },
    { name: 'sh', pages: smallProcessPages },
  ]
  return [...small, ...large].map((task, index) => ({
    ...task,
    pid: index === 0 ? 1 : firstPid + index,
  }))
}

function tasksOf(report: Report): readonly Task[] {
  const { life, failure } = report
  const tasks = processPages(life)
  if (!isOther(failure)) return tasks
  // It had grown until nothing was left, and all that grew was its own.
  const before = tasks.reduce((sum, { pages }) => sum + pages, 0)
  const pages = Math.max(1, momentOf(report).anonymous - before)
  return [...tasks, { name: otherProcessName, pages, pid: firstPid + tasks.length }]
}

function taskLines(report: Report): readonly Line[] {
  const tasks = tasksOf(report)
  const pad = (value: number | string, width: number) => String(value).padStart(width)
  if (report.profile === 'v5') {
    return [
      '[ pid ]   uid  tgid total_vm      rss cpu oom_adj oom_score_adj name',
      ...tasks.map(
        ({ pid, name, pages }) =>
          `[${pad(pid, 5)}]     0 ${pad(pid, 5)} ${pad(pages + 23, 8)} ${pad(pages, 8)}   0       0             0 ${name}`,
      ),
    ].map(line(info))
  }
  return [
    'Tasks state (memory values in pages):',
    '[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name',
    ...tasks.map(
      ({ pid, name, pages }) =>
        `[${pad(pid, 7)}]     0 ${pad(pid, 5)} ${pad(pages + 23, 8)} ${pad(pages, 8)} ${pad(Math.max(0, pages - 23), 8)} ${pad(1, 8)} ${pad(22, 9)} ${pad(21_760, 8)} ${pad(0, 8)} ${pad(0, 13)} ${name}`,
    ),
  ].map(line(info))
}

export function killLines(report: Report): readonly Line[] {
  const { profile, life, failure } = report
  const tasks = tasksOf(report)
  const victim = tasks.find(({ name }) => name === failure.victim) ?? tasks.at(-1)
  if (victim === undefined) return oomLines(report)
  const { pid, name, pages } = victim
  const kB = (count: number) => `${count * life.system.pageKiB}kB`
  const managed = Math.max(1, life.managedPages)
  if (profile === 'v5') {
    const score = Math.max(1, Math.round((pages / managed) * 1000))
    return [
      ...oomLines(report),
      line(error)(`Out of memory: Kill process ${pid} (${name}) score ${score} or sacrifice child`),
      line(error)(
        `Killed process ${pid} (${name}) total-vm:${kB(pages + 23)}, anon-rss:${kB(pages)}, file-rss:${kB(1)}`,
      ),
    ]
  }
  return [
    ...oomLines(report),
    line(info)(
      `oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/,task=${name},pid=${pid},uid=0`,
    ),
    line(error)(
      `Out of memory: Killed process ${pid} (${name}) total-vm:${kB(pages + 23)}, anon-rss:${kB(Math.max(0, pages - 23))}, file-rss:${kB(1)}, shmem-rss:${kB(22)}, UID:0 pgtables:49kB oom_score_adj:0`,
    ),
  ]
}
