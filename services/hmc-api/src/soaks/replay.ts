/** The command that does the same again. */
import { newSoak, soakFaultWord, type NewSoak } from '@fadump-lab/shared/contracts'

/** `only`: these crashes of the plan and no others. */
export function replayOf(seed: number, asked: NewSoak, only = asked.only): string {
  const plain = newSoak.parse({ crashes: 1 })
  const words = ['./lab soak', `--seed 0x${seed.toString(16)}`, `--partitions ${asked.partitions}`]
  if (asked.arrival !== 'steady') words.push(`--${asked.arrival}`)
  if (typeof asked.faults === 'string') words.push(`--faults ${asked.faults}`)
  else words.push(`--faults ${asked.faults.map(soakFaultWord).join(',')}`)
  const lists = {
    scenarios: asked.scenarios?.join(','),
    profiles: different(asked.profiles, plain.profiles),
    memory: different(asked.memoryMiB, plain.memoryMiB),
    populated: different([asked.populatedMiB], [plain.populatedMiB]),
    causes: causesText(asked.causes),
  }
  for (const [name, text] of Object.entries(lists))
    if (text !== undefined) words.push(`--${name} ${text}`)
  if (only !== undefined) words.push(`--only ${only.join(',')}`)
  else if (asked.crashes !== undefined) words.push(`--crashes ${asked.crashes}`)
  else words.push(`--seconds ${asked.seconds}`)
  return words.join(' ')
}

function different(
  given: readonly (string | number)[],
  usual: readonly (string | number)[],
): string | undefined {
  return given.join(',') === usual.join(',') ? undefined : given.join(',')
}

function causesText(causes: NewSoak['causes']): string | undefined {
  if (causes === undefined) return undefined
  return Object.entries(causes)
    .map(([cause, weight]) => `${cause}=${weight}`)
    .join(',')
}
