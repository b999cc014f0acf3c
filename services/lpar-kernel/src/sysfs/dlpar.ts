/**
 * /sys/kernel/dlpar: one line `<resource> <action> <id type> <id>`, words apart by one blank (`dlpar_store` of
 * pseries). Linux 3.4 has the file for neither; memory is taken there all the same, processors are not.
 */
import { errnoProblem } from '../kernel/errno.ts'
import type { RunningKernel } from '../kernel/running-kernel.ts'
import { addCpu, removeCpu } from './cpu-hotplug.ts'
import { changeMemory } from './memory-hotplug.ts'
import { kstrtou32 } from './numbers.ts'

const path = '/sys/kernel/dlpar'

interface DlparRequest {
  readonly resource: 'memory' | 'cpu'
  readonly action: 'add' | 'remove'
  readonly idType: 'index' | 'count'
  readonly id: number
}

/** Errors: EINVAL for what is no request; and those of the resource. */
export async function writeDlpar(kernel: RunningKernel, text: string): Promise<void> {
  const request = parse(text)
  if (typeof request === 'string') {
    await refused(kernel, text, request)
    throw errnoProblem('EINVAL', path, `${JSON.stringify(text.slice(0, 64))}: ${request}`)
  }
  const { resource, action, idType, id } = request
  if (resource === 'memory') {
    return changeMemory(kernel, action, idType === 'count' ? { count: id } : { index: BigInt(id) })
  }
  if (kernel.record.profile === 'v5') {
    throw errnoProblem('EINVAL', path, 'Linux 3.4 has cpu/probe and cpu/release for processors')
  }
  if (idType === 'count') {
    await refused(kernel, text)
    throw errnoProblem('EINVAL', path, 'processors are named by index')
  }
  return action === 'add' ? addCpu(kernel, id, path) : removeCpu(kernel, id, path)
}

/** The request, or what the kernel says is wrong with it. */
function parse(text: string): DlparRequest | string {
  const [resource, action, idType, id] = text.split(' ').map((word) => word.replace(/\n$/, ''))
  if (resource !== 'memory' && resource !== 'cpu') return 'Invalid resource specified.'
  if (action !== 'add' && action !== 'remove') return 'Invalid action specified.'
  if (idType !== 'index' && idType !== 'count') return 'Invalid id_type specified.'
  const what = idType === 'index' ? 'Index' : 'count'
  if (id === undefined) return `No DRC ${what} specified.`
  const number = kstrtou32(id)
  return number === undefined
    ? `Invalid DRC ${what} specified.`
    : { resource, action, idType, id: number }
}

const error = 3

function refused(kernel: RunningKernel, text: string, why?: string): Promise<void> {
  const lines = [
    ...(why === undefined ? [] : [why]),
    `Could not handle DLPAR request "${text.slice(0, 64).trimEnd()}"`,
  ]
  return kernel.printk(lines.map((line) => ({ text: `dlpar: ${line}`, level: error })))
}
