/**
 * The token of a dump: what its collector shows to read it and to release it. It names the dump and the boot that presents
 * it, and is authentic by HMAC-SHA-256 with the dump key, which kernel hosts and collectors have. Both work it out for
 * themselves, so it never lies in a queue.
 *
 * The same key signs capture jobs. A collector sends its credential to the address that a job names, so it takes jobs of
 * kernel hosts only, whoever else can write to the queue.
 */
import { createHmac } from 'node:crypto'
import { captureQueue, type CaptureJob } from '../contracts/index.ts'
import { equalSecrets } from './secret.ts'

/** One presentation of one dump. */
export interface DumpClaim {
  readonly dump: string
  readonly epoch: number
}

const tokenPrefix = 'fldt'

/** `fldt.<dump>.<epoch>.<64 hexadecimal digits>`. */
export function dumpToken(key: string, { dump, epoch }: DumpClaim): string {
  return [tokenPrefix, dump, epoch, digest(key, ['dump-token', dump, String(epoch)])].join('.')
}

/** What the token speaks for; `undefined` when it was not made with this key. */
export function readDumpToken(key: string, token: string): DumpClaim | undefined {
  const match = /^fldt\.([a-z0-9-]{1,48})\.(\d{1,10})\.[0-9a-f]{64}$/.exec(token)
  const [, dump = '', epoch = ''] = match ?? []
  const claim = { dump, epoch: Number(epoch) }
  return match !== null && equalSecrets(dumpToken(key, claim), token) ? claim : undefined
}

/** The job with its proof. */
export function signedCaptureJob(key: string, job: Omit<CaptureJob, 'proof'>): CaptureJob {
  return { ...job, proof: jobProof(key, job) }
}

/** Whether a kernel host has written the job, every field of it. */
export function isProven(key: string, job: CaptureJob): boolean {
  return equalSecrets(jobProof(key, job), job.proof)
}

function jobProof(key: string, job: Omit<CaptureJob, 'proof'>): string {
  const { frame, partition, epoch, dump, partitionUrl, correlationId } = job
  const fields = [frame, partition, String(epoch), dump, partitionUrl, correlationId]
  return digest(key, [`${captureQueue.name}-job`, ...fields])
}

/** No field can hold the separator: ids are labels, and a URL has no line ends. */
function digest(key: string, fields: readonly string[]): string {
  return createHmac('sha256', key).update(fields.join('\n')).digest('hex')
}
