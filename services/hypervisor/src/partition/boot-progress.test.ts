import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { aStartedGuest } from '../testing/guest.ts'
import { startHypervisor } from '../testing/started-hypervisor.ts'

suite('boot progress', () => {
  test('booted tells where the partition is reached, also a second time from another host', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    const report = (partitionUrl: string) =>
      host.client.reportBootProgress({
        params: { partition: guest.id },
        body: { epoch: 1, event: 'booted', partitionUrl },
      })
    assert.equal((await report('http://a.test/partitions/p1')).state, 'running')
    const again = await report('http://b.test/partitions/p1')
    assert.equal(again.state, 'running')
    assert.equal(again.partitionUrl, 'http://b.test/partitions/p1')
  })

  test('a failed boot keeps its reason until the next one', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    const failed = await guest.report('bootFailed', 'the kernel needs 320 MiB of boot memory')
    assert.equal(failed.state, 'error')
    assert.equal(failed.lastFailure, 'the kernel needs 320 MiB of boot memory')
    const restarted = await host.client.restartPartition({ params: { partition: guest.id } })
    assert.equal(restarted.lastFailure, undefined)
  })

  test('of an earlier boot is refused: stale-boot, with the present generation', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    const stale = host.client.reportBootProgress({
      params: { partition: guest.id },
      body: { epoch: 0, event: 'booted' },
    })
    await assert.rejects(stale, (error) => {
      const { slug, extensions } = error as { slug?: unknown; extensions?: { epoch?: unknown } }
      assert.deepEqual([slug, extensions?.epoch], ['stale-boot', 1])
      return true
    })
  })
})
