/** Every HTTP operation of every service, by service and by name. */
import { z } from 'zod'
import { dump } from './dump.ts'
import { labEvent } from './events.ts'
import { hmcJob } from './hmc-job.ts'
import { correlationId, dumpId, frameId, imageId, jobId, partitionId } from './ids.ts'
import {
  bootProgress,
  crashRequest,
  frame,
  image,
  imageNotes,
  newFrame,
  newPartition,
  partition,
  vcpu,
  vcpuUpdate,
} from './partition.ts'
import { bytes, json, none, stream, text, type Routes } from './route.ts'

const frameParams = z.strictObject({ frame: frameId })
const partitionParams = z.strictObject({ partition: partitionId })
const imageParams = z.strictObject({ image: imageId })
const dumpParams = z.strictObject({ dump: dumpId })
const jobParams = z.strictObject({ job: jobId })

export const elfMedia = 'application/octet-stream'
export const flattenedMedia = 'application/x-makedumpfile-flattened'
export const ndjsonMedia = 'application/x-ndjson'
/** vCPU contexts of the largest partition as JSON. */
const vcpusBytesMax = 16 * 1024 * 1024
const rtasBytesMax = 4096

const imageQuery = z.strictObject({
  id: imageId,
  frame: frameId.default('server-1'),
  /** Refuse an image of the other byte order. */
  profile: z.enum(['v5', 'modern']).optional(),
})

/** Frames, images and partition configuration: the same on the hypervisor and, under /v1, on the console. */
const inventoryRoutes = {
  createFrame: {
    method: 'POST',
    path: '/frames',
    summary: 'Add a frame: a managed system with finite memory and processors',
    body: json(newFrame),
    status: 201,
    reply: json(frame),
    problems: ['invalid-request', 'already-exists', 'invalid-configuration'],
  },
  listFrames: {
    method: 'GET',
    path: '/frames',
    summary: 'List frames with what is free on them',
    status: 200,
    reply: json(z.array(frame)),
    problems: [],
  },
  getFrame: {
    method: 'GET',
    path: '/frames/:frame',
    summary: 'One frame',
    params: frameParams,
    status: 200,
    reply: json(frame),
    problems: ['not-found'],
  },
  deleteFrame: {
    method: 'DELETE',
    path: '/frames/:frame',
    summary: 'Remove an empty frame',
    params: frameParams,
    status: 204,
    reply: none,
    problems: ['not-found', 'in-use'],
  },
  createPartition: {
    method: 'POST',
    path: '/partitions',
    summary: 'Create a partition; it stays off until activated',
    body: json(newPartition),
    status: 201,
    reply: json(partition),
    problems: [
      'invalid-request',
      'not-found',
      'already-exists',
      'invalid-configuration',
      'insufficient-capacity',
    ],
  },
  listPartitions: {
    method: 'GET',
    path: '/partitions',
    summary: 'List partitions',
    status: 200,
    reply: json(z.array(partition)),
    problems: [],
  },
  getPartition: {
    method: 'GET',
    path: '/partitions/:partition',
    summary: 'One partition',
    params: partitionParams,
    status: 200,
    reply: json(partition),
    problems: ['not-found'],
  },
  deletePartition: {
    method: 'DELETE',
    path: '/partitions/:partition',
    summary: 'Remove a partition that is off; its memory is given back',
    params: partitionParams,
    status: 204,
    reply: none,
    problems: ['not-found', 'wrong-state'],
  },
  createImage: {
    method: 'POST',
    path: '/images',
    summary: 'Make a memory image from an ELF64 ppc64 vmcore (plain or makedumpfile-flattened)',
    query: imageQuery,
    body: stream(elfMedia, flattenedMedia),
    status: 201,
    reply: json(image),
    problems: [
      'invalid-request',
      'not-found',
      'already-exists',
      'invalid-image',
      'unsupported-media-type',
    ],
  },
  listImages: {
    method: 'GET',
    path: '/images',
    summary: 'List memory images',
    status: 200,
    reply: json(z.array(image)),
    problems: [],
  },
  getImage: {
    method: 'GET',
    path: '/images/:image',
    summary: 'One memory image',
    params: imageParams,
    status: 200,
    reply: json(image),
    problems: ['not-found'],
  },
  deleteImage: {
    method: 'DELETE',
    path: '/images/:image',
    summary: 'Remove a memory image; partitions made from it keep their memory',
    params: imageParams,
    status: 204,
    reply: none,
    problems: ['not-found', 'in-use'],
  },
} as const satisfies Routes

/** PHYP and partition firmware. Internal. */
export const hypervisorRoutes = {
  ...inventoryRoutes,
  activatePartition: {
    method: 'POST',
    path: '/partitions/:partition/activate',
    summary: 'Clear memory, build the device tree, queue the IPL',
    params: partitionParams,
    status: 202,
    reply: json(partition),
    problems: ['not-found', 'wrong-state'],
  },
  powerOffPartition: {
    method: 'POST',
    path: '/partitions/:partition/power-off',
    summary: 'Immediate power off: memory, registration and any pending dump are lost',
    params: partitionParams,
    status: 202,
    reply: json(partition),
    problems: ['not-found', 'wrong-state'],
  },
  restartPartition: {
    method: 'POST',
    path: '/partitions/:partition/restart',
    summary: 'Immediate restart without a dump; a pending dump is kept and presented again',
    params: partitionParams,
    status: 202,
    reply: json(partition),
    problems: ['not-found', 'wrong-state'],
  },
  systemReset: {
    method: 'POST',
    path: '/partitions/:partition/system-reset',
    summary:
      'Dump restart: system reset interrupt 0x100 on all CPUs; firmware dumps alone if no kernel answers',
    params: partitionParams,
    status: 202,
    reply: json(partition),
    problems: ['not-found', 'wrong-state'],
  },
  getDeviceTree: {
    method: 'GET',
    path: '/partitions/:partition/device-tree',
    summary: 'The flattened device tree of the present boot (readable by dtc)',
    params: partitionParams,
    status: 200,
    reply: bytes(1024 * 1024),
    problems: ['not-found', 'wrong-state'],
  },
  rtasCall: {
    method: 'POST',
    path: '/partitions/:partition/rtas',
    summary:
      'One RTAS call: big-endian cells token, nargs, nret, args, rets in and out; an empty 200 reply means the call does not return',
    params: partitionParams,
    query: z.strictObject({ epoch: z.coerce.number().int().min(0) }),
    body: bytes(rtasBytesMax),
    status: 200,
    reply: bytes(rtasBytesMax),
    problems: ['not-found', 'wrong-state', 'stale-boot', 'invalid-request'],
  },
  putVcpus: {
    method: 'PUT',
    path: '/partitions/:partition/vcpus',
    summary: 'Replace the contexts of the named virtual CPUs',
    params: partitionParams,
    body: json(vcpuUpdate, vcpusBytesMax),
    status: 204,
    reply: none,
    problems: ['not-found', 'stale-boot', 'invalid-request'],
  },
  getVcpus: {
    method: 'GET',
    path: '/partitions/:partition/vcpus',
    summary: 'Contexts of all virtual CPUs',
    params: partitionParams,
    status: 200,
    reply: json(z.array(vcpu)),
    problems: ['not-found'],
  },
  reportBootProgress: {
    method: 'POST',
    path: '/partitions/:partition/boot-progress',
    summary: 'The kernel host tells how the boot went',
    params: partitionParams,
    body: json(bootProgress),
    status: 200,
    reply: json(partition),
    problems: ['not-found', 'wrong-state', 'stale-boot'],
  },
  getImageNotes: {
    method: 'GET',
    path: '/images/:image/notes',
    summary: 'Registers and VMCOREINFO of an image',
    params: imageParams,
    status: 200,
    reply: json(imageNotes),
    problems: ['not-found'],
  },
} as const satisfies Routes

const vmcoreQuery = z.strictObject({
  /** Flattened form only: leave out bytes before this offset. */
  from: z.coerce.number().int().min(0).default(0),
})

/** The Linux kernels. Internal, apart from what the console passes through. */
export const lparKernelRoutes = {
  readFile: {
    method: 'GET',
    path: '/partitions/:partition/sys/*',
    summary: 'Read a sysfs or debugfs file of the partition',
    params: z.strictObject({ partition: partitionId, '*': z.string().max(256) }),
    status: 200,
    reply: text(),
    problems: ['not-found', 'errno', 'wrong-state'],
  },
  writeFile: {
    method: 'PUT',
    path: '/partitions/:partition/sys/*',
    summary: 'Write a sysfs file of the partition',
    params: z.strictObject({ partition: partitionId, '*': z.string().max(256) }),
    body: text(4096),
    status: 204,
    reply: none,
    problems: ['not-found', 'errno', 'wrong-state', 'conflict'],
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
    problems: ['not-found', 'errno', 'wrong-state', 'range-not-satisfiable'],
  },
  readVmcoreManifest: {
    method: 'GET',
    path: '/partitions/:partition/proc/vmcore.manifest',
    summary: 'Digests of every populated part of the dump, NDJSON',
    params: partitionParams,
    status: 200,
    reply: stream(ndjsonMedia),
    problems: ['not-found', 'errno', 'wrong-state'],
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

const storedDumpRoutes = {
  listDumps: {
    method: 'GET',
    path: '/dumps',
    summary: 'List dumps, newest first',
    query: z.strictObject({ partition: partitionId.optional() }),
    status: 200,
    reply: json(z.array(dump)),
    problems: [],
  },
  getDump: {
    method: 'GET',
    path: '/dumps/:dump',
    summary: 'One dump',
    params: dumpParams,
    status: 200,
    reply: json(dump),
    problems: ['not-found'],
  },
  getDumpManifest: {
    method: 'GET',
    path: '/dumps/:dump/manifest',
    summary: 'The digests the stored vmcore was verified against, NDJSON',
    params: dumpParams,
    status: 200,
    reply: stream(ndjsonMedia),
    problems: ['not-found', 'wrong-state'],
  },
  downloadVmcore: {
    method: 'GET',
    path: '/dumps/:dump/vmcore',
    summary: 'The stored vmcore (Range supported)',
    params: dumpParams,
    status: 200,
    reply: stream(elfMedia),
    problems: ['not-found', 'wrong-state', 'range-not-satisfiable'],
  },
  deleteDump: {
    method: 'DELETE',
    path: '/dumps/:dump',
    summary: 'Delete a stored dump',
    params: dumpParams,
    status: 204,
    reply: none,
    problems: ['not-found', 'wrong-state'],
  },
} as const satisfies Routes

/** The dump server. Internal. */
export const collectorRoutes = storedDumpRoutes

const operation = {
  method: 'POST',
  params: partitionParams,
  status: 202,
  reply: json(hmcJob),
  problems: ['not-found', 'wrong-state'],
} as const

function versioned<const R extends Routes>(routes: R): { [K in keyof R]: R[K] } {
  const entries = Object.entries(routes).map(([name, route]) => [
    name,
    { ...route, path: `/v1${route.path}` },
  ])
  return Object.fromEntries(entries) as { [K in keyof R]: R[K] }
}

/** The console: the public REST API. */
export const hmcRoutes = versioned({
  ...inventoryRoutes,
  ...storedDumpRoutes,
  activate: {
    ...operation,
    path: '/partitions/:partition/activate',
    summary: 'Activate: the job ends when the first kernel is up and registered',
  },
  shutdownPartition: {
    ...operation,
    path: '/partitions/:partition/shutdown',
    summary: 'Shut down, by the operating system or immediately',
    body: json(z.strictObject({ immediate: z.boolean().default(false) })),
  },
  restart: {
    ...operation,
    path: '/partitions/:partition/restart',
    summary: 'Immediate restart, without a dump',
  },
  crash: {
    ...operation,
    path: '/partitions/:partition/crash',
    summary: 'Crash the kernel; the job ends when the dump is stored and the partition is up again',
    body: json(crashRequest),
    problems: ['not-found', 'wrong-state', 'invalid-configuration'],
  },
  dumpRestart: {
    ...operation,
    path: '/partitions/:partition/dump-restart',
    summary: 'Dump, then restart (operator panel function 22)',
  },
  listJobs: {
    method: 'GET',
    path: '/jobs',
    summary: 'List jobs, newest first',
    status: 200,
    reply: json(z.array(hmcJob)),
    problems: [],
  },
  getJob: {
    method: 'GET',
    path: '/jobs/:job',
    summary: 'One job',
    params: jobParams,
    status: 200,
    reply: json(hmcJob),
    problems: ['not-found'],
  },
  readPartitionFile: {
    ...lparKernelRoutes.readFile,
    summary: 'Read a sysfs or debugfs file of the running partition',
  },
  writePartitionFile: {
    ...lparKernelRoutes.writeFile,
    summary: 'Write a sysfs file of the running partition',
  },
  listEvents: {
    method: 'GET',
    path: '/events',
    summary: 'Events, oldest first; with Accept text/event-stream they keep coming',
    query: z.strictObject({
      after: z.string().max(64).optional(),
      limit: z.coerce.number().int().min(1).max(10_000).default(1000),
      correlationId: correlationId.optional(),
      partition: partitionId.optional(),
    }),
    status: 200,
    reply: json(z.array(z.strictObject({ id: z.string(), event: labEvent }))),
    problems: [],
  },
})
