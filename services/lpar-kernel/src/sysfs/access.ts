/** open, read and write of /sys files: existence and mode first, then the file itself. */
import type { Problem } from '@fadump-lab/shared/contracts'
import { errnoProblem } from '../kernel/errno.ts'
import type { KernelHost } from '../kernel/kernel-host.ts'
import type { RunningKernel } from '../kernel/running-kernel.ts'
import type { SysfsFile } from './file.ts'
import { findFile } from './files.ts'

export interface FileRequest {
  readonly partition: string
  /** Below /sys. */
  readonly path: string
  readonly correlationId: string
  /** Only of this boot. */
  readonly epoch?: number | undefined
}

/** Errors: `not-found`, `wrong-state`, `errno` (ENOENT, EACCES). */
export async function readSysfs(host: KernelHost, request: FileRequest): Promise<string> {
  const kernel = await host.running(request.partition, request.correlationId)
  const file = existing(kernel, request.path)
  if (file.read === undefined) throw denied(file, 'reading')
  return file.read(kernel)
}

/** Writes one after the other per partition (`fadump_mutex`). Errors: as `readSysfs`, `stale-boot`, and those of the file. */
export async function writeSysfs(
  host: KernelHost,
  request: FileRequest & { readonly text: string },
): Promise<void> {
  const { partition, correlationId, epoch, text } = request
  const writable = async () => {
    const kernel = await host.running(partition, correlationId, epoch)
    const file = existing(kernel, request.path)
    if (file.write === undefined) throw denied(file, 'writing')
    return { kernel, file, write: file.write }
  }
  const arriving = await writable()
  arriving.file.admits?.(arriving.kernel, text)
  await host.fadumpMutex.run(partition, async () => {
    const { kernel, write } = await writable()
    await write(kernel, text)
  })
}

function existing(kernel: RunningKernel, path: string): SysfsFile {
  const file = findFile(kernel.record, path)
  if (file !== undefined) return file
  const { profile, boot } = kernel.record
  throw errnoProblem(
    'ENOENT',
    `/sys/${path}`,
    `not there in the ${boot} kernel of profile ${profile}`,
  )
}

function denied(file: SysfsFile, what: string): Problem {
  const mode = file.mode.toString(8).padStart(4, '0')
  return errnoProblem('EACCES', `/sys/${file.path}`, `mode ${mode} does not allow ${what}`)
}
