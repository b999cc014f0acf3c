import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import test, { suite } from 'node:test'
import { decodeDeviceTree, findNode, toCells, toText } from '@fadump-lab/shared/fdt'
import { toHex } from '@fadump-lab/shared/units'
import { locate, without } from '../../../../test/support/tools.ts'
import { aCrashedGuest } from '../testing/crashed-guest.ts'
import { aStartedGuest, type Guest } from '../testing/guest.ts'
import { startHypervisor, type StartedHypervisor } from '../testing/started-hypervisor.ts'
import { modernStructure, v5Structure } from '../testing/structures.ts'

const blobOf = (host: StartedHypervisor, guest: Guest) =>
  host.client.getDeviceTree({ params: { partition: guest.id } })

async function rtasOf(host: StartedHypervisor, guest: Guest): Promise<ReadonlyMap<string, string>> {
  const node = findNode(decodeDeviceTree(await blobOf(host, guest)).root, '/rtas')
  return new Map([...(node?.properties ?? [])].map(([name, value]) => [name, toHex(value)]))
}

suite('/rtas', () => {
  test('C001 without the dump option there is none of the four dump properties', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host, { dumpOption: false })
    const names = [...(await rtasOf(host, guest)).keys()]
    assert.deepEqual(
      names.filter((name) => name.includes('kernel-dump')),
      [],
    )
    assert.ok(names.includes('ibm,os-term'))
  })

  test('C002 C003 C004 C005 C007 the dump option: token, sizes, version and extended os-term', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host, { processors: 8 })
    const rtas = await rtasOf(host, guest)
    assert.equal(rtas.get('ibm,configure-kernel-dump'), '0000202d')
    // 32 + 8 · 8192 bytes of CPU state, 4096 of page table entries.
    assert.equal(
      rtas.get('ibm,configure-kernel-dump-sizes'),
      '000000010000000000010020' + '000000020000000000001000',
    )
    assert.equal(rtas.get('ibm,configure-kernel-dump-version'), '00010001')
    assert.equal(rtas.get('ibm,extended-os-term'), '')
    assert.equal(rtas.get('ibm,os-term'), '0000201f')
  })

  test('C006 ibm,kernel-dump is absent until a dump waits, then has exactly 40 + 40·n bytes', async () => {
    for (const [structure, bytes] of [
      [v5Structure, 160],
      [modernStructure, 200],
    ] as const) {
      await using host = await startHypervisor()
      const first = await aStartedGuest(host, { id: 'first' })
      assert.equal((await rtasOf(host, first)).has('ibm,kernel-dump'), false)
      const guest = await aCrashedGuest(host, structure)
      assert.equal((await rtasOf(host, guest)).get('ibm,kernel-dump')?.length, 2 * bytes)
    }
  })

  test('tokens are announced for exactly the services that answer', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    const rtas = await rtasOf(host, guest)
    for (const name of ['system-reboot', 'power-off', 'ibm,nmi-register', 'ibm,nmi-interlock']) {
      assert.ok(rtas.has(name), name)
    }
    assert.equal(rtas.has('display-character'), false)
    assert.equal(rtas.get('linux,rtas-base'), '03ff0000')
  })
})

suite('the rest of the tree', () => {
  test('memory, boot arguments and CPUs of the partition', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host, {
      memoryBytes: 2 ** 40,
      processors: 20,
      offlineCpus: [3],
      bootArguments: 'fadump=on mem=1T',
    })
    const { root } = decodeDeviceTree(await blobOf(host, guest))
    const property = (path: string, name: string) =>
      findNode(root, path)?.properties.get(name) ?? new Uint8Array(0)
    assert.deepEqual(toCells(property('/memory@0', 'reg')), [0, 0, 0x100, 0])
    assert.equal(toText(property('/memory@0', 'device_type')), 'memory')
    assert.equal(toText(property('/chosen', 'bootargs')), 'fadump=on mem=1T')
    const cpus = findNode(root, '/cpus')?.children ?? []
    assert.equal(cpus.length, 20)
    assert.equal(cpus[19]?.name, 'PowerPC,POWER7@13')
    assert.deepEqual(
      toCells(property('/cpus/PowerPC,POWER7@13', 'ibm,ppc-interrupt-server#s')),
      [0x13],
    )
    assert.equal(toText(property('/cpus/PowerPC,POWER7@3', 'status')), 'disabled')
    assert.equal(toText(property('/cpus/PowerPC,POWER7@4', 'status')), 'okay')
  })

  test('the largest partition still fits the reply', async () => {
    await using host = await startHypervisor({
      config: {
        defaultFrame: { id: 'server-1', memoryBytes: (2n ** 42n) as never, processors: 4096 },
      },
    })
    const guest = await aStartedGuest(host, { processors: 4096, profile: 'modern' })
    const blob = await blobOf(host, guest)
    assert.ok(blob.byteLength < 1024 * 1024, `${blob.byteLength} bytes`)
    assert.equal(findNode(decodeDeviceTree(blob).root, '/cpus')?.children.length, 4096)
  })

  test('a partition that is off has no device tree: wrong-state', async () => {
    await using host = await startHypervisor()
    await host.client.createPartition({ body: { id: 'p1', memoryBytes: 65_536, processors: 1 } })
    await assert.rejects(host.client.getDeviceTree({ params: { partition: 'p1' } }), {
      slug: 'wrong-state',
    })
  })

  test(
    'dtc reads the blobs of both boots without a warning',
    { skip: without('dtc') },
    async () => {
      await using host = await startHypervisor()
      const first = await aStartedGuest(host, { id: 'first', processors: 4 })
      const capture = await aCrashedGuest(host, v5Structure)
      for (const guest of [first, capture]) {
        const { source, warnings } = dtc(await blobOf(host, guest))
        assert.equal(warnings, '')
        assert.match(source, /compatible = "IBM,pSeries";/)
        assert.match(source, /ibm,configure-kernel-dump = <0x202d>;/)
        assert.equal(source.includes('ibm,kernel-dump = '), guest === capture)
      }
    },
  )
})

function dtc(blob: Uint8Array): { readonly source: string; readonly warnings: string } {
  const { stdout, stderr } = spawnSync(locate('dtc'), ['-I', 'dtb', '-O', 'dts', '-o', '-', '-'], {
    input: blob,
    encoding: 'utf8',
  })
  return { source: stdout, warnings: stderr }
}
