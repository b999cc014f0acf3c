import { without } from '../../../../test/support/tools.ts'
import { modelConformance } from './conformance/model.conformance.ts'
import { openRedis } from './conformance/openers.ts'

const skip = without('redis-server')
modelConformance('RedisMemoryStore', openRedis, { runs: 1_000, skip })
