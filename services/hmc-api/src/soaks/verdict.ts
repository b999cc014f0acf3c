/** What makes a soak red, in sentences. */
import {
  faults,
  type SoakBaseLevel,
  type SoakCrash,
  type SoakFaultCount,
} from '@fadump-lab/shared/contracts'
import { labelOf, type PlannedFault } from './fault-plan.ts'

/** One sentence for each failed check. */
export function reasonsOf(row: SoakCrash): string[] {
  const where = `crash ${row.number} of ${row.partition} (${row.scenario}, ${row.cause})`
  const failed = row.checks.filter(({ passed }) => !passed)
  const sentences = failed.map(({ name, detail }) => `${where}: ${name}: ${detail ?? 'failed'}`)
  return sentences.length === 0 ? [`${where}: ${row.outcome}`] : sentences
}

/** How many times the median the slowest start took; `undefined` when nothing started. */
export function fairnessOf(crashes: readonly Pick<SoakCrash, 'startMs'>[]): number | undefined {
  const starts = crashes.flatMap(({ startMs }) => startMs ?? []).toSorted((a, b) => a - b)
  const median = starts[Math.floor((starts.length - 1) / 2)]
  const slowest = starts.at(-1)
  if (median === undefined || slowest === undefined) return undefined
  return median === 0 ? slowest : slowest / median
}

/** Every fault of the plan with what came of the crashes that it struck. */
export function faultCountsOf(
  plan: readonly PlannedFault[],
  crashes: readonly SoakCrash[],
): SoakFaultCount[] {
  return plan.map(({ fault }) => {
    const name = labelOf(fault)
    const armed = crashes.filter((row) => row.armed === name)
    const struck = armed.filter((row) => row.faults.includes(name))
    const forgotten = armed.filter(({ isForgotten }) => isForgotten === true).length
    const of = (outcome: SoakCrash['outcome']) =>
      struck.filter((row) => row.outcome === outcome).length
    return {
      name,
      does: faults.get(fault.name)?.does ?? '',
      armed: armed.length,
      ...(forgotten === 0 ? {} : { forgotten }),
      struck: struck.length,
      dumps: of('dump'),
      absent: of('absent'),
      lost: of('lost'),
    }
  })
}

/** Faults that were armed and never struck: nothing has been learnt of them. */
export function silentFaults(counts: readonly SoakFaultCount[]): string[] {
  return counts
    .filter(({ armed, forgotten = 0, struck }) => armed > forgotten && struck === 0)
    .map(({ name, armed }) => `fault ${name} was armed for ${armed} crashes and never struck`)
}

/**
 * Faults of the plan for which there were too few crashes. Of a plan of ours that is worth a note; whoever has named faults wants
 * to see each.
 */
export function unarmedFaults(
  counts: readonly SoakFaultCount[],
  { ended, enough }: { readonly ended: number; readonly enough: number },
): string[] {
  const left = counts.filter(({ armed }) => armed === 0).map(({ name }) => name)
  if (left.length === 0) return []
  const names = left.length <= namesTold ? left : [...left.slice(0, namesTold), 'others']
  return [
    `${left.length} of ${counts.length} faults of the plan were not armed in ${ended} crashes (${names.join(', ')}): ${enough} crashes use each`,
  ]
}

const namesTold = 5
/** What a night is to bring. */
const nightlyStrikes = 100

/** Faults that a whole night has not brought often enough, over all their values and places. */
export function rareFaults(
  plan: readonly PlannedFault[],
  counts: readonly SoakFaultCount[],
): string[] {
  const struck = new Map<string, number>()
  for (const [index, { fault }] of plan.entries()) {
    struck.set(fault.name, (struck.get(fault.name) ?? 0) + (counts[index]?.struck ?? 0))
  }
  return [...struck]
    .filter(([, times]) => times < nightlyStrikes)
    .map(
      ([name, times]) =>
        `fault ${name} struck ${times} crashes of the night, not ${nightlyStrikes}`,
    )
}

/** What is not as it was before. */
export function baseReasons(rows: readonly SoakBaseLevel[]): string[] {
  return rows
    .filter(({ passed }) => !passed)
    .map(
      ({ what, unit, before, after, allowed, detail }) =>
        `${what}: ${after} ${unit} after the soak, ${before} before, at most ${allowed} are allowed` +
        (detail === undefined ? '' : `: ${detail}`),
    )
}
