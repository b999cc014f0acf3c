import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { systemRandom } from '@fadump-lab/shared/runtime'
import { hashPassword, isPassword, nobodysHash } from './passwords.ts'

suite('passwords', () => {
  test('are derived as RFC 7914 says, and kept in the PHC string format', async () => {
    // python3 -c "import hashlib; print(hashlib.scrypt(b'correct horse', salt=bytes(range(16)), n=2**15, r=8, p=3, maxmem=2**26, dklen=32))"
    const hash =
      '$scrypt$ln=15,r=8,p=3$AAECAwQFBgcICQoLDA0ODw$ANYWwrwG9exM4wRn3uDhnkTuLMG27uj4k9dz5KrBPkg'
    assert.equal(await isPassword(hash, 'correct horse'), true)
    assert.equal(await isPassword(hash, 'correct horsf'), false)
    assert.equal(await isPassword(hash, ''), false)
    assert.equal(await isPassword(nobodysHash, 'correct horse'), false)
  })

  test('get a salt each, and are known again however their letters are composed', async () => {
    const random = systemRandom()
    const composed = await hashPassword('pässwörter sind lang', random)
    assert.match(composed, /^\$scrypt\$ln=15,r=8,p=3\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    assert.notEqual(await hashPassword('pässwörter sind lang', random), composed)
    assert.equal(await isPassword(composed, 'pässwörter sind lang'.normalize('NFD')), true)
  })
})
