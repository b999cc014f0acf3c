/** The console's answer to what makes no sense: a problem that names the thing, the rule and the value. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createConnection } from 'node:net'
import test, { suite } from 'node:test'
import { refusals, refusedRoom, wrongPartition, type RefusedRow } from '../support/refused-room.ts'

const GiB = 2 ** 30
const mebibyte = 2 ** 20

const bodies: readonly RefusedRow[] = [
  [
    'JSON null',
    'POST /partitions',
    400,
    /^body: .*expected object, received null; found null$/,
    'null',
  ],
  ['a JSON array', 'POST /partitions', 400, /^body: .*expected object, received array$/, '[]'],
  ['half of a JSON object', 'POST /partitions', 400, /^the body is not JSON$/, '{"id"'],
  ['no body', 'POST /partitions', 400, /^body: id: .*expected string, received undefined$/],
  ['no UTF-8', 'POST /partitions', 400, /^the body is not JSON$/, Uint8Array.of(0x22, 0xff, 0x22)],
  ['100,000 brackets', 'POST /partitions', 400, /^the body is not JSON$/, '['.repeat(100_000)],
  [
    'JSON above 1 MiB',
    'POST /partitions',
    413,
    /^the body exceeds the bound of 1048576 bytes$/,
    wrongPartition({ bootArguments: 'a'.repeat(mebibyte) }),
  ],
  [
    'a file content above 4 KiB',
    'PUT /partitions/on/sys/kernel/fadump_registered',
    413,
    /^the body exceeds the bound of 4096 bytes$/,
    '1'.repeat(4097),
  ],
]

const frames: readonly RefusedRow[] = [
  [
    'a taken frame',
    'POST /frames',
    409,
    /^there is a frame small already$/,
    frame({ id: 'small' }),
  ],
  [
    'a frame without memory',
    'POST /frames',
    422,
    /frame bad .*65536, not 0$/,
    frame({ memoryBytes: 0 }),
  ],
  [
    'an odd frame',
    'POST /frames',
    422,
    /frame bad .*65536, not 65537$/,
    frame({ memoryBytes: 65_537 }),
  ],
  [
    'a frame without CPUs',
    'POST /frames',
    400,
    /processors: .*>=1; found 0$/,
    frame({ processors: 0 }),
  ],
  [
    'deleting no frame',
    'DELETE /frames/ghost',
    404,
    /^there is no frame ghost; there are server-1/,
  ],
  [
    'deleting a used frame',
    'DELETE /frames/server-1',
    409,
    /^frame server-1 holds partition made.* first$/,
  ],
]

const unknown: readonly RefusedRow[] = [
  ['an unknown partition', 'GET /partitions/ghost', 404, /^there is no partition ghost$/],
  ['deleting it', 'DELETE /partitions/ghost', 404, /^there is no partition ghost$/],
  ['activating it', 'POST /partitions/ghost/activate', 404, /^there is no partition ghost$/],
  ['restarting it', 'POST /partitions/ghost/restart', 404, /^there is no partition ghost$/],
  ['shutting it down', 'POST /partitions/ghost/shutdown', 404, /^there is no partition ghost$/, {}],
  ['crashing it', 'POST /partitions/ghost/crash', 404, /^there is no partition ghost$/, {}],
  ['dumping it', 'POST /partitions/ghost/dump-restart', 404, /^there is no partition ghost$/],
  ['its files', 'GET /partitions/ghost/sys/kernel/x', 404, /^there is no partition ghost$/],
  [
    'an unknown frame',
    'GET /frames/ghost',
    404,
    /^there is no frame ghost; there are server-1, small$/,
  ],
  ['an unknown image', 'GET /images/ghost', 404, /^there is no image ghost$/],
  ['deleting it', 'DELETE /images/ghost', 404, /^there is no image ghost$/],
  ['an unknown dump', 'GET /dumps/ghost', 404, /^no dump is called ghost$/],
  ['deleting it', 'DELETE /dumps/ghost', 404, /^no dump is called ghost$/],
  ['its vmcore', 'GET /dumps/ghost/vmcore', 404, /^no dump is called ghost$/],
  ['its manifest', 'GET /dumps/ghost/manifest', 404, /^no dump is called ghost$/],
  [
    'an unknown job',
    'GET /jobs/ghost',
    404,
    /^no job ghost; a console remembers its last 10000 jobs$/,
  ],
  ['an unknown route', 'GET /ghosts', 404, /^no such route; see \/openapi\.json/],
  [
    'an unknown file',
    'GET /partitions/on/sys/kernel/ghost',
    404,
    /^\/sys\/kernel\/ghost: .*\(ENOENT\)/,
  ],
]

const paths: readonly RefusedRow[] = [
  ['an upper-case id', 'GET /partitions/UPPER', 400, /^path: partition: .*; found "UPPER"$/],
  ['a step up', 'GET /partitions/..%2fon', 400, /^path: partition: .*; found "\.\.\/on"$/],
  ['33 characters', `GET /partitions/${'a'.repeat(33)}`, 400, /<=32 characters; found "a{33}"$/],
  ['NUL', 'GET /jobs/%00', 400, /^path: job: .*; found "\\u0000"$/],
  ['a way out of the dumps', 'GET /dumps/..%2f..%2fetc', 400, /^path: dump: .*"\.\.\/\.\.\/etc"$/],
  ['no encoding', 'GET /partitions/%zz', 400, /'\/v1\/partitions\/%zz' is not a valid url/],
  [
    'a way from sysfs to /proc/vmcore',
    'GET /partitions/on/sys/..%2fproc%2fvmcore',
    400,
    /^path: \*: a path must be names .*; found "\.\.\/proc\/vmcore"$/,
  ],
  ['a limit of 0', 'GET /events?limit=0', 400, /^query: limit: .*>=1; found "0"$/],
  ['a limit that is none', 'GET /events?limit=x', 400, /^query: limit: .*number.*; found "x"$/],
  ['an unknown query', 'GET /events?colour=red', 400, /^query: Unrecognized key: "colour"$/],
]

const states: readonly RefusedRow[] = [
  [
    'crashing what is off',
    'POST /partitions/off/crash',
    409,
    /^partition off is not-activated: no kernel/,
    {},
  ],
  [
    'dumping it',
    'POST /partitions/off/dump-restart',
    409,
    /^partition off is not-activated; a system reset/,
  ],
  [
    'restarting it',
    'POST /partitions/off/restart',
    409,
    /^partition off is not-activated; .*needs it to be/,
  ],
  [
    'shutting it down',
    'POST /partitions/off/shutdown',
    409,
    /^partition off is not-activated: no/,
    {},
  ],
  [
    'powering it off',
    'POST /partitions/off/shutdown',
    409,
    /^partition off is not-activated; .*needs it to be starting or running/,
    { immediate: true },
  ],
  [
    'reading its files',
    'GET /partitions/off/sys/kernel/fadump_enabled',
    409,
    /^partition off is not-acti/,
  ],
  [
    'activating twice',
    'POST /partitions/on/activate',
    409,
    /^partition on is running; .*not-activated$/,
  ],
  [
    'deleting what runs',
    'DELETE /partitions/on',
    409,
    /^partition on is running; deleting .*not-activated$/,
  ],
  [
    'an unknown cause',
    'POST /partitions/on/crash',
    400,
    /cause: .*"sysrq"\|.*; found "rain"$/,
    { cause: 'rain' },
  ],
  [
    'a CPU that is not there',
    'POST /partitions/on/crash',
    422,
    /^CPU 4 of partition on does not/,
    { cpu: 4 },
  ],
  [
    'a CPU that is offline',
    'POST /partitions/on/crash',
    422,
    /^CPU 3 of partition on is offline/,
    { cpu: 3 },
  ],
  ['a CPU below 0', 'POST /partitions/on/crash', 400, /cpu: .*>=0; found -1$/, { cpu: -1 }],
  [
    'a field too many',
    'POST /partitions/on/crash',
    400,
    /Unrecognized key: "why"$/,
    { cpu: 0, why: '' },
  ],
  [
    'a registration of 2',
    'PUT /partitions/on/sys/kernel/fadump_registered',
    422,
    /^\/sys\/kernel\/fadump_registered: .*\(EINVAL\): "2" is neither 0 nor 1$/,
    '2',
  ],
  [
    'registering twice',
    'PUT /partitions/on/sys/kernel/fadump_registered',
    422,
    /^\/sys\/kernel\/fadump_registered: .*\(EINVAL\): it is 1 already$/,
    '1',
  ],
  [
    'a write to what can only be read',
    'PUT /partitions/on/sys/kernel/fadump_enabled',
    403,
    /^\/sys\/kernel\/fadump_enabled: .*\(EACCES\): mode 0444/,
    '1',
  ],
  [
    'a release without a dump',
    'PUT /partitions/on/sys/kernel/fadump_release_mem',
    404,
    /^\/sys\/kernel\/fadump_release_mem: .*\(ENOENT\): not there in the first kernel/,
    '1',
  ],
  [
    'an image that is used',
    'DELETE /images/little',
    409,
    /^partition made starts from image little;/,
  ],
]

function frame(wrong: object): object {
  return { id: 'bad', memoryBytes: 65_536, processors: 1, ...wrong }
}

suite('a refused request says why and leaves nothing behind', () => {
  const room = refusedRoom()
  refusals(room, { bodies, frames, unknown, paths, states })

  test('of two partitions made at once under one id there is one', async () => {
    const make = () =>
      room().api.routes.createPartition({ body: { id: 'twin', memoryBytes: GiB, processors: 2 } })
    const outcomes = await Promise.allSettled([make(), make()])
    assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
    const [refused] = outcomes.filter((outcome) => outcome.status === 'rejected')
    assert.match(String(refused?.reason), /there is a partition twin already/)
  })

  test('a body that ends before its length is no request at all', async () => {
    const before = await room().api.routes.listPartitions({})
    const { port, hostname } = new URL(room().urls.console)
    const socket = createConnection(Number(port), hostname)
    await once(socket, 'connect')
    const head = 'POST /v1/partitions HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n'
    socket.end(`${head}{"id":"bad","memoryBytes":65536`)
    await once(socket.resume(), 'close')
    assert.deepEqual(await room().api.routes.listPartitions({}), before)
  })
})
