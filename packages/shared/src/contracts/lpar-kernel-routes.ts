/** The operations of the Linux kernels. Internal, apart from what the console passes through. */
import { z } from 'zod'
import { byCollectorOfDump, byConsole, byFirmware, forOperators, forViewers } from './access.ts'
import { captureMemoryRoutes } from './capture-memory-routes.ts'
import { partitionId } from './ids.ts'
import {
  crashRequest,
  shutdownRequest,
  systemResetRequest,
  workload,
  workloadDone,
} from './partition.ts'
import { elfMedia, flattenedMedia, ndjsonMedia, partitionParams } from './route-parameters.ts'
import { json, none, stream, text, type Routes } from './route.ts'

/** Of this boot generation only: any other is refused with `stale-boot`. For callers that mean one certain dump. */
const epoch = z.coerce.number().int().min(0).optional()
const bootQuery = z.strictObject({ epoch })
const vmcoreQuery = z.strictObject({
  epoch,
  /** Flattened form only: leave out bytes before this offset. */
  from: z.coerce.number().int().min(0).default(0),
})

/** Below /sys. Names that begin with a dot are none, so that no path leads anywhere else. */
const filePath = z
  .string()
  .max(256)
  .regex(
    /^[\w-][\w.,:@-]*(?:\/[\w-][\w.,:@-]*)*$/,
    'a path must be names of letters, digits and _ - . , : @ that do not begin with a dot, joined by /',
  )
const fileParams = z.strictObject({ partition: partitionId, '*': filePath })

export const lparKernelRoutes = {
  ...captureMemoryRoutes,
  readFile: {
    method: 'GET',
    access: forViewers,
    path: '/partitions/:partition/sys/*',
    summary: 'Read a sysfs or debugfs file of the partition',
    params: fileParams,
    status: 200,
    reply: text(),
    problems: ['not-found', 'errno', 'wrong-state'],
  },
  writeFile: {
    method: 'PUT',
    access: forOperators,
    path: '/partitions/:partition/sys/*',
    summary: 'Write a sysfs file of the partition',
    params: fileParams,
    query: bootQuery,
    body: text(4096),
    status: 204,
    reply: none,
    problems: ['not-found', 'errno', 'wrong-state', 'conflict', 'stale-boot'],
  },
  releaseDump: {
    method: 'PUT',
    access: { callers: { 'hmc-api': 'credential', 'dump-collector': 'dump-token' } },
    path: '/partitions/:partition/sys/kernel/fadump_release_mem',
    summary: 'Give the preserved memory back: the dump is gone from the partition',
    params: partitionParams,
    query: bootQuery,
    body: text(4096),
    status: 204,
    reply: none,
    problems: ['not-found', 'errno', 'wrong-state', 'conflict', 'stale-boot'],
  },
  readProc: {
    method: 'GET',
    access: byConsole,
    path: '/partitions/:partition/proc/:file',
    summary: 'Read /proc/cmdline, /proc/meminfo, /proc/kmsg of the partition',
    params: z.strictObject({ partition: partitionId, file: z.string().max(64) }),
    status: 200,
    reply: text(),
    problems: ['not-found', 'errno', 'wrong-state'],
  },
  readVmcore: {
    method: 'GET',
    access: byCollectorOfDump,
    path: '/partitions/:partition/proc/vmcore',
    summary:
      'The dump: ELF with Range, or makedumpfile-flattened (Accept) from an offset, holes left out',
    params: partitionParams,
    query: vmcoreQuery,
    status: 200,
    reply: stream(elfMedia, flattenedMedia),
    problems: ['not-found', 'errno', 'wrong-state', 'range-not-satisfiable', 'stale-boot'],
  },
  readVmcoreManifest: {
    method: 'GET',
    access: byCollectorOfDump,
    path: '/partitions/:partition/proc/vmcore.manifest',
    summary: 'Digests of every populated part of the dump, NDJSON',
    params: partitionParams,
    query: bootQuery,
    status: 200,
    reply: stream(ndjsonMedia),
    problems: ['not-found', 'errno', 'wrong-state', 'stale-boot'],
  },
  crash: {
    method: 'POST',
    access: byConsole,
    path: '/partitions/:partition/crash',
    summary: 'Make the kernel crash',
    params: partitionParams,
    query: bootQuery,
    body: json(crashRequest),
    status: 202,
    reply: none,
    problems: ['not-found', 'wrong-state', 'invalid-configuration', 'stale-boot'],
  },
  runWorkload: {
    method: 'POST',
    access: forOperators,
    path: '/partitions/:partition/workload',
    summary:
      'Let user space of the running partition rewrite pages of its memory; a crash may come in between',
    params: partitionParams,
    body: json(workload),
    status: 200,
    reply: json(workloadDone),
    problems: ['not-found', 'wrong-state', 'invalid-configuration', 'stale-boot'],
  },
  systemResetInterrupt: {
    method: 'POST',
    access: byFirmware,
    path: '/partitions/:partition/interrupts/system-reset',
    summary: 'System reset exception 0x100 on every CPU, or on those that are named',
    params: partitionParams,
    body: json(systemResetRequest),
    status: 202,
    reply: none,
    problems: ['not-found', 'wrong-state', 'stale-boot', 'invalid-configuration'],
  },
  shutdown: {
    method: 'POST',
    access: byConsole,
    path: '/partitions/:partition/shutdown',
    summary: 'Orderly end by the operating system: reboot, power-off, or kexec into another kernel',
    params: partitionParams,
    body: json(shutdownRequest),
    status: 202,
    reply: none,
    problems: ['not-found', 'wrong-state'],
  },
} as const satisfies Routes
