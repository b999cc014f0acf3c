/** The console's answer to a partition that makes no sense: a problem that names the partition, the rule and the value. */
import { suite } from 'node:test'
import { refusals, refusedRoom, wrongPartition, type RefusedRow } from '../support/refused-room.ts'

const GiB = 2 ** 30

/** What is wrong with the partition, the fields that say it, status, what `detail` says. */
const wrongPartitions: readonly (readonly [
  what: string,
  wrong: object,
  status: number,
  detail: RegExp,
])[] = [
  ['memory 0', { memoryBytes: 0 }, 422, /^partition bad: memoryBytes .*64 KiB.*, not 0$/],
  ['1 byte', { memoryBytes: 1 }, 422, /^partition bad: memoryBytes .*64 KiB.*, not 1$/],
  ['65537 bytes', { memoryBytes: 65_537 }, 422, /memoryBytes .*64 KiB.*, not 65537$/],
  ['negative memory', { memoryBytes: -1 }, 400, /memoryBytes: .*>=0; found -1$/],
  ['half a byte', { memoryBytes: 0.5 }, 400, /memoryBytes: .*expected int.*; found 0\.5$/],
  ['2^54 bytes', { memoryBytes: 2 ** 54 }, 400, /memoryBytes: .*<=9007199254740991; found/],
  ['memory as text', { memoryBytes: '1GiB' }, 400, /memoryBytes: .*number.*found "1GiB"$/],
  [
    'more memory than the frame',
    { frame: 'small', memoryBytes: 2 * GiB },
    507,
    /^2 GiB of memory asked for, 1 GiB of frame small are free$/,
  ],
  [
    'more memory than is left of the frame',
    { memoryBytes: 4096 * GiB },
    507,
    /^4 TiB of memory asked for, \d+ GiB of frame server-1 are free$/,
  ],
  ['0 CPUs', { processors: 0 }, 422, /^partition bad: processors .*1 to 4096, not 0$/],
  ['4097 CPUs', { processors: 4097 }, 422, /processors .*1 to 4096, not 4097$/],
  ['no number of CPUs', { processors: null }, 400, /processors: .*number.*; found null$/],
  [
    'more CPUs than the frame',
    { frame: 'small', processors: 5 },
    507,
    /^5 processors asked for, 4 of frame small are free$/,
  ],
  ['an offline CPU 2 of 2', { offlineCpus: [2] }, 422, /offlineCpus .*, not 2 of 2$/],
  ['an offline CPU -1', { offlineCpus: [-1] }, 400, /offlineCpus\/0: .*>=0; found -1$/],
  ['all CPUs offline', { offlineCpus: [0, 1] }, 422, /one CPU must be online, not 2 off/],
  ['offline CPUs as text', { offlineCpus: '1' }, 400, /offlineCpus: .*array.*found "1"$/],
  ['an upper-case id', { id: 'UPPER' }, 400, /id: .*lower-case.*; found "UPPER"$/],
  ['a path as id', { id: '../x' }, 400, /id: .*lower-case letters.*; found "\.\.\/x"$/],
  ['an id of 33 characters', { id: 'a'.repeat(33) }, 400, /id: .*<=32 char.*"a{33}"$/],
  ['an empty id', { id: '' }, 400, /id: .*lower-case letters.*; found ""$/],
  ['an id that begins with a hyphen', { id: '-a' }, 400, /id: .*; found "-a"$/],
  ['no id', { id: undefined }, 400, /id: .*expected string, received undefined$/],
  ['a taken id', { id: 'on' }, 409, /^there is a partition on already$/],
  ['an unknown frame', { frame: 'none' }, 404, /no frame none; there are server-1, small$/],
  ['an unknown image', { image: 'none' }, 404, /^there is no image none$/],
  [
    'an image of the other byte order',
    { image: 'little' },
    422,
    /^partition bad: image little is little-endian, profile v5 is big-endian$/,
  ],
  [
    'less memory than its image',
    { image: 'little', profile: 'modern', memoryBytes: 65_536 },
    422,
    /^partition bad: image little needs 1028 KiB of memory, memoryBytes is 64 KiB$/,
  ],
  [
    'an image of another frame',
    { image: 'little', profile: 'modern', frame: 'small' },
    422,
    /^partition bad: image little is on frame server-1, the partition on small$/,
  ],
  [
    'an unknown firmware',
    { firmware: 'phyp' },
    400,
    /firmware: .*"papr"\|"papr-text"\|"qemu"; found "phyp"$/,
  ],
  ['an unknown profile', { profile: 'v6' }, 400, /profile: .*"v5"\|"modern"; found "v6"$/],
  ['an unknown field', { colour: 'red' }, 400, /^body: Unrecognized key: "colour"$/],
  ['1 byte of RMA', { rmaBytes: 1 }, 422, /^partition bad: rmaBytes .*64 KiB.*, not 1$/],
  ['an RMA of 2 GiB', { rmaBytes: 2 * GiB }, 422, /rmaBytes .*memoryBytes, not 2147483648$/],
  [
    'long boot arguments',
    { bootArguments: 'a'.repeat(2048) },
    400,
    /bootArguments: .*<=2047 characters; found "a+… \(2050 characters\)$/,
  ],
  ['a newline', { bootArguments: 'a\nb' }, 422, /bootArguments must be .*, not "a\\nb"$/],
  [
    'more content than memory',
    { content: { seed: 1, populatedBytes: 2 * GiB } },
    422,
    /^partition bad: content\.populatedBytes must be at most memoryBytes, not 2147483648$/,
  ],
  [
    'a negative seed',
    { content: { seed: -1, populatedBytes: 0 } },
    400,
    /content\/seed: .*>=0; found -1$/,
  ],
  ['dumpOption as text', { dumpOption: 'yes' }, 400, /dumpOption: .*boolean.*found "yes"$/],
]

const partitions = wrongPartitions.map(([what, wrong, status, detail]): RefusedRow => [
  `a partition with ${what}`,
  'POST /partitions',
  status,
  detail,
  wrongPartition(wrong),
])

suite('a partition that cannot be is refused and leaves nothing behind', () => {
  refusals(refusedRoom(), { partitions })
})
