import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { seededRandom } from '../runtime/index.ts'
import { callerVerifiers, newRoomKeys, newSecret, recognise, verifierOf } from './index.ts'

const random = seededRandom(7)
const keys = newRoomKeys(random)

suite('the credentials of a machine room', () => {
  test('each caller is known by its own secret', () => {
    for (const [name, secret] of Object.entries(keys.secrets)) {
      assert.equal(recognise(keys.verifiers, secret), name)
    }
  })

  test('nobody is known by a verifier, so that a stolen file of them opens nothing', () => {
    for (const [known = ''] of Object.values(keys.verifiers)) {
      assert.equal(recognise(keys.verifiers, known), undefined)
      assert.equal(recognise(keys.verifiers, `fls_${known}`), undefined)
    }
  })

  test('nobody is known by anything else', () => {
    const { secrets, dumpKey } = keys
    const wrong = [
      '',
      'fls_',
      dumpKey,
      newSecret('service', random),
      secrets.hypervisor.slice(0, -1),
    ]
    for (const secret of [...wrong, secrets.hypervisor.toUpperCase(), `${secrets.hypervisor} `]) {
      assert.equal(recognise(keys.verifiers, secret), undefined, secret)
    }
  })

  test('an old and a new secret are both good while keys are exchanged', () => {
    const next = newSecret('service', random)
    const both = [...(keys.verifiers.hypervisor ?? []), verifierOf(next)]
    const verifiers = { ...keys.verifiers, hypervisor: both }
    assert.equal(recognise(verifiers, next), 'hypervisor')
    assert.equal(recognise(verifiers, keys.secrets.hypervisor), 'hypervisor')
    assert.equal(recognise({ hypervisor: [verifierOf(next)] }, keys.secrets.hypervisor), undefined)
  })

  test('a verifier is the SHA-256 of the whole secret', () => {
    // printf fls_00 | sha256sum
    assert.equal(
      verifierOf('fls_00'),
      '0cca8e1124f9b15137cf934289d0b55133bd170fa105abfb62621e4153917e18',
    )
  })

  test('a file with an unknown caller or something that is no digest is refused', () => {
    assert.equal(callerVerifiers.safeParse(keys.verifiers).success, true)
    assert.equal(callerVerifiers.safeParse({ operator: [] }).success, false)
    assert.equal(
      callerVerifiers.safeParse({ hypervisor: [keys.secrets.hypervisor] }).success,
      false,
    )
  })
})
