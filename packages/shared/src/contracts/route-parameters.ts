/** Path parameters and media types that several route tables share. */
import { z } from 'zod'
import { dumpId, frameId, imageId, jobId, partitionId } from './ids.ts'

export const frameParams = z.strictObject({ frame: frameId })
export const partitionParams = z.strictObject({ partition: partitionId })
export const imageParams = z.strictObject({ image: imageId })
export const dumpParams = z.strictObject({ dump: dumpId })
export const jobParams = z.strictObject({ job: jobId })

export const elfMedia = 'application/octet-stream'
export const flattenedMedia = 'application/x-makedumpfile-flattened'
export const ndjsonMedia = 'application/x-ndjson'
