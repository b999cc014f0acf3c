/** kexec-tools' vmcore-dmesg reads our logs out of our cores: the judge of both log structures. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { suite } from 'node:test'
import { locate, without } from '../../../../test/support/tools.ts'
import { aVmcore, TestMemory } from '../elf/core-builder.ts'
import { composeVmcoreinfo, vmcoreinfo, vmcoreinfoRules } from '../elf/index.ts'
import { memoryRange, realAddress } from '../units/index.ts'
import { characterLog, heldText } from './character-log.ts'
import {
  appendAll,
  type KernelLog,
  type LogLayout,
  type LogLine,
  type LogState,
} from './kernel-log.ts'
import { recordRing } from './record-ring.ts'
import { formatDmesg, formatKmsg } from './text.ts'

const machines = [
  { log: characterLog, order: 'big', generation: 'v5', release: '3.4.0' },
  { log: characterLog, order: 'little', generation: 'v5', release: '3.4.0' },
  { log: recordRing, order: 'little', generation: 'modern', release: '6.12.0' },
  { log: recordRing, order: 'big', generation: 'modern', release: '6.12.0' },
] as const
type LogMachine = (typeof machines)[number]

const address = realAddress(0x12_0000)

interface Logged {
  readonly memory: TestMemory
  readonly state: LogState
  readonly layout: LogLayout
}

function logged(machine: LogMachine, bits: number, lines: readonly LogLine[]): Logged {
  const log: KernelLog = machine.log
  const layout: LogLayout = { order: machine.order, address, bits }
  const memory = new TestMemory()
  const empty = log.init(layout)
  memory.apply(empty.writes)
  const { writes, state } = appendAll(log, empty.state, lines)
  memory.apply(writes)
  return { memory, state, layout }
}

/** What vmcore-dmesg prints of a core that holds the log's memory. */
async function vmcoreDmesg(machine: LogMachine, { memory, layout }: Logged): Promise<string> {
  const { log, generation, release, order } = machine
  const text = composeVmcoreinfo(
    [vmcoreinfo.osRelease(release), vmcoreinfo.pageSize(65_536), ...log.vmcoreinfo(layout)],
    vmcoreinfoRules(generation, 65_536),
  )
  const end = address + BigInt(log.bytesNeeded(layout))
  const file = aVmcore({
    order,
    pageSize: generation === 'modern' ? 65_536 : 1,
    vmcoreinfo: text,
    loads: memory.loads([memoryRange(0x11_0000n, end)]),
  })
  const directory = await mkdtemp(join(tmpdir(), 'fadump-lab-dmesg-'))
  try {
    const path = join(directory, 'vmcore')
    await writeFile(path, file)
    const { status, stdout, stderr } = spawnSync(locate('vmcore-dmesg'), [path], {
      encoding: 'latin1',
    })
    assert.equal(status, 0, stderr)
    return stdout
  } finally {
    await rm(directory, { recursive: true })
  }
}

const line = (index: number): LogLine => ({
  text: `lab: line ${index} ${'.'.repeat((index * 37) % 90)}`,
  timestampNs: BigInt(index) * 1_234_567_890n,
  level: index % 8,
  callerId: index,
})
const some = Array.from({ length: 40 }, (_, index) => line(index))
const many = Array.from({ length: 3000 }, (_, index) => line(index))

suite('vmcore-dmesg prints our log', { skip: without('vmcore-dmesg') }, () => {
  for (const machine of machines) {
    const name = `${machine.log.name}, ${machine.order}-endian`

    test(`C106 every line of a log that has not wrapped: ${name}`, async () => {
      const format = machine.log === characterLog ? formatKmsg : formatDmesg
      const printed = await vmcoreDmesg(machine, logged(machine, 17, some))
      assert.equal(printed, some.map(format).join(''))
      const first = machine.log === characterLog ? '<0>[    0.000000] ' : '[    0.000000] '
      assert.ok(printed.startsWith(`${first}lab: line 0 \n`))
      assert.match(printed, /\[ {3}48\.148147\] lab: line 39 /)
    })

    test(`C106 the newest lines of a log that has wrapped many times: ${name}`, async () => {
      const log: KernelLog = machine.log
      for (const bits of [10, 12, 16]) {
        const it = logged(machine, bits, many)
        const printed = await vmcoreDmesg(machine, it)
        const stored = await log.read(it.state, it.memory.read)
        if (it.state.log === 'character-log') {
          assert.equal(printed, await heldText(it.state, it.memory.read))
          assert.equal(printed.length, 2 ** bits)
          assert.ok(many.map(formatKmsg).join('').endsWith(printed))
        } else {
          assert.equal(printed, stored.map(formatDmesg).join(''))
          assert.ok(many.map(formatDmesg).join('').endsWith(printed))
          assert.ok(stored.length > 2 ** bits / 200, `${stored.length} lines`)
        }
      }
    })
  }

  test('C106 a record that would end where the ring ends is found at its start', async () => {
    const [, , machine] = machines
    const lineOf = (bytes: number, letter: string): LogLine => ({
      ...line(0),
      text: letter.repeat(bytes - 8),
    })
    const lines = [lineOf(400, 'a'), lineOf(400, 'b'), lineOf(224, 'c')]
    const printed = await vmcoreDmesg(machine, logged(machine, 10, lines))
    assert.equal(printed, lines.slice(1).map(formatDmesg).join(''))
  })

  test('C106 the longest record of a small ring is found wherever it lies', async () => {
    const [, , machine] = machines
    for (let lead = 1; lead <= 520; lead += 37) {
      const lines = ['l'.repeat(lead), 'm', 'n'.repeat(5000)].map((text) => ({ ...line(0), text }))
      const printed = await vmcoreDmesg(machine, logged(machine, 10, lines))
      assert.ok(printed.endsWith(`[    0.000000] ${'n'.repeat(496)}\n`))
    }
  })

  test('C106 an empty log prints nothing', async () => {
    for (const machine of machines) {
      assert.equal(await vmcoreDmesg(machine, logged(machine, 12, [])), '')
    }
  })
})
