/**
 * The scenarios of a soak as a table: what is done to a partition before and at its crash, and what has to come of it. The
 * cases of op-test (open-power/op-test, testcases/PowerNVDump and OpTestKernelTest) are named where they have one.
 */
import type { KernelProfileName } from './partition.ts'

/** `fadump` took the dump; `kdump`: it would have been kexec's, which is not there; `none`: nothing would have. */
export type SoakMechanism = 'fadump' | 'kdump' | 'none'

export interface SoakScenarioRow {
  /** The class of op-test; absent where op-test has nothing like it. */
  readonly opTest?: string
  readonly does: string
  readonly expects: 'dump' | 'no dump'
  readonly mechanism: SoakMechanism
  /** Kernels that it is made for; default: all. */
  readonly profiles?: readonly KernelProfileName[]
  /** How often it is drawn, against the 4 of an ordinary row. */
  readonly weight?: number
}

export const soakScenarios = {
  plain: {
    opTest: 'common procedure',
    does: 'Crash the partition as it runs',
    expects: 'dump',
    mechanism: 'fadump',
    weight: 24,
  },
  'register-again': {
    opTest: 'KernelCrash_FadumpEnable',
    does: 'Write 0 and 1 to fadump_registered, read both back, crash',
    expects: 'dump',
    mechanism: 'fadump',
  },
  'off-and-on': {
    opTest: 'KernelCrash_FadumpEnable',
    does: 'Boot with fadump=off, then with fadump=on, crash',
    expects: 'dump',
    mechanism: 'fadump',
    weight: 2,
  },
  'dump-restart': {
    opTest: 'KernelCrash_KdumpSMT, second half',
    does: 'Dump restart from the console instead of a crash of the kernel',
    expects: 'dump',
    mechanism: 'fadump',
  },
  'cpus-offline': {
    opTest: 'KernelCrash_KdumpSMT',
    does: 'Take all CPUs but some offline, crash: one note for each that is left',
    expects: 'dump',
    mechanism: 'fadump',
  },
  'smt-mode': {
    opTest: 'KernelCrash_KdumpSMT',
    does: 'Leave one, two or four threads of each core online, crash: one note for each thread',
    expects: 'dump',
    mechanism: 'fadump',
  },
  'processors-removed': {
    opTest: 'KernelCrash_KdumpDLPAR',
    does: 'Remove processors by DLPAR, now and then add one again, crash: one note for each that is there',
    expects: 'dump',
    mechanism: 'fadump',
    profiles: ['modern'],
  },
  'memory-added': {
    opTest: 'KernelCrash_KdumpDLPAR',
    does: 'Add a block of memory by DLPAR, wait for the registration, crash: the block is in the dump',
    expects: 'dump',
    mechanism: 'fadump',
  },
  'memory-removed': {
    opTest: 'KernelCrash_KdumpDLPAR',
    does: 'Add a block of memory by DLPAR and remove it again, crash: it is not in the dump',
    expects: 'dump',
    mechanism: 'fadump',
  },
  workload: {
    opTest: 'KernelCrash_KdumpWorkLoad',
    does: 'Crash while user space rewrites its memory: the dump holds one moment of it',
    expects: 'dump',
    mechanism: 'fadump',
    weight: 8,
  },
  nocma: {
    opTest: 'KernelCrash_FadumpNocma',
    does: 'Boot with fadump=nocma, crash',
    expects: 'dump',
    mechanism: 'fadump',
    profiles: ['modern'],
  },
  'cma-lines': {
    opTest: 'OpTestFadumpCmaCheck',
    does: 'Read the log: neither "Failed to init cma area" nor "pageblock_order not yet initialized"; crash',
    expects: 'dump',
    mechanism: 'fadump',
    weight: 2,
  },
  'bootargs-append': {
    opTest: 'KernelCmdlineParamTest',
    does: 'Write arguments to bootargs_append, crash: the capture kernel has them on its command line',
    expects: 'dump',
    mechanism: 'fadump',
    profiles: ['modern'],
  },
  'junk-value': {
    opTest: 'KernelCrash_FadumpJunkValue',
    does: 'Boot with fadump=xyz, crash',
    expects: 'no dump',
    mechanism: 'kdump',
    weight: 2,
  },
  'off-value': {
    opTest: 'KernelCrash_FadumpOffValue',
    does: 'Boot with fadump=off and a crashkernel= area, crash',
    expects: 'no dump',
    mechanism: 'kdump',
    weight: 2,
  },
  'service-off': {
    opTest: 'KernelCrash_DisableAll',
    does: 'Boot without the dump service, crash: a plain restart',
    expects: 'no dump',
    mechanism: 'none',
    weight: 2,
  },
  'low-memory': {
    opTest: 'OpTestLowCrashkernelKdump',
    does: 'Reserve too little memory for a network dump, crash: the capture kernel runs out of memory and reboots',
    expects: 'no dump',
    mechanism: 'fadump',
    weight: 2,
  },
  threads: {
    opTest: 'KernelCrash_FadumpMultiThreadCheck',
    does: 'Ask for more threads than nr_cpus= allows, crash: the capture has as many as CPUs',
    expects: 'dump',
    mechanism: 'fadump',
    profiles: ['modern'],
    weight: 2,
  },
  'watchdog-dump': {
    opTest: 'OpTestWatchdog, action 2',
    does: 'A watchdog that dumps: hard lockup',
    expects: 'dump',
    mechanism: 'fadump',
    weight: 2,
  },
  'watchdog-restart': {
    opTest: 'OpTestWatchdog, action 1',
    does: 'A watchdog that restarts: the partition runs again, without a dump',
    expects: 'no dump',
    mechanism: 'none',
    weight: 1,
  },
  'watchdog-off': {
    opTest: 'OpTestWatchdog, action 0',
    does: 'A watchdog that powers off: the partition is not activated, without a dump',
    expects: 'no dump',
    mechanism: 'none',
    weight: 1,
  },
  kill: {
    does: 'The hypervisor ends the partition without its kernel: firmware dumps alone',
    expects: 'dump',
    mechanism: 'fadump',
    weight: 2,
  },
  'second-dump-restart': {
    does: 'A dump restart while the first dump is being captured: the first failure is kept',
    expects: 'dump',
    mechanism: 'fadump',
    weight: 2,
  },
  'crash-in-capture': {
    does: 'The capture kernel crashes: the dump stays with the firmware, the next capture kernel saves it',
    expects: 'dump',
    mechanism: 'fadump',
    weight: 2,
  },
  'power-off-in-capture': {
    does: 'Power off while the dump is being captured: the memory is gone, and it is on record',
    expects: 'no dump',
    mechanism: 'fadump',
    weight: 1,
  },
  'while-registering': {
    does: 'Crash while user space unregisters and registers: a whole dump, or none and a restart',
    expects: 'dump',
    mechanism: 'fadump',
    weight: 2,
  },
  migrated: {
    does: 'Live migration, which drops the registration, user space registers again, crash',
    expects: 'dump',
    mechanism: 'fadump',
    weight: 1,
  },
} as const satisfies Readonly<Record<string, SoakScenarioRow>>

export type SoakScenarioName = keyof typeof soakScenarios
export const soakScenarioNames = Object.keys(soakScenarios) as SoakScenarioName[]
