/**
 * The sentence that explains a verdict: phase, the three largest consumers, what is missing, and the setting that mends
 * it. It is made here and nowhere else; API, log, command line and events carry it as it is.
 */
import type { ConsumerUse, Evaluation } from './evaluate.ts'
import type { Failure } from './failure.ts'
import type { Fix } from './fixes.ts'
import { networkCard } from './network-cards.ts'
import { failures } from './phases.ts'
import type { CaptureSystem } from './capture-system.ts'

export interface Explained {
  readonly system: CaptureSystem
  readonly evaluation: Evaluation
  /** The least boot memory with which the dump gets through, MiB. */
  readonly minimumMiB: number | undefined
  readonly fixes: readonly Fix[]
}

const topCount = 3

/** The largest consumers in the phase that counts, the largest first. */
export function topConsumers({ account, peakPhase }: Evaluation): readonly ConsumerUse[] {
  const consumers = account.find(({ phase }) => phase === peakPhase)?.consumers ?? []
  return consumers.toSorted((a, b) => b.MiB - a.MiB).slice(0, topCount)
}

/** What is missing for a dump, MiB of boot memory; 0 when nothing is, undefined when no boot memory helps. */
export function shortfallMiB({ system, minimumMiB }: Explained): number | undefined {
  if (minimumMiB === undefined) return undefined
  return Math.max(0, minimumMiB - system.bootMemoryMiB)
}

export function explain(explained: Explained): string {
  const { failure } = explained.evaluation
  return failure === undefined ? explainFit(explained) : explainFailure(explained, failure)
}

function explainFit({ system, evaluation }: Explained): string {
  const { peakPhase, needMiB, marginMiB, warnings } = evaluation
  const notes = warnings.map(({ text }) => `; ${text}`).join('')
  return (
    `The dump fits into ${system.bootMemoryMiB} MiB of boot memory: at most ${rounded(needMiB)} MiB needed ` +
    `in phase "${peakPhase}" (${consumersText(system, evaluation)}), ${rounded(marginMiB)} MiB to spare${notes}.`
  )
}

function explainFailure(explained: Explained, failure: Failure): string {
  const { system, evaluation } = explained
  return (
    `${failures[failure.kind].title} in phase "${failure.phase}": ${need(system, failure)}${detail(failure)}; ` +
    `largest: ${consumersText(system, evaluation)}. ${shortage(explained)} ${remedy(explained)}`
  )
}

function need({ bootMemoryMiB }: CaptureSystem, failure: Failure): string {
  const { kind, consumer, needMiB, availableMiB } = failure
  if (kind === 'rootfs full') {
    return (
      `${consumer} of ${rounded(needMiB)} MiB, where the root file system takes ${rounded(availableMiB)} MiB ` +
      `with ${bootMemoryMiB} MiB of boot memory`
    )
  }
  // What is needed is more than there is, also when both round to the same number.
  const needed = Math.max(Math.round(needMiB), bootMemoryMiB + 1)
  return `${needed} MiB needed, ${bootMemoryMiB} MiB of boot memory there; first refused: ${consumer}`
}

function detail({ victim, order }: Failure): string {
  if (victim !== undefined) return `; killed: ${victim}`
  return order === undefined ? '' : `; order ${order}`
}

function consumersText(system: CaptureSystem, evaluation: Evaluation): string {
  return topConsumers(evaluation)
    .map(({ consumer, MiB }) => `${consumer}${qualifier(system, consumer)} ${rounded(MiB)} MiB`)
    .join(', ')
}

/** Receive rings are nobody's until the card is named. */
function qualifier({ card, ports, queues, multiqueue }: CaptureSystem, consumer: string): string {
  if (consumer !== 'receive rings' || card === undefined) return ''
  const used = multiqueue ? queues : 1
  const portsText = ports === 1 ? '' : `${ports} ports × `
  const queuesText = networkCard(card).queuesMax === 1 ? '' : `, ${portsText}${used} queues`
  return ` (${card}${queuesText})`
}

function shortage(explained: Explained): string {
  const shortfall = shortfallMiB(explained)
  if (shortfall === undefined || shortfall === 0) return 'No amount of boot memory is enough.'
  return `Short by ${shortfall} MiB.`
}

function remedy({ fixes, minimumMiB, system }: Explained): string {
  const [first] = fixes
  if (first === undefined) {
    const least = minimumMiB === undefined ? '' : ` (${minimumMiB} MiB would be needed)`
    return `No single setting mends it: more memory, fewer ports or queues, or a smaller initramfs${least}.`
  }
  const boot = fixes.find(({ change }) => change.bootMemoryMiB !== undefined)
  const bootText =
    boot === undefined
      ? undefined
      : `raise boot memory to at least ${boot.change.bootMemoryMiB ?? system.bootMemoryMiB} MiB (${boot.setting})`
  if (boot === first && bootText !== undefined) return `${capital(bootText)}.`
  const own = `use ${first.setting}`
  return bootText === undefined ? `${capital(own)}.` : `${capital(own)}, or ${bootText}.`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** MiB as people read them: whole numbers, small ones with a digit. */
function rounded(MiB: number): string {
  return Math.abs(MiB) < 10 ? String(Math.round(MiB * 10) / 10) : String(Math.round(MiB))
}
