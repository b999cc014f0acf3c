/** What a check of the checklist is given: a bench of one kernel profile and one firmware personality, and partitions. */
import assert from 'node:assert/strict'
import { startBench, type Bench } from '../support/bench.ts'
import { Lpar, type LparForm } from '../support/lpar.ts'

export interface Cell {
  readonly profile: 'v5' | 'modern'
  readonly firmware: 'papr' | 'qemu'
}

export const cells: readonly Cell[] = [
  { profile: 'v5', firmware: 'papr' },
  { profile: 'v5', firmware: 'qemu' },
  { profile: 'modern', firmware: 'papr' },
  { profile: 'modern', firmware: 'qemu' },
]

export const cellName = ({ profile, firmware }: Cell): string => `${profile}/${firmware}`

/** Throws when there is none of that name. */
export function cellNamed(name: string): Cell {
  const cell = cells.find((each) => cellName(each) === name)
  if (cell === undefined) throw new Error(`no cell is named ${name}`)
  return cell
}

/** One value for each side; a check names what it expects literally. */
type ByProfile<Value> = Readonly<Record<Cell['profile'], Value>>
type ByFirmware<Value> = Readonly<Record<Cell['firmware'], Value>>

/**
 * Where everything lies in a partition of 2 GiB with 3 CPUs: sizes by spec §5 (0x20 + 0x2000 a CPU under PAPR,
 * 0x20 + 79·16 under QEMU), places by §6.2 and §6.3.
 */
export interface Places {
  readonly cpuStateLength: bigint
  readonly hpteLength: bigint
  readonly cpuState: bigint
  readonly hpte: bigint
  readonly realMode: bigint
  readonly crashInfo: bigint
}

const places: ByProfile<ByFirmware<Places>> = {
  v5: {
    papr: {
      cpuStateLength: 0x6020n,
      hpteLength: 0x1000n,
      cpuState: 0x6bff_0000n,
      hpte: 0x6bff_6020n,
      realMode: 0x6bff_7020n,
      crashInfo: 0x7fff_7020n,
    },
    qemu: {
      cpuStateLength: 0xef0n,
      hpteLength: 0n,
      cpuState: 0x6bff_0000n,
      hpte: 0x6bff_0ef0n,
      realMode: 0x6bff_0ef0n,
      crashInfo: 0x7fff_0ef0n,
    },
  },
  modern: {
    papr: {
      cpuStateLength: 0x6020n,
      hpteLength: 0x1000n,
      cpuState: 0x1400_0000n,
      hpte: 0x1400_6020n,
      realMode: 0x1401_0000n,
      crashInfo: 0x2801_0000n,
    },
    qemu: {
      cpuStateLength: 0xef0n,
      hpteLength: 0n,
      cpuState: 0x1400_0000n,
      hpte: 0x1400_0ef0n,
      realMode: 0x1401_0000n,
      crashInfo: 0x2801_0000n,
    },
  },
}

/** The shape that `places` belongs to; CPU 2 is offline. */
const common: LparForm = { processors: 3, offlineCpus: [2] }
export const bootMemory = 0x1400_0000n

export class Given implements AsyncDisposable {
  readonly cell: Cell
  readonly bench: Bench
  readonly #shared: Map<string, Promise<Lpar>>
  readonly #own = new AsyncDisposableStack()
  readonly #name: string
  #made = 0

  constructor(
    bench: {
      readonly bench: Bench
      readonly cell: Cell
      readonly shared: Map<string, Promise<Lpar>>
    },
    name: string,
  ) {
    this.bench = bench.bench
    this.cell = bench.cell
    this.#shared = bench.shared
    this.#name = name
  }

  get isV5(): boolean {
    return this.cell.profile === 'v5'
  }

  get isQemu(): boolean {
    return this.cell.firmware === 'qemu'
  }

  get places(): Places {
    return places[this.cell.profile][this.cell.firmware]
  }

  byProfile<Value>(values: ByProfile<Value>): Value {
    return values[this.cell.profile]
  }

  byFirmware<Value>(values: ByFirmware<Value>): Value {
    return values[this.cell.firmware]
  }

  /** A partition that is off; of 2 GiB with 3 CPUs, one of them offline, unless the form says otherwise. */
  async off(form: LparForm = {}): Promise<Lpar> {
    this.#made += 1
    const id = `${this.#name}-${this.#made}`.toLowerCase()
    return this.#own.use(await Lpar.create(this.bench, id, { ...this.cell, ...common, ...form }))
  }

  /** The same, booted. */
  async lpar(form: LparForm = {}): Promise<Lpar> {
    const lpar = await this.off(form)
    return lpar.activate()
  }

  /** A partition of one CPU whose kernel leaves firmware alone: the check itself makes the calls. */
  async bare(form: LparForm = {}): Promise<Lpar> {
    const alone = { bootArguments: 'fadump=off panic=0', dumpService: false }
    return this.lpar({ ...alone, processors: 1, offlineCpus: [], ...form })
  }

  /** A registered partition that all checks of the bench look at and none changes. */
  registered(): Promise<Lpar> {
    return this.#share('registered', async (id) => {
      const lpar = await Lpar.create(this.bench, id, { ...this.cell, ...common })
      await lpar.activate()
      assert.equal((await lpar.partition()).registration, 'registered')
      return lpar
    })
  }

  /** A partition that crashed on CPU 1 and holds its dump, that no check changes. */
  captured(): Promise<Lpar> {
    return this.#share('captured', async (id) => {
      const lpar = await Lpar.create(this.bench, id, { ...this.cell, ...common })
      await lpar.activate()
      await lpar.poke(patternInBootMemory, 'b007')
      await lpar.poke(patternAbove, 'ab0e')
      assert.equal((await lpar.crash('sysrq', 1)).state, 'capturing')
      return lpar
    })
  }

  /** Crashes a fresh partition whose firmware or memory is changed before its capture kernel looks at it. */
  async crashedWith(
    prepare: (lpar: Lpar) => Promise<void> | void,
    form: LparForm = {},
  ): Promise<Lpar> {
    const lpar = await this.lpar(form)
    await prepare(lpar)
    await lpar.crash('sysrq', 1)
    return lpar
  }

  /** Runs `change` after firmware has preserved memory and before the capture kernel reads it. */
  async crashedThenChanged(
    change: (lpar: Lpar) => Promise<void>,
    form: LparForm = {},
  ): Promise<Lpar> {
    return this.crashedWith((lpar) => {
      lpar.wire.deviceTree = async (root) => {
        await change(lpar)
        return root
      }
    }, form)
  }

  #share(what: string, make: (id: string) => Promise<Lpar>): Promise<Lpar> {
    const known = this.#shared.get(what) ?? make(`shared-${what}`)
    this.#shared.set(what, known)
    return known
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#own.disposeAsync()
  }
}

/** Written by the first kernel of `captured`: in boot memory, which is copied, and above it, which stays. */
export const patternInBootMemory = 0x1000_0000n
export const patternAbove = 0x5000_0000n

/** Proves one row of the checklist in one cell; rejects when it does not hold. */
export type Check = (given: Given) => Promise<void>
export type Checks = Readonly<Record<string, Check>>

export interface StartedCell extends AsyncDisposable {
  given(name: string): Given
}

export async function startCell(cell: Cell): Promise<StartedCell> {
  const bench = await startBench()
  const shared = new Map<string, Promise<Lpar>>()
  return {
    given: (name) => new Given({ bench, cell, shared }, name),
    [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
  }
}

/** The dump was refused: no /proc/vmcore, and the partition runs on as after a first boot. */
export async function assertRejected(lpar: Lpar, line: string | RegExp): Promise<void> {
  const { state, registration } = await lpar.partition()
  assert.equal(state, 'running')
  assert.notEqual(registration, 'active')
  assert.equal(await lpar.vmcoreSize(), 'ENOENT')
  assert.ok(
    lpar.calls().some(({ args, status }) => args[0] === 3 && status === 0),
    'the dump was invalidated',
  )
  const log = await lpar.log()
  assert.ok(
    log.some((said) => (typeof line === 'string' ? said === line : line.test(said))),
    `${String(line)} in\n${log.join('\n')}`,
  )
}

export async function assertAccepted(lpar: Lpar): Promise<void> {
  assert.equal((await lpar.partition()).state, 'capturing')
  assert.equal(typeof (await lpar.vmcoreSize()), 'number')
}
