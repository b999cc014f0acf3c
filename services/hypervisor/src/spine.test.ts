import assert from 'node:assert/strict'
import test from 'node:test'
import { iplQueue, type IplJob } from '@fadump-lab/shared/contracts'
import { decodeDeviceTree, findNode } from '@fadump-lab/shared/fdt'
import { MiB, toHex } from '@fadump-lab/shared/units'
import { eventually } from '../../../test/support/eventually.ts'
import { Guest } from './testing/guest.ts'
import { startHypervisor } from './testing/started-hypervisor.ts'

/** One CPU: 0x2020 bytes of register save area at 32 MiB, page table area behind it, 16 MiB of boot memory behind that. */
const structure = `
  00000001 0003 0000 00000028 00000000 0000000000000000 0000000000000000 00000000 00000000
  00000001 0001 0000 0000000000000000 0000000000002020 0000000000000000 0000000002000000
  00000001 0002 0000 0000000000000000 0000000000001000 0000000000000000 0000000002002020
  00000001 0011 0000 0000000000000000 0000000001000000 0000000000000000 0000000002003020`

test('a partition is created, boots, registers, dies, and boots again with its dump', async () => {
  await using host = await startHypervisor()
  const { client } = host
  const jobs: IplJob[] = []
  await using _worker = await host.queues.open(iplQueue).work(
    async (job) => {
      jobs.push(job.payload)
    },
    { concurrency: 1 },
  )
  const created = await client.createPartition({
    body: { id: 'p1', memoryBytes: Number(64n * MiB), processors: 1 },
  })
  assert.equal(created.state, 'not-activated')
  const activated = await client.activatePartition({
    params: { partition: 'p1' },
    correlationId: 'crash-1',
  })
  assert.equal(activated.state, 'starting')
  await eventually('the first boot is queued', () => jobs.length === 1)
  assert.deepEqual(jobs, [
    { frame: 'server-1', partition: 'p1', epoch: 1, correlationId: 'crash-1' },
  ])

  const guest = new Guest(host, 'p1')
  await guest.write(0n, new Uint8Array([1, 2, 3, 4]))
  assert.equal(await guest.register(0x10000, structure), 0)
  assert.equal((await guest.report('booted')).state, 'running')
  assert.deepEqual(await guest.osTerm(), [])

  await eventually(
    'the memory is preserved',
    async () => (await guest.partition()).state === 'capture-starting',
  )
  await eventually('the capture boot is queued', () => jobs.length === 2)
  assert.equal(jobs[1]?.epoch, 3)
  assert.equal(toHex(await guest.read(0x2003020n, 4)), '01020304')
  const tree = decodeDeviceTree(await client.getDeviceTree({ params: { partition: 'p1' } }))
  const dump = findNode(tree.root, '/rtas')?.properties.get('ibm,kernel-dump')
  assert.equal(dump?.byteLength, 160)
  assert.equal(toHex(dump?.subarray(6, 8) ?? new Uint8Array(0)), 'c000')
})
