import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { aDumpMemoryStructure, aSection } from '../../../../test/fixtures/dump-structures.ts'
import { truthBytes } from '../../../../test/fixtures/truth/index.ts'
import type { RtasCall } from '../rtas/index.ts'
import { byteLength, MiB } from '../units/index.ts'
import {
  configureKernelDump,
  encodeDumpMemoryStructure,
  firmwarePersonalities,
  registrationMachine,
  validateRegistration,
  type ConfigureKernelDumpResult,
  type DumpMemoryStructure,
  type FirmwarePersonalityName,
  type ReadPartitionMemory,
  type RegistrationContext,
  type RegistrationState,
} from './index.ts'

const address = 0x0200_0000
const rmaSize = byteLength(256n * MiB)

interface Attempt {
  readonly personality?: FirmwarePersonalityName
  readonly registration?: RegistrationState
  readonly structure?: DumpMemoryStructure | Uint8Array
  readonly call?: Partial<RtasCall>
  readonly at?: number
  readonly length?: number
  readonly read?: ReadPartitionMemory
}

/** Memory that holds `bytes` at `address` and nothing else that can be read. */
function memoryWith(bytes: Uint8Array, at: number): ReadPartitionMemory {
  return (from, length) => {
    const start = Number(from) - at
    const isReadable = start >= 0 && start + length <= bytes.byteLength
    return Promise.resolve(isReadable ? bytes.slice(start, start + length) : undefined)
  }
}

function attempt(options: Attempt = {}): Promise<ConfigureKernelDumpResult> {
  const structure = options.structure ?? aDumpMemoryStructure()
  const bytes = structure instanceof Uint8Array ? structure : encodeDumpMemoryStructure(structure)
  const at = options.at ?? address
  const call = {
    token: 0x202d,
    args: [1, at, options.length ?? bytes.byteLength],
    returnCount: 1,
    ...options.call,
  }
  const context: RegistrationContext = {
    registration: options.registration ?? 'idle',
    personality: firmwarePersonalities[options.personality ?? 'papr'],
    rmaSize,
  }
  return configureKernelDump(call, context, options.read ?? memoryWith(bytes, at))
}

async function statusOf(options: Attempt): Promise<number> {
  return (await attempt(options)).status
}

describe('registering', () => {
  test('C011 a valid structure gives 0 and moves to registered', async () => {
    const result = await attempt()
    assert.equal(result.status, 0)
    assert.equal(registrationMachine.next('idle', result.event ?? 'preserved'), 'registered')
    assert.deepEqual(result.structure, aDumpMemoryStructure())
  })

  test('C011 what a real kernel registered is valid, with its exact length', async () => {
    const structure = truthBytes('fdm-registered.bin')
    assert.equal(await statusOf({ structure, length: 200 }), 0)
  })

  test('C020 firmware keeps its own copy: what the partition writes afterwards has no effect', async () => {
    const bytes = encodeDumpMemoryStructure(aDumpMemoryStructure())
    const { structure } = await attempt({
      structure: bytes,
      read: (from, length) => {
        const start = Number(from) - address
        return Promise.resolve(bytes.subarray(start, start + length))
      },
    })
    bytes.fill(0xff)
    assert.deepEqual(structure, aDumpMemoryStructure())
  })

  test('firmware keeps a copy in which the fields of the platform are zero', async () => {
    const structure = aDumpMemoryStructure({
      header: { dumpStatusFlag: 0xe000 },
      sections: [aSection({ errorFlags: 0x8000, bytesDumped: 5n })],
    })
    const { structure: kept } = await attempt({ structure })
    assert.deepEqual(kept, aDumpMemoryStructure({ sections: [aSection()] }))
  })

  test('C012 a second time gives −9, under the requirement text −8', async () => {
    assert.equal(await statusOf({ registration: 'registered' }), -9)
    assert.equal(await statusOf({ registration: 'registered', personality: 'qemu' }), -9)
    assert.equal(await statusOf({ registration: 'registered', personality: 'papr-text' }), -8)
  })

  test('C013 while a dump is active gives −10, under the requirement text −9', async () => {
    assert.equal(await statusOf({ registration: 'active' }), -10)
    assert.equal(await statusOf({ registration: 'dumping' }), -10)
    assert.equal(await statusOf({ registration: 'active', personality: 'papr-text' }), -9)
  })

  test('C015 a version other than 1 gives −3', async () => {
    for (const dumpFormatVersion of [0, 2, 0x0100_0000]) {
      const structure = aDumpMemoryStructure({ header: { dumpFormatVersion } })
      assert.equal(await statusOf({ structure }), -3)
      assert.equal(await statusOf({ structure, personality: 'qemu' }), -3)
    }
  })

  test('C016 ten sections are accepted, eleven give −3', async () => {
    const ten = aDumpMemoryStructure({ sections: Array.from({ length: 10 }, () => aSection()) })
    assert.equal(await statusOf({ structure: ten }), 0)
    const eleven = new Uint8Array(480)
    eleven.set(encodeDumpMemoryStructure(ten))
    eleven[5] = 11
    assert.equal(await statusOf({ structure: eleven }), -3)
    assert.equal(await statusOf({ structure: eleven, personality: 'qemu' }), -3)
  })

  test('C017 a structure at 0, beyond the real mode area, or shorter than 40 bytes gives −3', async () => {
    assert.equal(await statusOf({ at: 0 }), -3)
    assert.equal(await statusOf({ length: 39 }), -3)
    const end = 256 * 1024 * 1024
    assert.equal(await statusOf({ at: end - 160 }), 0)
    assert.equal(await statusOf({ at: end - 159 }), -3)
    assert.equal(await statusOf({ at: 0xffff_ffff }), -3)
  })

  test('C018 a length other than 40 + 40·n gives −3; QEMU takes any that suffices', async () => {
    for (const length of [120, 159, 161, 200, 440]) {
      assert.equal(await statusOf({ length }), -3, String(length))
    }
    assert.equal(await statusOf({ length: 440, personality: 'qemu' }), 0)
  })

  test('C019 more than 512 bytes give −3', async () => {
    const { refusal, status } = await attempt({ length: 513 })
    assert.equal(status, -3)
    assert.equal(refusal?.check, 'C019')
    assert.equal((await attempt({ length: 512 })).refusal?.check, 'C018')
  })

  test('C031 sections that do not follow the header give −3; QEMU reads them from where they are said to be', async () => {
    const structure = aDumpMemoryStructure({ header: { offsetFirstDumpSection: 0 } })
    assert.equal((await attempt({ structure })).refusal?.check, 'C031')
    assert.equal(await statusOf({ structure, personality: 'qemu' }), 0)
  })

  test('no section at all, or a disk to dump to, gives −3, which QEMU overlooks', async () => {
    const empty = aDumpMemoryStructure({ sections: [] })
    assert.equal((await attempt({ structure: empty })).refusal?.check, 'no-sections')
    assert.equal(await statusOf({ structure: empty, personality: 'qemu' }), 0)
    for (const header of [
      { ddBlockSize: 512 },
      { ddBlockOffset: 1n },
      { ddNumBlocks: 1n },
      { ddOffsetDiskPath: 0x1b8 },
    ]) {
      const structure = aDumpMemoryStructure({ header })
      assert.equal((await attempt({ structure })).refusal?.check, 'disk-dump')
      assert.equal(await statusOf({ structure, personality: 'qemu' }), 0)
    }
  })

  test('a header that cannot be read gives −1, sections that cannot be read give −3', async () => {
    assert.equal(await statusOf({ read: () => Promise.resolve(undefined) }), -1)
    const header = encodeDumpMemoryStructure(aDumpMemoryStructure()).subarray(0, 40)
    assert.equal(await statusOf({ structure: header, length: 160 }), -3)
  })

  test('section types and addresses are not judged before the dump', async () => {
    const odd = aSection({ sourceDataType: 3, destinationAddress: 0xffff_ffff_ffff_ffffn })
    assert.equal(await statusOf({ structure: aDumpMemoryStructure({ sections: [odd] }) }), 0)
  })

  test('a refusal names the rule and the value', async () => {
    const { refusal } = await attempt({ length: 161 })
    assert.deepEqual(refusal, {
      check: 'C018',
      detail: 'the length is exactly 40 + 40·n: length 161 with 3 sections',
    })
  })

  test('never reads outside what was checked, whatever the structure says', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 512, maxLength: 512 }),
        fc.nat(600),
        async (bytes, length) => {
          bytes.set([0, 0, 0, 1], 0)
          const read: ReadPartitionMemory = (from, count) => {
            assert.ok(from >= BigInt(address) && Number(from) + count <= address + 512)
            return Promise.resolve(
              bytes.slice(Number(from) - address, Number(from) - address + count),
            )
          }
          const result = await validateRegistration(
            {
              registration: 'idle',
              personality: firmwarePersonalities.papr,
              rmaSize,
              address,
              length,
            },
            read,
          )
          assert.equal(result.status === 0, result.event === 'register')
        },
      ),
      { numRuns: 200 },
    )
  })
})

describe('the call itself', () => {
  test('C010 other than three arguments and one return give −3', async () => {
    for (const call of [
      { args: [1, address] },
      { args: [1, address, 160, 0] },
      { returnCount: 0 },
      { returnCount: 2 },
    ]) {
      assert.equal(await statusOf({ call }), -3)
    }
  })

  test('C014 an unknown command gives −3', async () => {
    for (const command of [0, 4, 0xffff_ffff]) {
      assert.equal(await statusOf({ call: { args: [command, address, 160] } }), -3)
    }
  })
})

describe('unregistering', () => {
  const call = { args: [2, 0, 0] }

  test('gives 0 and moves to idle, also when nothing is registered', async () => {
    const result = await attempt({ call, registration: 'registered' })
    assert.deepEqual([result.status, result.event], [0, 'unregister'])
    assert.equal(registrationMachine.next('registered', 'unregister'), 'idle')
    const again = await attempt({ call })
    assert.deepEqual([again.status, again.event], [0, undefined])
  })

  test('C013 while a dump is active gives −10, under the requirement text −9', async () => {
    assert.equal(await statusOf({ call, registration: 'active' }), -10)
    assert.equal(await statusOf({ call, registration: 'active', personality: 'papr-text' }), -9)
  })
})

describe('invalidating', () => {
  const call = { args: [3, 0, 0] }

  test('C021 an active dump gives 0 and moves to idle', async () => {
    const result = await attempt({ call, registration: 'active' })
    assert.deepEqual([result.status, result.event], [0, 'invalidate'])
    assert.equal(registrationMachine.next('active', 'invalidate'), 'idle')
  })

  test('C022 without an active dump gives −3 and keeps the registration; QEMU gives 0 and drops it', async () => {
    for (const registration of ['idle', 'registered'] as const) {
      const result = await attempt({ call, registration })
      assert.deepEqual([result.status, result.event], [-3, undefined])
    }
    const qemu = await attempt({ call, registration: 'registered', personality: 'qemu' })
    assert.deepEqual([qemu.status, qemu.event], [0, 'unregister'])
    assert.equal(await statusOf({ call, personality: 'qemu' }), 0)
  })
})
