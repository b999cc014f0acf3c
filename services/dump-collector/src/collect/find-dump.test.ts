import assert from 'node:assert/strict'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Dump } from '@fadump-lab/shared/contracts'
import { byteLength } from '@fadump-lab/shared/units'
import { writeDump } from '../store/dump-file.ts'
import { nodeFiles, type Files } from '../store/files.ts'
import { fileIn, placeOf } from '../store/layout.ts'
import { findDump } from './find-dump.ts'

const name = { partition: 'p1', dump: 'p1-00000000-1' }

const complete: Dump = {
  id: name.dump,
  partition: name.partition,
  frame: 'server-1',
  status: 'complete',
  step: 'complete',
  sizeBytes: byteLength(0),
  transferredBytes: byteLength(0),
  storedBytes: byteLength(0),
  missing: [],
  attempts: 1,
  released: true,
  pinned: false,
  startedAt: '2026-01-01T00:00:00.000Z',
  correlationId: 'a1b2c3d4',
}

test('a dump that another collector publishes between the two looks is found, and not begun anew', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'find-dump-'))
  const root = directory.path
  const incomplete = placeOf(root, name, 'incomplete')
  const final = placeOf(root, name, 'final')
  await nodeFiles.makeDirectory(incomplete.directory)
  await writeDump(nodeFiles, incomplete, complete)
  let looks = 0
  const files: Files = {
    ...nodeFiles,
    open: async (path, mode) => {
      const isSecondLook = path === fileIn(incomplete, 'dump') && looks++ === 0
      if (isSecondLook) await nodeFiles.rename(incomplete.directory, final.directory)
      return nodeFiles.open(path, mode)
    },
  }
  assert.deepEqual(await findDump({ files, root }, name), { place: final, dump: complete })
  assert.equal(looks, 1, 'it was published behind the first look')
})
