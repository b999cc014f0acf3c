/** Writes to `bootargs_append` (6.10): arguments for the capture kernel, kept in the parameter area (C137). */
import { commandLineBytesMax } from '@fadump-lab/shared/fadump'
import { writeParameterArea } from '../boot/parameter-area.ts'
import { errnoProblem } from '../kernel/errno.ts'
import type { RunningKernel } from '../kernel/running-kernel.ts'

const path = '/sys/kernel/fadump/bootargs_append'

/**
 * Replaces the text of the area; the newline at its end is dropped. EPERM when fadump is not enabled or a dump is
 * active, EINVAL from 2048 bytes on, ENOSPC when the present command line and the text together reach 2048.
 */
export async function writeBootargsAppend(kernel: RunningKernel, text: string): Promise<void> {
  const { fadump, commandLine } = kernel.record
  const { isEnabled, isDumpActive, parameterArea } = fadump
  if (!isEnabled || isDumpActive || parameterArea === undefined) {
    const why = isDumpActive
      ? 'a dump is active; its arguments have been used'
      : 'fadump is not enabled'
    throw errnoProblem('EPERM', path, why)
  }
  const bytes = text.length
  if (bytes >= commandLineBytesMax) {
    throw errnoProblem('EINVAL', path, `${bytes} bytes; at most ${commandLineBytesMax - 1} fit`)
  }
  if (commandLine.length + bytes >= commandLineBytesMax) {
    await kernel.printk([{ text: 'fadump: Appending parameters exceeds cmdline size!', level: 3 }])
    throw errnoProblem(
      'ENOSPC',
      path,
      `the command line has ${commandLine.length} bytes, these are ${bytes}: together they must be fewer than ${commandLineBytesMax}`,
    )
  }
  await writeParameterArea(kernel.memory, parameterArea, text.replace(/\n$/, ''))
}
