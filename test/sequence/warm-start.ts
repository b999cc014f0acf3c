/**
 * Partitions that are up already. The first sequence of a setup creates and activates its partition; later ones find it
 * as that activation left it: memory, firmware, CPUs and kernel are put back in one commit, as the next boot, when
 * another sequence begins. Until then what the last one has left can be looked at.
 */
import { records } from '@fadump-lab/shared/contracts'
import type { SpaceId } from '@fadump-lab/shared/store'
import { byteLength } from '@fadump-lab/shared/units'
import type { Setup } from './commands.ts'
import type { QuietRoom } from './room.ts'

export const memoryBytes = 1024 ** 3

interface Template {
  readonly id: string
  readonly memory: SpaceId
  readonly firmware: string
  readonly vcpus: string
  readonly kernel: string
}

export class WarmStart {
  readonly #room: QuietRoom
  readonly #templates = new Map<string, Template>()
  #used: Template | undefined

  constructor(room: QuietRoom) {
    this.#room = room
  }

  /** The id of a partition with this setup that has just been activated. */
  async partition(setup: Setup): Promise<string> {
    const key = JSON.stringify(Object.values(setup))
    if (this.#used !== undefined) await this.#restore(this.#used)
    this.#used = this.#templates.get(key) ?? (await this.#first(key, setup))
    return this.#used.id
  }

  async #first(key: string, setup: Setup): Promise<Template> {
    const id = `s${this.#templates.size}`
    await this.#activate(id, setup)
    const template = await this.#keep(id)
    this.#templates.set(key, template)
    return template
  }

  async #activate(id: string, setup: Setup): Promise<void> {
    const { hypervisor } = this.#room
    const content = { seed: 1, populatedBytes: 65_536 }
    await hypervisor.createPartition({
      body: { id, memoryBytes, captureTarget: 'local', content, ...setup },
    })
    await hypervisor.activatePartition({ params: { partition: id } })
    await this.#room.settle()
  }

  async #keep(id: string): Promise<Template> {
    const { store } = this.#room
    const space = this.#room.spaceOf(id)
    const memory = { frame: space.frame, space: `template/${id}` }
    await store.createSpace(memory, byteLength(memoryBytes))
    await store.commit(memory, { cloneFrom: space })
    const text = async (name: string) => (await store.readRecord(space, name)).value ?? ''
    return {
      id,
      memory,
      firmware: await text(records.firmware),
      vcpus: await text(records.vcpus),
      kernel: await text(records.kernel),
    }
  }

  async #restore({ id, memory, firmware, vcpus, kernel }: Template): Promise<void> {
    const { store } = this.#room
    const space = this.#room.spaceOf(id)
    const { epoch } = await store.readRecord(space, records.firmware)
    await store.commit(space, {
      cloneFrom: memory,
      records: {
        [records.firmware]: firmware,
        [records.vcpus]: vcpus,
        [records.kernel]: kernel.replace(/^\{"epoch":\d+/, `{"epoch":${epoch + 1}`),
      },
      nextEpoch: true,
    })
  }
}
