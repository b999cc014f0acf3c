/** Faults of one service, for the console only; and of the whole machine room, for people. */
import { z } from 'zod'
import { byConsole, serviceNames } from './access.ts'
import { armedFault, faultId, newFault } from './faults.ts'
import { partitionId } from './ids.ts'
import { json, none, type Routes } from './route.ts'

const faultParams = z.strictObject({ fault: faultId })

/** Every service has these. */
export const faultRoutes = {
  listFaults: {
    method: 'GET',
    access: byConsole,
    path: '/faults',
    summary: 'Whether faults can be armed in this process, and those that are',
    status: 200,
    reply: json(z.strictObject({ isEnabled: z.boolean(), armed: z.array(armedFault) })),
    problems: [],
  },
  armFault: {
    method: 'POST',
    access: byConsole,
    path: '/faults',
    summary: 'Arm a fault in this process',
    body: json(z.strictObject({ id: faultId, fault: newFault })),
    status: 201,
    reply: json(armedFault),
    problems: ['invalid-request', 'faults-disabled', 'insufficient-capacity'],
  },
  disarmFaults: {
    method: 'DELETE',
    access: byConsole,
    path: '/faults',
    summary: 'Disarm all faults of this process',
    status: 204,
    reply: none,
    problems: ['faults-disabled'],
  },
  disarmFault: {
    method: 'DELETE',
    access: byConsole,
    path: '/faults/:fault',
    summary: 'Disarm a fault; one that is not armed here is no error',
    params: faultParams,
    status: 204,
    reply: none,
    problems: ['faults-disabled'],
  },
} as const satisfies Routes

/** One process in which a fault is armed. */
const faultPlace = z.strictObject({
  service: z.enum(serviceNames),
  /** Base URL of the process; the console's own has none. */
  url: z.string().optional(),
  considered: z.int().min(0),
  struck: z.int().min(0),
})

/** An armed fault with its counts over all processes. */
export const roomFault = z.strictObject({ ...armedFault.shape, processes: z.array(faultPlace) })
export type RoomFault = z.output<typeof roomFault>

const catalogueRow = z.strictObject({
  name: z.string(),
  point: z.string(),
  services: z.array(z.enum(serviceNames)),
  does: z.string(),
  value: z.string(),
  default: z.int().optional(),
  places: z.array(z.string()),
  expects: z.string(),
})

const processState = z.strictObject({
  service: z.enum(serviceNames),
  url: z.string().optional(),
  /** Absent when the process does not answer. */
  isEnabled: z.boolean().optional(),
})

export const roomFaults = z.strictObject({
  processes: z.array(processState),
  armed: z.array(roomFault),
  /** Their firmware cannot be asked for its faults at the moment: those are missing from `armed`. */
  unreadPartitions: z.array(partitionId),
  catalogue: z.array(catalogueRow),
})
export type RoomFaults = z.output<typeof roomFaults>

export const roomFaultRoutes = {
  listFaults: {
    method: 'GET',
    access: { role: 'viewer' },
    path: '/faults',
    summary: 'Every fault there is, those that are armed, and how often each has struck',
    status: 200,
    reply: json(roomFaults),
    problems: [],
  },
  armFault: {
    method: 'POST',
    access: { role: 'administrator' },
    path: '/faults',
    summary: 'Arm a fault wherever it acts',
    body: json(newFault),
    status: 201,
    reply: json(roomFault),
    problems: [
      'invalid-request',
      'invalid-configuration',
      'not-found',
      'faults-disabled',
      'insufficient-capacity',
      'dependency-unavailable',
    ],
  },
  disarmFaults: {
    method: 'DELETE',
    access: { role: 'administrator' },
    path: '/faults',
    summary: 'Disarm all faults, those of firmware included',
    status: 204,
    reply: none,
    problems: ['faults-disabled', 'dependency-unavailable'],
  },
  disarmFault: {
    method: 'DELETE',
    access: { role: 'administrator' },
    path: '/faults/:fault',
    summary: 'Disarm one fault',
    params: faultParams,
    status: 204,
    reply: none,
    problems: ['not-found', 'faults-disabled', 'dependency-unavailable'],
  },
} as const satisfies Routes
