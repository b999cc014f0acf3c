/** dtc, the compiler of the kernel sources, reads the device tree blobs of both boots. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import test, { suite } from 'node:test'
import { startRoomWithoutCollector, type PartialRoom } from '../support/room-without-collector.ts'
import { locate, without } from '../support/tools.ts'

const GiB = 2 ** 30

/** The tree as dtc prints it; anything dtc warns or complains about fails the test. */
async function sourceOf({ hypervisor }: PartialRoom, partition: string): Promise<string> {
  const blob = await hypervisor.getDeviceTree({ params: { partition } })
  const { stdout, stderr, status } = spawnSync(
    locate('dtc'),
    ['-I', 'dtb', '-O', 'dts', '-o', '-', '-'],
    { input: blob, encoding: 'utf8' },
  )
  assert.equal(status, 0, stderr)
  assert.equal(stderr, '')
  return stdout
}

/** The lines of /rtas. */
function rtasOf(source: string): readonly string[] {
  const [, body = ''] = /^\trtas \{\n([\s\S]*?)^\t\};/m.exec(source) ?? []
  return body
    .trim()
    .split('\n')
    .map((line) => line.trim())
}

/** The bytes of a property that dtc prints as cells or as bytes. */
function bytesOf(lines: readonly string[], name: string): number | undefined {
  const line = lines.find((each) => each.startsWith(`${name} = `))
  if (line === undefined) return undefined
  const cells = /<([^>]*)>/.exec(line)?.[1]
  const bytes = /\[([^\]]*)\]/.exec(line)?.[1]
  return cells === undefined ? (bytes ?? '').split(' ').length : 4 * cells.split(' ').length
}

suite('dtc reads the device trees', { skip: without('dtc') }, () => {
  for (const [profile, sections] of [
    ['v5', 3],
    ['modern', 4],
  ] as const) {
    test(`C006 of a ${profile} partition, the capture boot's alone has ibm,kernel-dump, with ${sections} sections`, async () => {
      await using room = await startRoomWithoutCollector()
      await room.boot({ id: 'p', memoryBytes: 2 * GiB, processors: 3, profile })
      const first = await sourceOf(room, 'p')
      await room.crash('p')
      const capture = await sourceOf(room, 'p')
      assert.equal(bytesOf(rtasOf(first), 'ibm,kernel-dump'), undefined)
      assert.equal(bytesOf(rtasOf(capture), 'ibm,kernel-dump'), 40 + 40 * sections)
      const isOther = (line: string) => !line.includes('ibm,kernel-dump ')
      assert.deepEqual(
        capture.split('\n').filter(isOther),
        first.split('\n'),
        'nothing else differs',
      )
    })
  }

  test('C002 C003 C005 the properties of the dump option have the sizes and values of PAPR', async () => {
    await using room = await startRoomWithoutCollector()
    await room.boot({ id: 'p', memoryBytes: GiB, processors: 2 })
    const lines = rtasOf(await sourceOf(room, 'p'))
    assert.equal(bytesOf(lines, 'ibm,configure-kernel-dump'), 4)
    const sizes = bytesOf(lines, 'ibm,configure-kernel-dump-sizes') ?? 0
    assert.ok(sizes >= 24 && sizes % 12 === 0, `${sizes} bytes of sizes`)
    assert.ok(
      lines.includes('ibm,configure-kernel-dump-version = <0x10001>;'),
      'version 00 01 00 01',
    )
  })

  test('C001 without the dump option /rtas has no property of it', async () => {
    await using room = await startRoomWithoutCollector()
    await room.boot({ id: 'p', memoryBytes: GiB, processors: 2, dumpOption: false })
    const lines = rtasOf(await sourceOf(room, 'p'))
    assert.ok(lines.some((line) => line.startsWith('linux,rtas-base = ')))
    assert.deepEqual(
      lines.filter((line) => line.includes('kernel-dump')),
      [],
    )
  })

  test('C021 after the release the next device tree has no ibm,kernel-dump', async () => {
    await using room = await startRoomWithoutCollector()
    await room.boot({ id: 'p', memoryBytes: GiB, processors: 2 })
    const first = await sourceOf(room, 'p')
    await room.crash('p')
    const file = { partition: 'p', '*': 'kernel/fadump_release_mem' }
    await room.kernel.writeFile({ params: file, body: '1' })
    assert.equal(await sourceOf(room, 'p'), first)
  })
})
