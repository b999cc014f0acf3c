/** The operations of PHYP and partition firmware. Internal. */
import { z } from 'zod'
import { byConsole, byKernels } from './access.ts'
import { firmwareFaultRoutes } from './firmware-routes.ts'
import { inventoryRoutes } from './inventory-routes.ts'
import {
  bootProgress,
  imageNotes,
  memoryAssignment,
  partition,
  vcpu,
  vcpuUpdate,
} from './partition.ts'
import { imageParams, partitionParams } from './route-parameters.ts'
import { bytes, json, none, type Routes } from './route.ts'
import { structureRoutes } from './structure-routes.ts'

/** vCPU contexts of the largest partition as JSON. */
const vcpusBytesMax = 16 * 1024 * 1024
const rtasBytesMax = 4096
/** GPR3 to GPR12. */
const hcallBytesMax = 80

export const hypervisorRoutes = {
  ...inventoryRoutes,
  ...firmwareFaultRoutes,
  ...structureRoutes,
  activatePartition: {
    method: 'POST',
    access: byConsole,
    path: '/partitions/:partition/activate',
    summary: 'Clear memory, build the device tree, queue the IPL',
    params: partitionParams,
    status: 202,
    reply: json(partition),
    problems: ['not-found', 'wrong-state'],
  },
  powerOffPartition: {
    method: 'POST',
    access: byConsole,
    path: '/partitions/:partition/power-off',
    summary: 'Immediate power off: memory, registration and any pending dump are lost',
    params: partitionParams,
    status: 202,
    reply: json(partition),
    problems: ['not-found', 'wrong-state'],
  },
  restartPartition: {
    method: 'POST',
    access: byConsole,
    path: '/partitions/:partition/restart',
    summary: 'Immediate restart without a dump; a pending dump is kept and presented again',
    params: partitionParams,
    status: 202,
    reply: json(partition),
    problems: ['not-found', 'wrong-state'],
  },
  systemReset: {
    method: 'POST',
    access: byConsole,
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
    access: byKernels,
    path: '/partitions/:partition/device-tree',
    summary: 'The flattened device tree of the present boot (readable by dtc)',
    params: partitionParams,
    status: 200,
    reply: bytes(1024 * 1024),
    problems: ['not-found', 'wrong-state'],
  },
  rtasCall: {
    method: 'POST',
    access: byKernels,
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
  hypervisorCall: {
    method: 'POST',
    access: byKernels,
    path: '/partitions/:partition/hcall',
    summary:
      'One hypervisor call: GPR3 (function token) and GPR4 to GPR12 as big-endian cells in; GPR3 (return code) and outputs out',
    params: partitionParams,
    query: z.strictObject({ epoch: z.coerce.number().int().min(0) }),
    body: bytes(hcallBytesMax),
    status: 200,
    reply: bytes(hcallBytesMax),
    problems: ['not-found', 'wrong-state', 'stale-boot', 'invalid-request'],
  },
  putVcpus: {
    method: 'PUT',
    access: byKernels,
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
    access: byKernels,
    path: '/partitions/:partition/vcpus',
    summary: 'Contexts of all virtual CPUs',
    params: partitionParams,
    status: 200,
    reply: json(z.array(vcpu)),
    problems: ['not-found'],
  },
  assignMemory: {
    method: 'PUT',
    access: byKernels,
    path: '/partitions/:partition/memory-blocks',
    summary: 'Dynamic reconfiguration: the memory blocks that the partition has from now on',
    params: partitionParams,
    body: json(memoryAssignment),
    status: 200,
    reply: json(partition),
    problems: ['not-found', 'stale-boot', 'invalid-configuration'],
  },
  reportBootProgress: {
    method: 'POST',
    access: byKernels,
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
    access: byKernels,
    path: '/images/:image/notes',
    summary: 'Registers and VMCOREINFO of an image',
    params: imageParams,
    status: 200,
    reply: json(imageNotes),
    problems: ['not-found'],
  },
} as const satisfies Routes
