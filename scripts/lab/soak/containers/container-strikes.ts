/** What was done to containers while partitions crashed, for the report: when, to whom, and what came of it. */
import type { OutsideFaults } from '@fadump-lab/hmc-api'
import type { SoakCrash, SoakFaultCount } from '@fadump-lab/shared/contracts'
import type { Random } from '@fadump-lab/shared/runtime'
import { containerFaults, type ContainerFaultName, type FaultTools } from './container-faults.ts'
import { strikeUntil, type Strike } from './schedule.ts'

export interface ToldStrike {
  readonly fault: ContainerFaultName
  /** As the report calls it, e.g. `paused hypervisor`. */
  readonly label: string
  readonly fromMs: number
  /** `undefined` while it goes on. */
  toMs: number | undefined
  /** The engine's words when it could not do it. */
  refusal: string | undefined
}

/** Between two faults, at most. */
const pauseMsMax = 5_000
/** What has been cut off or killed is missed a little longer than it was away: until its clients have tried again. */
const aftermathMs = 2_000
/** Until a hypervisor has seen that memory is gone, and has switched its partitions off. */
const powerAftermathMs = 15_000

export class ContainerStrikes implements Omit<OutsideFaults, 'caughtUp'> {
  readonly strikes: ToldStrike[] = []
  readonly #tools: FaultTools
  readonly #names: readonly ContainerFaultName[]
  readonly #tell: (strike: ToldStrike) => void

  constructor(
    tools: Omit<FaultTools, 'random'> & { readonly random: Random },
    names: readonly ContainerFaultName[],
    tell: (strike: ToldStrike) => void = () => undefined,
  ) {
    this.#tools = tools
    this.#names = names
    this.#tell = tell
  }

  run(elapsed: () => number, signal: AbortSignal): Promise<void> {
    const onStrike = (strike: Strike) => {
      const told = this.begin(strike, elapsed())
      this.#tell(told)
      return (refusal?: string) => {
        told.toMs = elapsed()
        told.refusal = refusal
      }
    }
    return strikeUntil(this.#tools, { names: this.#names, pauseMsMax, onStrike }, signal)
  }

  /** Notes that a fault begins. */
  begin({ fault, container }: Strike, atMs: number): ToldStrike {
    const told: ToldStrike = {
      fault,
      label: `${fault} ${container.service}`,
      fromMs: atMs,
      toMs: undefined,
      refusal: undefined,
    }
    this.strikes.push(told)
    return told
  }

  between(fromMs: number, toMs: number): readonly string[] {
    return [...new Set(this.#during(fromMs, toMs).map(({ label }) => label))]
  }

  lostMemory(fromMs: number, toMs: number): boolean {
    return this.#during(fromMs, toMs).some(({ fault }) => fault === 'power-failure')
  }

  counts(crashes: readonly SoakCrash[]): readonly SoakFaultCount[] {
    const groups = Map.groupBy(this.strikes, ({ label }) => label)
    return [...groups]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, strikes]) => {
        const hit = crashes.filter(({ faults }) => faults.includes(name))
        const of = (outcome: SoakCrash['outcome']) =>
          hit.filter((crash) => crash.outcome === outcome).length
        const does = strikes.flatMap(({ fault }) => containerFaults[fault].does)[0] ?? ''
        const struck = strikes.filter(({ refusal }) => refusal === undefined).length
        return {
          name,
          does,
          armed: strikes.length,
          struck,
          dumps: of('dump'),
          absent: of('absent'),
          lost: of('lost'),
        }
      })
  }

  silent(): readonly string[] {
    const struck = new Set(
      this.strikes.filter(({ refusal }) => refusal === undefined).map(({ fault }) => fault),
    )
    return this.#names
      .filter((name) => !struck.has(name))
      .map((name) => `fault ${name} of containers was asked for and never struck`)
  }

  #during(fromMs: number, toMs: number): readonly ToldStrike[] {
    return this.strikes.filter(
      (strike) =>
        strike.refusal === undefined &&
        strike.fromMs <= toMs &&
        (strike.toMs ?? Infinity) + aftermathOf(strike) >= fromMs,
    )
  }
}

function aftermathOf({ fault }: ToldStrike): number {
  return fault === 'power-failure' ? powerAftermathMs : aftermathMs
}
