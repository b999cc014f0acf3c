/**
 * Which room of packages/shared may import which: the one declaration. tidy.test.ts compares it with the imports that
 * the rooms really have; a new edge is a decision and belongs here first. Tests of a room may import any room.
 */
export const roomGraph: Readonly<Record<string, readonly string[]>> = {
  units: [],
  layout: ['units'],
  rtas: ['layout', 'units'],
  hcall: ['units'],
  fadump: ['layout', 'rtas', 'units'],
  fdt: ['layout', 'units'],
  elf: ['layout', 'units'],
  printk: ['elf', 'layout', 'units'],
  'capture-memory': ['units'],
  explain: ['elf', 'fadump', 'fdt', 'layout', 'rtas', 'units'],
  contracts: ['capture-memory', 'units'],
  runtime: ['units'],
  store: ['units'],
  queue: ['contracts', 'runtime', 'telemetry', 'units'],
  telemetry: [],
  identity: ['contracts', 'runtime', 'units'],
  http: ['contracts', 'identity', 'runtime', 'store', 'telemetry', 'units'],
  faults: ['contracts', 'elf', 'http', 'queue', 'runtime', 'store', 'units'],
}

/** Rooms without I/O: oxlint keeps `node:*` and packages out of them; time and randomness stay out as well. */
export const pureRooms: readonly string[] = [
  'units',
  'layout',
  'rtas',
  'hcall',
  'fadump',
  'fdt',
  'elf',
  'printk',
  'capture-memory',
  'explain',
  'contracts',
]

/** Where a TypeScript file may lie. `<room>` stands for a key of the graph, `<part>` for src or test. */
export const places: readonly string[] = [
  'packages/shared/src/<room>/',
  'services/hypervisor/<part>/',
  'services/lpar-kernel/<part>/',
  'services/dump-collector/<part>/',
  'services/hmc-api/<part>/',
  'scripts/',
  'test/bench/',
  'test/conformance/',
  'test/contract/',
  'test/fixtures/',
  'test/mutate/',
  'test/planted/',
  'test/boundary/',
  'test/sequence/',
  'test/simulate/',
  'test/soak/',
  'test/style/',
  'test/support/',
  'test/system/',
  'test/truth/',
  'test/wire/',
]
