import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { partition } from '../contracts/index.ts'
import {
  configureKernelDumpCommand,
  configureKernelDumpCommands,
  kernelProfiles,
  registrationMachine,
} from './index.ts'

describe('the registration machine', () => {
  test('has exactly the transitions of the firmware', () => {
    assert.deepEqual(
      registrationMachine.rows.map(({ from, event, to }) => `${from} ${event} ${to}`),
      [
        'idle register registered',
        'registered unregister idle',
        'registered osTerm dumping',
        'registered systemReset dumping',
        'registered disable idle',
        'dumping preserved active',
        'dumping preserveFailed idle',
        'dumping disable idle',
        'active invalidate idle',
        'active discard idle',
      ],
    )
  })

  test('has the states that the contracts name', () => {
    assert.deepEqual(registrationMachine.states, partition.shape.registration.options)
  })
})

test('the commands are 1 register, 2 unregister, 3 invalidate', () => {
  assert.deepEqual(
    configureKernelDumpCommands.map(({ command, name }) => [command, name]),
    [
      [1, 'register'],
      [2, 'unregister'],
      [3, 'invalidate'],
    ],
  )
  assert.deepEqual(configureKernelDumpCommand, { register: 1, unregister: 2, invalidate: 3 })
})

test('there is a kernel profile under each name of the contracts', () => {
  assert.deepEqual(Object.keys(kernelProfiles), partition.shape.profile.unwrap().options)
  for (const [name, profile] of Object.entries(kernelProfiles)) assert.equal(profile.name, name)
})
