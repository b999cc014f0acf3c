/** One sequence in the room and in the model, compared after every command. */
import assert from 'node:assert/strict'
import { Problem, records, type Partition } from '@fadump-lab/shared/contracts'
import { decodeDumpMemoryStructure } from '@fadump-lab/shared/fadump'
import { decodeDeviceTree, findNode } from '@fadump-lab/shared/fdt'
import { decodeRtasReturns, encodeRtasCall, rtasToken } from '@fadump-lab/shared/rtas'
import { remembering } from '@fadump-lab/shared/runtime'
import { toEpoch } from '@fadump-lab/shared/store'
import { fromAscii, realAddress } from '@fadump-lab/shared/units'
import { z } from 'zod'
import {
  dispatch,
  type Command,
  type Handlers,
  type RawLength,
  type Sequence,
  type Setup,
  type SysfsFile,
} from './commands.ts'
import { Model } from './model.ts'
import type { QuietRoom } from './room.ts'
import type { WarmStart } from './warm-start.ts'

/** `static struct fadump_mem_struct fdm` of our kernels. */
const structureAddress = 0x8_8000
/** Below the end of boot memory and above the kernel; above it and outside of both reserved areas and the content. */
const lowPlace = 0x0c00_0000
const highPlaces = { v5: 0x1800_0000, modern: 0x3000_0000 } as const

const files: Readonly<Record<SysfsFile, string>> = {
  enabled: 'kernel/fadump_enabled',
  registered: 'kernel/fadump_registered',
  release_mem: 'kernel/fadump_release_mem',
}

/** Throws `AssertionError` where room and model differ. */
export async function runSequence(
  start: WarmStart,
  room: QuietRoom,
  { setup, commands }: Sequence,
): Promise<void> {
  const subject = new Subject(room, await start.partition(setup), setup)
  const model = new Model(setup)
  model.apply({ do: 'activate' })
  await subject.begin(model.epoch)
  await subject.compare(model, { where: 'after it was activated', isNewBoot: true })
  for (const command of commands) await step(subject, model, command)
}

async function step(subject: Subject, model: Model, command: Command): Promise<void> {
  const before = model.epoch
  const answer = model.apply(command)
  const told = answer === 'skipped' ? 'skipped' : await subject.apply(command)
  await subject.settle()
  const where = `after ${JSON.stringify(command)}`
  assert.equal(told, answer, `the answer ${where}`)
  await subject.compare(model, { where, isNewBoot: model.epoch !== before })
}

class Subject {
  readonly #room: QuietRoom
  readonly #id: string
  readonly #setup: Setup
  #epochsBefore = 0

  constructor(room: QuietRoom, id: string, setup: Setup) {
    this.#room = room
    this.#id = id
    this.#setup = setup
  }

  get #params() {
    return { partition: this.#id }
  }

  get #here() {
    return { params: this.#params }
  }

  /** From here on boots are counted as the model does. */
  async begin(epoch: number): Promise<void> {
    this.#epochsBefore = (await this.#seen()).epoch - epoch
  }

  settle(): Promise<void> {
    return this.#room.settle()
  }

  async apply(command: Command): Promise<string> {
    try {
      const answer = await dispatch(this.#handlers, command)
      return typeof answer === 'string' ? answer : 'ok'
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      const { errno } = error.extensions
      return typeof errno === 'string' ? errno : error.slug
    }
  }

  readonly #handlers: Handlers<Promise<unknown>> = {
    write: ({ file, text }) => this.#write(files[file], text),
    read: ({ file }) => this.#read(file),
    append: ({ text }) => this.#write('kernel/fadump/bootargs_append', text),
    rtas: ({ command, length }) =>
      this.#rtas([command, structureAddress, lengthOf(this.#setup, length)]),
    'rtas-cells': ({ argumentCount }) =>
      this.#rtas([1, structureAddress, lengthOf(this.#setup, 'exact'), 0].slice(0, argumentCount)),
    crash: ({ cause }) => this.#room.kernel.crash({ ...this.#here, body: { cause } }),
    shutdown: ({ action }) => this.#room.kernel.shutdown({ ...this.#here, body: { action } }),
    fault: ({ do: _do, ...body }) =>
      this.#room.hypervisor.armFirmwareFault({ ...this.#here, body }),
    disarm: () => this.#room.hypervisor.disarmFirmwareFaults(this.#here),
    plant: ({ seed }) => this.#plant(seed),
    activate: () => this.#room.hypervisor.activatePartition(this.#here),
    restart: () => this.#room.hypervisor.restartPartition(this.#here),
    powerOff: () => this.#room.hypervisor.powerOffPartition(this.#here),
    systemReset: () => this.#room.hypervisor.systemReset(this.#here),
    kill: () => this.#room.hypervisor.killPartition(this.#here),
    migrate: () => this.#room.hypervisor.migratePartition(this.#here),
  }

  #write(path: string, body: string): Promise<undefined> {
    return this.#room.kernel.writeFile({ params: { ...this.#params, '*': path }, body })
  }

  #read(file: SysfsFile): Promise<string> {
    return this.#room.kernel.readFile({ params: { ...this.#params, '*': files[file] } })
  }

  async #rtas(args: readonly number[]): Promise<string> {
    const { epoch } = await this.#partition()
    const body = encodeRtasCall({
      token: rtasToken('ibm,configure-kernel-dump'),
      args,
      returnCount: 1,
    })
    const reply = await this.#room.hypervisor.rtasCall({
      params: this.#params,
      query: { epoch },
      body,
    })
    return String(decodeRtasReturns(reply)[0])
  }

  /** What the console says; without HTTP, as this is asked after every command. */
  async #seen() {
    const space = this.#room.spaceOf(this.#id)
    const { value = '', epoch } = await this.#room.store.readRecord(space, records.firmware)
    const { state, registration, crashes, pendingDump } = decodeFirmware(value)
    return {
      state,
      registration,
      epoch: epoch - this.#epochsBefore,
      crashes,
      dumpWaits: pendingDump !== undefined,
    }
  }

  #partition(): Promise<Partition> {
    return this.#room.hypervisor.getPartition({ params: this.#params })
  }

  async #plant(seed: number): Promise<void> {
    const epoch = toEpoch((await this.#partition()).epoch)
    for (const place of [lowPlace, highPlaces[this.#setup.profile]]) {
      const write = { address: realAddress(place), bytes: plantedBytes(place, seed) }
      await this.#room.store.write(this.#room.spaceOf(this.#id), write, epoch)
    }
  }

  async compare(
    model: Model,
    { where, isNewBoot }: { readonly where: string; readonly isNewBoot: boolean },
  ): Promise<void> {
    assert.deepEqual(
      await this.#seen(),
      {
        state: model.state,
        registration: model.registration,
        epoch: model.epoch,
        crashes: model.crashes,
        dumpWaits: model.dump !== undefined,
      },
      `the partition ${where}`,
    )
    const seen = (file: SysfsFile) => this.apply({ do: 'read', file })
    assert.equal(await seen('registered'), model.read('registered'), `fadump_registered ${where}`)
    if (!isNewBoot) return
    assert.equal(await seen('enabled'), model.read('enabled'), `fadump_enabled ${where}`)
    assert.equal(await seen('release_mem'), model.read('release_mem'), `release_mem ${where}`)
    if (model.state === 'not-activated') return
    await this.#compareDump(model, where)
    if (model.commandLine === undefined) return
    const commandLine = await this.#room.kernel.readProc({
      params: { ...this.#params, file: 'cmdline' },
    })
    assert.equal(commandLine, `${model.commandLine}\n`, `/proc/cmdline ${where}`)
  }

  async #compareDump({ dump }: Model, where: string): Promise<void> {
    const tree = await this.#room.hypervisor.getDeviceTree({ params: this.#params })
    const property = findNode(decodeDeviceTree(tree).root, '/rtas')?.properties.get(
      'ibm,kernel-dump',
    )
    if (property === undefined || dump === undefined) {
      assert.equal(property !== undefined, dump !== undefined, `ibm,kernel-dump ${where}`)
      return
    }
    const { header, sections } = decodeDumpMemoryStructure(property)
    const seen = sections.map(({ sourceDataType, errorFlags, sourceLength, bytesDumped }) => ({
      type: sourceDataType,
      errorFlags,
      length: Number(sourceLength),
      dumped: Number(bytesDumped),
    }))
    assert.deepEqual([header.dumpStatusFlag, seen], [dump.status, dump.sections], `dump ${where}`)
    const isCopied = dump.sections[2]?.errorFlags === 0
    if (dump.planted === undefined || !isCopied) return
    const high = highPlaces[this.#setup.profile]
    await this.#comparePlanted(dump.bootCopy + lowPlace, plantedBytes(lowPlace, dump.planted))
    await this.#comparePlanted(high, plantedBytes(high, dump.planted))
  }

  async #comparePlanted(address: number, bytes: Uint8Array): Promise<void> {
    const space = this.#room.spaceOf(this.#id)
    const seen = await this.#room.store.read(space, realAddress(address), bytes.byteLength)
    assert.deepEqual(seen, bytes, `planted bytes at 0x${address.toString(16)}`)
  }
}

const firmwareFacts = z.object({
  state: z.string(),
  registration: z.string(),
  crashes: z.int(),
  pendingDump: z.string().optional(),
})

/** Most commands change nothing of it. */
const decodeFirmware = remembering(4, (record) => firmwareFacts.parse(JSON.parse(record)))

function plantedBytes(place: number, seed: number): Uint8Array {
  return fromAscii(`planted with ${seed} at 0x${place.toString(16)}`)
}

/** 40 bytes of header and 40 a section: CPU, HPTE, boot memory and, in 6.10, parameters. */
function lengthOf({ profile }: Setup, length: RawLength): number {
  const sections = profile === 'v5' ? 3 : 4
  return { exact: 40 + 40 * sections, short: 40 * sections, tiny: 39, huge: 513 }[length]
}
