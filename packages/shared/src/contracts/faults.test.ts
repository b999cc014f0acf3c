import assert from 'node:assert/strict'
import test from 'node:test'
import { faults, newFault } from './faults.ts'

const firmware = { scope: { partition: 'p1' } }
/** What is refused, where, and what the refusal says. */
const refused: readonly (readonly [form: object, pointer: string, says: RegExp])[] = [
  [{ name: 'bitflip' }, 'name', /^no fault is called so; there are bit-flip, /],
  [{ name: 'crashloop' }, 'name', /there are crash-loop, /],
  [{ name: 'regsave-magick', ...firmware }, 'name', /there are regsave-magic, /],
  [{ name: 'latency', value: -1 }, 'value', /latency \(ms\) must be 0 to 31536000000/],
  [{ name: 'fsync-error', value: 1 }, 'value', /fsync-error takes no value/],
  [{ name: 'torn-hand-over', value: 2 }, 'value', /\(moment\) must be 0 to 1/],
  [{ name: 'bit-flip', at: 'releaseDump' }, 'at', /acts at readVmcore, readVmcoreManifest;/],
  [{ name: 'disk-full', at: 'vmcor' }, 'at', /acts at vmcore, /],
  [{ name: 'clock-jump', at: 'vmcore' }, 'at', /takes no place/],
  [{ name: 'process-abort' }, 'at', /needs a step, such as files\.rename/],
  [{ name: 'process-abort', at: 'files.renam' }, 'at', /acts at files\.rename, /],
  [{ name: 'process-abort', at: 'files.rename:vmcore' }, 'at', /not there/],
  [{ name: 'bit-rot', scope: { service: 'hypervisor' } }, 'scope.service', /dump-collector only/],
  [{ name: 'regsave-magic' }, 'scope.partition', /name the partition/],
  [{ name: 'regsave-magic', after: 1, ...firmware }, 'after', /at its first occasion/],
  [{ name: 'latency', probability: 0 }, 'probability', /./],
  [{ name: 'latency', times: 0 }, 'times', /./],
  [{ name: 'latency', scope: { partition: 'P 1' } }, 'scope.partition', /./],
]

for (const [form, pointer, says] of refused) {
  test(`${JSON.stringify(form)} is refused at ${pointer}`, () => {
    const issue = newFault.safeParse(form).error?.issues[0]
    assert.equal(issue?.path.join('.'), pointer)
    assert.match(issue.message, says)
  })
}

const accepted: readonly object[] = [
  { name: 'clock-jump', value: -86_400_000 },
  { name: 'process-abort', at: 'events.append:stored' },
  { name: 'process-abort', at: 'store.commit', value: 1, after: 3 },
  { name: 'regsave-fewer-cpus', value: 2, ...firmware },
  { name: 'connection-reset', at: 'rtasCall', probability: 1 },
]

for (const form of accepted) {
  test(`${JSON.stringify(form)} is accepted`, () => {
    assert.equal(newFault.safeParse(form).success, true)
  })
}

test('every row says where it acts, what has to hold and what comes out', () => {
  for (const [name, row] of faults) {
    assert.ok(row.services.length > 0, name)
    assert.ok(row.expects.holds.length > 0, name)
    assert.ok(row.expects.outcome.length > 10, name)
    assert.ok(
      row.catalogue.every((number) => number >= 1 && number <= 70),
      name,
    )
  }
})
