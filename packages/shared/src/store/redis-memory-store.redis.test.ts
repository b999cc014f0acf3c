import { without } from '../../../../test/support/tools.ts'
import { openRedis } from './conformance/openers.ts'
import { memoryStoreConformance } from './memory-store.conformance.ts'

memoryStoreConformance('RedisMemoryStore', openRedis, { skip: without('redis-server') })
