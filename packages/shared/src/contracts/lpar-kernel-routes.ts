/** The operations of the Linux kernels. Internal, apart from what the console passes through. */
import { z } from 'zod'
import { partitionId } from './ids.ts'
import { crashRequest } from './partition.ts'
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
  readFile: {
    method: 'GET',
    path: '/partitions/:partition/sys/*',
    summary: 'Read a sysfs or debugfs file of the partition',
    params: fileParams,
    status: 200,
    reply: text(),
    problems: ['not-found', 'errno', 'wrong-state'],
  },
  writeFile: {
    method: 'PUT',
    path: '/partitions/:partition/sys/*',
    summary: 'Write a sysfs file of the partition',
    params: fileParams,
    query: bootQuery,
    body: text(4096),
    status: 204,
    reply: none,
    problems: ['not-found', 'errno', 'wrong-state', 'conflict', 'stale-boot'],
  },
  readProc: {
    method: 'GET',
    path: '/partitions/:partition/proc/:file',
    summary: 'Read /proc/cmdline, /proc/meminfo, /proc/kmsg of the partition',
    params: z.strictObject({ partition: partitionId, file: z.string().max(64) }),
    status: 200,
    reply: text(),
    problems: ['not-found', 'errno', 'wrong-state'],
  },
  readVmcore: {
    method: 'GET',
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
    path: '/partitions/:partition/crash',
    summary: 'Make the kernel crash',
    params: partitionParams,
    body: json(crashRequest),
    status: 202,
    reply: none,
    problems: ['not-found', 'wrong-state', 'invalid-configuration'],
  },
  systemResetInterrupt: {
    method: 'POST',
    path: '/partitions/:partition/interrupts/system-reset',
    summary: 'System reset exception 0x100 on every CPU',
    params: partitionParams,
    body: json(z.strictObject({ epoch: z.int().min(0) })),
    status: 202,
    reply: none,
    problems: ['not-found', 'wrong-state', 'stale-boot'],
  },
  shutdown: {
    method: 'POST',
    path: '/partitions/:partition/shutdown',
    summary: 'Orderly shutdown by the operating system',
    params: partitionParams,
    body: json(z.strictObject({ action: z.enum(['reboot', 'power-off']) })),
    status: 202,
    reply: none,
    problems: ['not-found', 'wrong-state'],
  },
} as const satisfies Routes
