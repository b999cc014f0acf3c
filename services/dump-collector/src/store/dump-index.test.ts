import assert from 'node:assert/strict'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Dump } from '@fadump-lab/shared/contracts'
import { byteLength } from '@fadump-lab/shared/units'
import { writeDump } from './dump-file.ts'
import { DumpIndex } from './dump-index.ts'
import { nodeFiles } from './files.ts'
import { placeOf } from './layout.ts'

const name = { partition: 'p1', dump: 'p1-00000000-1' }

function aDump(part: Partial<Dump>): Dump {
  return {
    id: name.dump,
    partition: name.partition,
    frame: 'server-1',
    status: 'capturing',
    step: 'transferring',
    sizeBytes: byteLength(0),
    transferredBytes: byteLength(0),
    storedBytes: byteLength(0),
    missing: [],
    attempts: 1,
    released: false,
    pinned: false,
    startedAt: '2026-01-01T00:00:00.000Z',
    correlationId: 'a1b2c3d4',
    ...part,
  }
}

test('a collector that was paused shows what another one has published meanwhile', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'dump-index-'))
  const root = directory.path
  const incomplete = placeOf(root, name, 'incomplete')
  const final = placeOf(root, name, 'final')
  const index = new DumpIndex(root, nodeFiles)
  await nodeFiles.makeDirectory(incomplete.directory)
  await writeDump(nodeFiles, incomplete, aDump({}))
  const live = aDump({ transferredBytes: byteLength(5) })
  {
    using _shown = index.show({ place: incomplete, dump: live })
    assert.equal((await index.find(name.dump))?.dump.transferredBytes, 5n, 'its own is newer')

    await writeDump(nodeFiles, incomplete, aDump({ status: 'complete', step: 'complete' }))
    await nodeFiles.rename(incomplete.directory, final.directory)
    assert.equal((await index.find(name.dump))?.dump.status, 'complete')
    assert.deepEqual(
      (await index.list()).map(({ dump }) => dump.status),
      ['complete'],
    )
  }
  assert.equal((await index.find(name.dump))?.dump.status, 'complete')
})
