/** Bugs in partition memory, on the heap and in Redis. */
import { mutantsOf } from '../mutant.ts'

const room = 'packages/shared/src/store'
const heap = [`${room}/heap-memory-store.test.ts`]
const redis = [`${room}/redis-memory-store.redis.test.ts`]

export const storeMutants = mutantsOf([
  {
    file: `${room}/heap-memory-store.ts`,
    tests: heap,
    bugs: [
      {
        name: 'epoch-fence-dropped',
        what: 'a write of an earlier boot still goes to memory',
        find: 'if (expected !== space.epoch) throw staleEpoch',
        replace: 'if (expected > space.epoch) throw staleEpoch',
      },
      {
        name: 'version-check-dropped',
        what: 'a commit wins although somebody else has committed meanwhile',
        find: 'expect?.version !== undefined && expect.version !== space.version',
        replace: 'expect?.version !== undefined && expect.version > space.version',
      },
      {
        name: 'copy-reads-what-it-wrote',
        what: 'overlapping copies read pages that the same commit has replaced',
        find: 'pages.set(first + page - source, target.pool.share(shared))',
        replace: 'target.table.set(first + page - source, target.pool.share(shared))',
      },
    ],
  },
  {
    file: `${room}/heap/page-table.ts`,
    tests: heap,
    bugs: [
      {
        name: 'reference-not-given-back',
        what: 'a page that is replaced keeps its reference for ever',
        find: 'if (present !== undefined) this.#pool.release(present)',
        replace: '',
      },
    ],
  },
  {
    file: `${room}/change/compose-page.ts`,
    tests: heap,
    bugs: [
      {
        name: 'zero-page-kept',
        what: 'a page of zeros is stored instead of being absent',
        find: 'return isZero(body) ? undefined : body',
        replace: 'return body',
      },
    ],
  },
  {
    file: `${room}/change/page-plan.ts`,
    tests: [`${room}/change/page-plan.test.ts`],
    bugs: [
      {
        name: 'head-of-a-shifted-page-lost',
        what: 'a copy that is not page-aligned forgets the page that ends in a populated one',
        find: 'Math.max(done, source - shift - 1)',
        replace: 'Math.max(done, source - shift)',
      },
    ],
  },
  {
    file: `${room}/lua/write-pages.lua`,
    tests: redis,
    needs: 'redis-server',
    bugs: [
      {
        name: 'redis-epoch-fence-dropped',
        what: 'a write of an earlier boot still goes to memory in Redis',
        find: "if head[2] ~= ARG.epoch then return { 'stale-epoch', head[2] } end",
        replace: '',
      },
    ],
  },
  {
    file: `${room}/lua/commit.lua`,
    tests: redis,
    needs: 'redis-server',
    bugs: [
      {
        name: 'redis-version-check-dropped',
        what: 'a commit in Redis wins although somebody else has committed meanwhile',
        find: "if ARG.version ~= '' and ARG.version ~= head[3] then",
        replace: 'if false then',
      },
    ],
  },
  {
    file: `${room}/lua/lib/page-table.lua`,
    tests: redis,
    needs: 'redis-server',
    bugs: [
      {
        name: 'redis-reference-not-given-back',
        what: 'a page that is replaced in Redis keeps its reference for ever',
        find: 'release(before)',
        replace: '',
      },
    ],
  },
])
