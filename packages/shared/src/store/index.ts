/** Partition memory: one port, two implementations. The only room that knows Redis keys of memory. */
export {
  changeOperationsMax,
  commitBytesMax,
  digestPagesMax,
  pageSize,
  recordBytesMax,
  recordsMax,
  StoreError,
  toEpoch,
  toVersion,
  transferBytesMax,
  type Epoch,
  type FrameUsage,
  type MemoryChange,
  type MemoryCopy,
  type MemoryStore,
  type MemoryWrite,
  type PopulatedPage,
  type SpaceDescription,
  type SpaceId,
  type StoreErrorCode,
  type Version,
} from './memory-store.ts'
export { createHeapMemoryStore, HeapMemoryStore } from './heap-memory-store.ts'
export {
  createRedisMemoryStore,
  RedisMemoryStore,
  type RedisMemoryStoreOptions,
} from './redis-memory-store.ts'
