/** The keys that all tests in one process use. */
import { newRoomKeys } from '@fadump-lab/shared/identity'
import { seededRandom } from '@fadump-lab/shared/runtime'

export const testKeys = newRoomKeys(seededRandom(4))
