import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { seededRandom, VirtualClock } from '@fadump-lab/shared/runtime'
import { Sessions, sessionsPerUserMax } from './sessions.ts'

const ttlMs = 1000
const olga = { name: 'olga', role: 'operator' } as const
const vera = { name: 'vera', role: 'viewer' } as const

function someSessions() {
  const clock = new VirtualClock()
  return { clock, sessions: new Sessions({ clock, random: seededRandom(3), ttlMs }) }
}

suite('sessions', () => {
  test('give the user and the role for their token, until they expire', async () => {
    const { clock, sessions } = someSessions()
    const { token, id } = sessions.open(olga)
    const user = { kind: 'user', name: 'olga', role: 'operator', session: id }
    assert.deepEqual(sessions.userOf(token), user)
    await clock.advance(ttlMs - 1)
    assert.deepEqual(sessions.userOf(token), user)
    await clock.advance(1)
    assert.equal(sessions.userOf(token), undefined)
    assert.deepEqual(sessions.list(), [])
  })

  test('end one by one, or all of a user, and nobody else’s', () => {
    const { sessions } = someSessions()
    const [first, second, other] = [sessions.open(olga), sessions.open(olga), sessions.open(vera)]
    sessions.end(first.id)
    assert.equal(sessions.userOf(first.token), undefined)
    assert.throws(() => sessions.end(first.id), { slug: 'not-found' })
    assert.equal(sessions.userOf(second.token)?.name, 'olga')
    sessions.endAllOf('olga')
    assert.equal(sessions.userOf(second.token), undefined)
    assert.equal(sessions.userOf(other.token)?.name, 'vera')
  })

  test('are bounded a user: the oldest one ends', () => {
    const { sessions } = someSessions()
    const other = sessions.open(vera)
    const tokens = Array.from({ length: sessionsPerUserMax + 1 }, () => sessions.open(olga).token)
    assert.equal(sessions.userOf(tokens[0] ?? ''), undefined)
    assert.equal(sessions.userOf(tokens[1] ?? '')?.name, 'olga')
    assert.equal(sessions.userOf(other.token)?.name, 'vera')
    assert.equal(sessions.list().length, sessionsPerUserMax + 1)
  })

  test('are listed without their tokens', () => {
    const { sessions } = someSessions()
    const { token, ...shown } = sessions.open(olga)
    assert.match(token, /^flu_[0-9a-f]{64}$/)
    assert.deepEqual(sessions.list(), [shown])
    assert.equal(sessions.userOf(shown.id), undefined)
  })
})
