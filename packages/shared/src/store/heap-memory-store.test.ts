import { test } from 'node:test'
import { modelConformance } from './conformance/model.conformance.ts'
import { openHeap } from './conformance/openers.ts'
import { refuses } from './conformance/subject.ts'
import { createHeapMemoryStore } from './heap-memory-store.ts'
import { memoryStoreConformance } from './memory-store.conformance.ts'

memoryStoreConformance('HeapMemoryStore', openHeap)
modelConformance('HeapMemoryStore', openHeap, { runs: 1_000 })

test('a closed heap store is unavailable', async () => {
  const store = createHeapMemoryStore()
  await store[Symbol.asyncDispose]()
  await refuses('unavailable', store.ping())
  await refuses('unavailable', store.listFrames())
  await refuses('unavailable', store.describe({ frame: 'f', space: 's' }))
})
