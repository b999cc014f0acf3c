/** The command that shows one crash again: the same plan, and of it this crash alone. */
import type { SoakReport } from '@fadump-lab/shared/contracts'

export function replayCrash({ replay }: Pick<SoakReport, 'replay'>, number: number): string {
  return `${replay.replace(/ --(?:crashes|seconds|only) \S+/g, '')} --only ${number}`
}
