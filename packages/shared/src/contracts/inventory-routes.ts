/** Frames, partitions with their firmware, and images: the same operations on the hypervisor and, under /v1, on the console. */
import { z } from 'zod'
import { forAdministrators, forOperators, forViewers } from './access.ts'
import { bootSettingsRoutes } from './capture-memory-routes.ts'
import { firmwareRoutes } from './firmware-routes.ts'
import { frameId, imageId } from './ids.ts'
import { frame, image, newFrame, newPartition, partition } from './partition.ts'
import {
  elfMedia,
  flattenedMedia,
  frameParams,
  imageParams,
  partitionParams,
} from './route-parameters.ts'
import { json, none, stream, type Routes } from './route.ts'

const imageQuery = z.strictObject({
  id: imageId,
  frame: frameId.default('server-1'),
  /** Refuse an image of the other byte order. */
  profile: z.enum(['v5', 'modern']).optional(),
})

export const inventoryRoutes = {
  ...bootSettingsRoutes,
  ...firmwareRoutes,
  createFrame: {
    method: 'POST',
    access: forAdministrators,
    path: '/frames',
    summary: 'Add a frame: a managed system with finite memory and processors',
    body: json(newFrame),
    status: 201,
    reply: json(frame),
    problems: ['invalid-request', 'already-exists', 'invalid-configuration'],
  },
  listFrames: {
    method: 'GET',
    access: forViewers,
    path: '/frames',
    summary: 'List frames with what is free on them',
    status: 200,
    reply: json(z.array(frame)),
    problems: [],
  },
  getFrame: {
    method: 'GET',
    access: forViewers,
    path: '/frames/:frame',
    summary: 'One frame',
    params: frameParams,
    status: 200,
    reply: json(frame),
    problems: ['not-found'],
  },
  deleteFrame: {
    method: 'DELETE',
    access: forAdministrators,
    path: '/frames/:frame',
    summary: 'Remove an empty frame',
    params: frameParams,
    status: 204,
    reply: none,
    problems: ['not-found', 'in-use'],
  },
  createPartition: {
    method: 'POST',
    access: forOperators,
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
    access: forViewers,
    path: '/partitions',
    summary: 'List partitions',
    status: 200,
    reply: json(z.array(partition)),
    problems: [],
  },
  getPartition: {
    method: 'GET',
    access: { ...forViewers, callers: { 'hmc-api': 'credential', 'lpar-kernel': 'credential' } },
    path: '/partitions/:partition',
    summary: 'One partition',
    params: partitionParams,
    status: 200,
    reply: json(partition),
    problems: ['not-found'],
  },
  deletePartition: {
    method: 'DELETE',
    access: forOperators,
    path: '/partitions/:partition',
    summary: 'Remove a partition that is off; its memory is given back',
    params: partitionParams,
    status: 204,
    reply: none,
    problems: ['not-found', 'wrong-state'],
  },
  createImage: {
    method: 'POST',
    access: forOperators,
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
      'insufficient-capacity',
      'unsupported-media-type',
    ],
  },
  listImages: {
    method: 'GET',
    access: forViewers,
    path: '/images',
    summary: 'List memory images',
    status: 200,
    reply: json(z.array(image)),
    problems: [],
  },
  getImage: {
    method: 'GET',
    access: forViewers,
    path: '/images/:image',
    summary: 'One memory image',
    params: imageParams,
    status: 200,
    reply: json(image),
    problems: ['not-found'],
  },
  deleteImage: {
    method: 'DELETE',
    access: forOperators,
    path: '/images/:image',
    summary: 'Remove a memory image; partitions made from it keep their memory',
    params: imageParams,
    status: 204,
    reply: none,
    problems: ['not-found', 'in-use'],
  },
} as const satisfies Routes
