/** Values that are right alone and wrong together. */
import type { CaptureSystem } from './capture-system.ts'
import { networkCard } from './network-cards.ts'
import type { SettingName, SystemDescription } from './settings.ts'
import { targetRow } from './targets.ts'

export interface ConsistencyRule {
  readonly setting: SettingName
  readonly rule: string
  readonly valid: (system: CaptureSystem) => string
  readonly isBroken: (system: CaptureSystem, description: SystemDescription) => boolean
}

export const consistencyRules: readonly ConsistencyRule[] = [
  {
    setting: 'bootMemoryMiB',
    rule: 'boot memory is a whole number of MiB',
    valid: () => 'a whole number',
    isBroken: ({ bootMemoryMiB }) => !Number.isInteger(bootMemoryMiB),
  },
  {
    setting: 'bootMemoryMiB',
    rule: 'boot memory is a part of memory',
    valid: ({ memoryMiB }) => `less than the ${memoryMiB} MiB of memory`,
    isBroken: ({ bootMemoryMiB, memoryMiB }) => bootMemoryMiB >= memoryMiB,
  },
  {
    setting: 'reservation',
    rule: 'this rule reserves nothing for so little memory, so there is no capture kernel',
    valid: () => 'another rule, more memory, or bootMemoryMiB',
    isBroken: ({ bootMemoryMiB }) => bootMemoryMiB === 0,
  },
  {
    setting: 'memLimitMiB',
    rule: 'mem= limits memory from above',
    valid: ({ memoryMiB }) => `at most the ${memoryMiB} MiB of memory`,
    isBroken: ({ memLimitMiB, memoryMiB }) => memLimitMiB > memoryMiB,
  },
  {
    setting: 'memLimitMiB',
    rule: 'the capture kernel runs in boot memory, which mem= must leave',
    valid: ({ bootMemoryMiB }) => `more than the ${bootMemoryMiB} MiB of boot memory`,
    isBroken: ({ memLimitMiB, bootMemoryMiB, memoryMiB }) =>
      memLimitMiB <= bootMemoryMiB && memLimitMiB < memoryMiB,
  },
  {
    setting: 'card',
    rule: 'a dump to this target needs a network card',
    valid: () => 'a card, or target local',
    isBroken: ({ card, target }) => card === undefined && targetRow(target).needsNetwork,
  },
  {
    setting: 'queues',
    rule: 'more queues than the driver can use',
    valid: ({ card }) => (card === undefined ? 'none' : `1 to ${networkCard(card).queuesMax}`),
    isBroken: ({ card, queues }) => card !== undefined && queues > networkCard(card).queuesMax,
  },
  {
    setting: 'queues',
    rule: 'queues belong to a network card',
    valid: () => 'no queues without a card',
    isBroken: ({ card }, { queues }) => card === undefined && queues !== undefined,
  },
  {
    setting: 'rootfsMiB',
    rule: 'an initramfs does not shrink when it is unpacked',
    valid: ({ initramfsMiB }) => `at least the ${initramfsMiB ?? 0} MiB of initramfsMiB`,
    isBroken: ({ initramfsMiB, rootfsMiB }) =>
      initramfsMiB !== undefined && rootfsMiB !== undefined && rootfsMiB < initramfsMiB,
  },
]
