/** What the platform does to a partition behind its back; what is no fault is the same on the console, under /v1. */
import { z } from 'zod'
import { byConsole, forOperators } from './access.ts'
import { firmwareFault, newFirmwareFault } from './firmware-faults.ts'
import { partition } from './partition.ts'
import { partitionParams } from './route-parameters.ts'
import { json, none, type Routes } from './route.ts'

/** Only on the hypervisor: the console arms them through `/v1/faults`, where all faults are armed. */
export const firmwareFaultRoutes = {
  armFirmwareFault: {
    method: 'POST',
    access: byConsole,
    path: '/partitions/:partition/firmware-faults',
    summary: 'Arm a fault of the partition’s firmware; one of the same name is replaced',
    params: partitionParams,
    body: json(newFirmwareFault),
    status: 201,
    reply: json(firmwareFault),
    problems: ['not-found', 'invalid-request', 'invalid-configuration'],
  },
  listFirmwareFaults: {
    method: 'GET',
    access: byConsole,
    path: '/partitions/:partition/firmware-faults',
    summary: 'The armed faults and how often each has struck',
    params: partitionParams,
    status: 200,
    reply: json(z.array(firmwareFault)),
    problems: ['not-found'],
  },
  disarmFirmwareFaults: {
    method: 'DELETE',
    access: byConsole,
    path: '/partitions/:partition/firmware-faults',
    summary: 'Disarm all faults of the partition’s firmware',
    params: partitionParams,
    status: 204,
    reply: none,
    problems: ['not-found'],
  },
} as const satisfies Routes

export const firmwareRoutes = {
  killPartition: {
    method: 'POST',
    access: forOperators,
    path: '/partitions/:partition/kill',
    summary:
      'The hypervisor ends the partition without its kernel: firmware dumps what is registered, else restarts',
    params: partitionParams,
    status: 202,
    reply: json(partition),
    problems: ['not-found', 'wrong-state'],
  },
  migratePartition: {
    method: 'POST',
    access: forOperators,
    path: '/partitions/:partition/migrate',
    summary: 'Live migration: the partition runs on, and the platform drops its dump registration',
    params: partitionParams,
    status: 202,
    reply: json(partition),
    problems: ['not-found', 'wrong-state'],
  },
} as const satisfies Routes
