/** Bugs in the account of a capture kernel's memory: in the model, or in the kernel that lives by it. */
import { mutantsOf } from '../mutant.ts'

const model = 'packages/shared/src/capture-memory'
const kernel = 'services/lpar-kernel/src/capture-memory'
const truth = ['test/truth/capture-memory/capture-memory.test.ts']
/** The first of the thousand configurations that crash in a whole room. */
const boundary = ['test/boundary/first-configurations.test.ts']

export const captureMemoryMutants = mutantsOf([
  {
    file: `${model}/phases.ts`,
    tests: truth,
    bugs: [
      {
        name: 'transfer-before-collector',
        what: 'a capture kernel copies the dump before the process that copies it runs',
        find: `  {
    name: 'collector process',
    what: 'most udev workers are gone; makedumpfile with its bitmaps and threads',
    code: 'C',
    failsAs: 'oom kill',
  },
  {
    name: 'transfer',
    what: 'client, socket buffers or write-back, page cache',
    code: 'T',
    failsAs: 'killed in mid-copy',
  },`,
        replace: `  {
    name: 'transfer',
    what: 'client, socket buffers or write-back, page cache',
    code: 'T',
    failsAs: 'killed in mid-copy',
  },
  {
    name: 'collector process',
    what: 'most udev workers are gone; makedumpfile with its bitmaps and threads',
    code: 'C',
    failsAs: 'oom kill',
  },`,
      },
    ],
  },
  {
    file: `${model}/allocate.ts`,
    tests: truth,
    bugs: [
      {
        name: 'model-without-reserve',
        what: 'a rehearsal counts on the pages that must stay free',
        find: 'const isOut = run.inUse + run.reservePages > run.bootPages',
        replace: 'const isOut = run.inUse > run.bootPages',
      },
      {
        name: 'model-never-frees',
        what: 'what a phase leaves behind stays taken in a rehearsal: image, udev workers, keys',
        find: 'run.inUse -= run.amounts[index] ?? 0',
        replace: 'run.inUse -= 0 * index',
      },
    ],
  },
  {
    file: `${model}/minimum.ts`,
    tests: boundary,
    bugs: [
      {
        name: 'minimum-one-too-many',
        what: 'the least boot memory is told 1 MiB too high',
        find: '  return high\n',
        replace: '  return high + 1\n',
      },
    ],
  },
  {
    file: `${model}/steps.ts`,
    tests: boundary,
    bugs: [
      {
        name: 'takes-before-giving',
        what: 'a phase takes its pages before the one before it has given back what it leaves',
        find: '[...given.map(step(-1)), ...taken.map(step(1))]',
        replace: '[...taken.map(step(1)), ...given.map(step(-1))]',
      },
    ],
  },
  {
    file: `${kernel}/capture-life.ts`,
    tests: boundary,
    bugs: [
      {
        name: 'life-without-reserve',
        what: 'a capture kernel lives down to its last page',
        find: 'this.pages.free - pages >= this.reservePages',
        replace: 'this.pages.free - pages >= 0',
      },
      {
        name: 'one-page-short',
        what: 'an allocation that leaves exactly what must stay free fails',
        find: 'this.pages.free - pages >= this.reservePages',
        replace: 'this.pages.free - pages > this.reservePages',
      },
      {
        name: 'life-never-frees',
        what: 'a capture kernel gives nothing back: no image, no udev workers',
        find: 'if (pages < 0) this.pages.give(consumer)',
        replace: 'if (pages < 0) this.pages.heldBy(consumer)',
      },
      {
        name: 'phases-in-a-wrong-order',
        what: 'the network is brought up by a capture kernel before its modules are there',
        find: 'const phase = phaseNames[index]',
        replace: 'const phase = phaseNames[[0, 1, 2, 3, 4, 6, 5][index] ?? index]',
      },
    ],
  },
])
