/** Bugs in what both sides of the dump agree on: structures, plans, checks. */
import { mutantsOf } from '../mutant.ts'

const room = 'packages/shared/src/fadump'

export const fadumpMutants = mutantsOf([
  {
    file: `${room}/crash-memory-ranges.ts`,
    tests: [`${room}/crash-memory-ranges.test.ts`],
    bugs: [
      {
        name: 'v5-boot-chunk-not-relocated',
        what: 'the boot chunk of 3.4 points to the overwritten original instead of the copy',
        find: 'savedAt: range.start === 0n ? input.bootDestination : range.start',
        replace: 'savedAt: range.start',
      },
      {
        name: 'relocation-one-byte-too-far',
        what: 'the first byte behind a boot memory region is relocated too',
        find: 'address >= region.start && address < region.end',
        replace: 'address >= region.start && address <= region.end',
      },
      {
        name: 'later-boot-regions-share-one-copy',
        what: 'every boot memory region is read from the copy of the first',
        find: 'savedAt = realAddress(savedAt + rangeLength(range))',
        replace: 'savedAt = realAddress(savedAt)',
      },
      {
        name: 'relocation-forgets-earlier-regions',
        what: 'an address in a later boot region is relocated as if that region came first',
        find: 'realAddress(input.bootDestination + savedBefore + (address',
        replace: 'realAddress(input.bootDestination + (address',
      },
      {
        name: 'v5-dumps-the-dump-area',
        what: 'the reserved dump area becomes a PT_LOAD of 3.4',
        find: 'ranges.push(...subtract(rest, input.area))',
        replace: 'ranges.push(rest)',
      },
      {
        name: 'stale-range-list',
        what: 'memory regions from before boot memory was taken off stand in the list again',
        find: '.flatMap((region) => subtract(region, memoryRange(0n, top)))',
        replace: '.flatMap((region) => [region])',
      },
    ],
  },
  {
    file: `${room}/dump-memory-structure.ts`,
    tests: [`${room}/dump-memory-structure.test.ts`],
    bugs: [
      {
        name: 'first-section-offset',
        what: 'sections are read eight bytes too far behind the header',
        find: 'firstDumpSectionOffset = 0x28',
        replace: 'firstDumpSectionOffset = 0x30',
      },
      {
        name: 'section-endianness',
        what: 'section descriptors are written little-endian',
        find: "dumpSectionLayout.encode(section, 'big')",
        replace: "dumpSectionLayout.encode(section, 'little')",
      },
      {
        name: 'eleventh-section',
        what: 'a structure may have eleven sections',
        find: 'export const dumpSectionsMax = 10',
        replace: 'export const dumpSectionsMax = 11',
      },
    ],
  },
  {
    file: `${room}/compose-registration.ts`,
    tests: [`${room}/compose-registration.test.ts`],
    bugs: [
      {
        name: 'boot-destination-not-page-aligned',
        what: 'the modern copy of boot memory does not begin on a page',
        find: '? alignUp(afterFirmwareData, profile.pageSize)',
        replace: '? afterFirmwareData',
      },
      {
        name: 'request-flag-dropped',
        what: 'sections are registered without request_flag, so firmware skips them',
        find: 'requestFlag: dumpRequestFlag,',
        replace: 'requestFlag: 0,',
      },
      {
        name: 'boot-regions-on-one-destination',
        what: 'all boot memory regions have one destination and overwrite each other',
        find: 'target += length',
        replace: 'target += 0n',
      },
    ],
  },
  {
    file: `${room}/preserve-plan.ts`,
    tests: [`${room}/preserve-plan.test.ts`],
    bugs: [
      {
        name: 'triggered-flag-dropped',
        what: 'dump_status_flag says performed, but not triggered',
        find: 'dumpStatusFlag.performed | dumpStatusFlag.triggered |',
        replace: 'dumpStatusFlag.performed |',
      },
      {
        name: 'only-the-last-error-flag',
        what: 'of several errors of a section only the last one is told',
        find: '(flags, row) => flags | row.flag',
        replace: '(_flags, row) => row.flag',
      },
      {
        name: 'last-byte-of-memory-refused',
        what: 'a section that ends exactly with partition memory counts as too long',
        find: 'address < request.partitionSize && address + length > request.partitionSize',
        replace: 'address < request.partitionSize && address + length >= request.partitionSize',
      },
      {
        name: 'error-stops-the-section-only-in-words',
        what: 'a section with an error is copied all the same',
        find: 'if (errorFlags !== 0) return { ...skipped, errorFlags }',
        replace: '',
      },
    ],
  },
  {
    file: `${room}/validate-registration.ts`,
    tests: [`${room}/validate-registration.test.ts`],
    bugs: [
      {
        name: 'structure-at-the-end-of-the-rma',
        what: 'a structure that ends exactly with the real mode area is refused',
        find: 'BigInt(address + length) > rmaSize',
        replace: 'BigInt(address + length) >= rmaSize',
      },
      {
        name: 'results-taken-from-the-kernel',
        what: 'error flags and bytes dumped are what the kernel wrote into them',
        find: 'sections.map((section) => ({ ...section, errorFlags: 0, bytesDumped: 0n }))',
        replace: 'sections',
      },
      {
        name: 'length-not-compared-with-sections',
        what: 'a length that names another number of sections is accepted',
        find: 'BigInt(length) !== dumpStructureLength(header.dumpNumSections)',
        replace: 'BigInt(length) < dumpStructureLength(header.dumpNumSections)',
      },
    ],
  },
  {
    file: `${room}/firmware-personalities.ts`,
    tests: [`${room}/register-save-area.test.ts`],
    bugs: [
      {
        name: 'num-cpus-offset',
        what: 'the register save area of PAPR has its CPU count at 0x18',
        find: 'numCpusOffset: 0x1c',
        replace: 'numCpusOffset: 0x18',
      },
    ],
  },
  {
    file: `${room}/register-identifiers.ts`,
    tests: [`${room}/register-identifiers.test.ts`],
    bugs: [
      {
        name: 'register-id-without-leading-zero',
        what: 'GPR5 is written where the table has GPR05',
        find: "Array.from({ length: count }, (_, index) => String(index).padStart(2, '0'))",
        replace: 'Array.from({ length: count }, (_, index) => String(index))',
      },
      {
        name: 'wrong-register-id',
        what: 'PMC6 has the identifier that its misprinted name spells',
        find: 'PMC5 PMC6 PURR',
        replace: 'PMC5 PIMC6 PURR',
      },
      {
        name: 'register-table-order',
        what: 'SRR0 and SRR1 have changed places in the table',
        find: 'SPURR SRR0 SRR1 TB',
        replace: 'SPURR SRR1 SRR0 TB',
      },
    ],
  },
  {
    file: `${room}/register-save-area.ts`,
    tests: [`${room}/register-save-area.test.ts`],
    bugs: [
      {
        name: 'cpuend-missing',
        what: 'the registers of a CPU do not end with CPUEND',
        find: 'return writeEntry(view, offset, [cpuEndId, BigInt(saved.cpu)])',
        replace: 'return offset',
      },
    ],
  },
  {
    file: `${room}/pt-regs.ts`,
    tests: [`${room}/pt-regs.test.ts`],
    bugs: [
      {
        name: 'gpr-order-reversed',
        what: 'GPR00 lands where pt_regs has gpr31',
        find: 'return index <= 31 ? index : undefined',
        replace: 'return index <= 31 ? 31 - index : undefined',
      },
      {
        name: 'gpr31-lost',
        what: 'GPR31 counts as no general purpose register',
        find: 'return index <= 31 ? index : undefined',
        replace: 'return index < 31 ? index : undefined',
      },
      {
        name: 'link-register-in-ctr',
        what: 'LR is taken for CTR',
        find: "['LR', ptRegsIndex.link]",
        replace: "['LR', ptRegsIndex.ctr]",
      },
    ],
  },
  {
    file: `${room}/crash-info-header.ts`,
    tests: [`${room}/crash-info-header.test.ts`],
    bugs: [
      {
        name: 'crash-header-magic-swapped',
        what: 'the magic of the crash info header is written byte by byte the other way round',
        find: 'magicNumber: crashInfoMagic[header.format],',
        replace: 'magicNumber: swap64(crashInfoMagic[header.format]),',
      },
      {
        name: 'cpumask-bit-order',
        what: 'CPU 0 is the highest bit of a cpumask word',
        find: '| (1n << BigInt(cpu % 64)), little)',
        replace: '| (1n << BigInt(63 - (cpu % 64))), little)',
      },
    ],
  },
  {
    file: `${room}/dump-checks.ts`,
    tests: [`${room}/process-dump.test.ts`],
    bugs: [
      {
        name: 'modern-accepts-hpte-error',
        what: '6.10 accepts a dump whose HPTE section has an error',
        find: '  sectionType.hpte,\n',
        replace: '',
      },
      {
        name: 'modern-accepts-short-cpu-state',
        what: '6.10 accepts a CPU state section that was dumped in part',
        find: 'const isShort = section.bytesDumped !== section.sourceLength',
        replace:
          'const isShort = section.sourceDataType !== 1 && section.bytesDumped !== section.sourceLength',
      },
      {
        name: 'v5-believes-the-error-bit',
        what: '3.4 rejects 0xe000, which in life passes its comparison with 0x2000',
        find: 'statusFlag === dumpStatusFlag.error',
        replace: '(statusFlag & dumpStatusFlag.error) !== 0',
      },
    ],
  },
  {
    file: `${room}/process-dump.ts`,
    tests: [`${room}/process-dump.test.ts`],
    bugs: [
      {
        name: 'offline-cpu-noted',
        what: 'a CPU outside the mask of the header gets an NT_PRSTATUS',
        find: 'if (!header.cpuMask.has(cpu)) continue',
        replace: '',
      },
      {
        name: 'crashing-cpu-from-firmware',
        what: 'the crashing CPU has the registers it held in ibm,os-term, not those of the crash',
        find: 'const ptRegs = isCrashing ? header.registers :',
        replace: 'const ptRegs =',
      },
    ],
  },
  {
    file: `${room}/kernel-profiles.ts`,
    tests: [`${room}/reserve-lowest.test.ts`],
    bugs: [
      {
        name: 'modern-floor-256-mib',
        what: 'boot memory of a modern kernel may be as small as 256 MiB',
        find: 'bootMemoryMin: byteLength(320n * MiB)',
        replace: 'bootMemoryMin: byteLength(256n * MiB)',
      },
    ],
  },
  {
    file: `${room}/kernel-profiles.ts`,
    tests: [`${room}/reserve-top.test.ts`],
    bugs: [
      {
        name: 'v5-network-allowance',
        what: 'the floor of v5 leaves out the 64 MiB for network modules',
        find: 'networkAllowance: byteLength(64n * MiB)',
        replace: 'networkAllowance: byteLength(0n * MiB)',
      },
    ],
  },
  {
    file: `${room}/kernel-arguments.ts`,
    tests: [`${room}/kernel-arguments.test.ts`],
    bugs: [
      {
        name: 'mem-ignored',
        what: 'mem= sets no limit',
        find: 'draft.memoryLimit = byteLength(BigInt.asUintN(64, limit))',
        replace: 'void limit',
      },
      {
        name: 'nocma-forgotten',
        what: 'fadump=nocma leaves the area to the contiguous memory allocator',
        find: 'draft.isCmaAllowed &&= row.isCmaAllowed ?? true',
        replace: '',
      },
    ],
  },
  {
    file: `${room}/reserve-top.ts`,
    tests: [`${room}/reserve-top.test.ts`],
    bugs: [
      {
        name: 'area-beyond-mem',
        what: 'the area goes to the end of memory although mem= ends below',
        find: 'const boundary = memoryLimit === 0n ? end : memoryLimit',
        replace: 'const boundary = end',
      },
      {
        name: 'area-not-page-aligned',
        what: 'the length of the v5 area is not rounded to pages',
        find: 'alignUp(cpuStateSize + hpteSize + bootMemorySize + headers, profile.pageSize)',
        replace: 'cpuStateSize + hpteSize + bootMemorySize + headers',
      },
    ],
  },
  {
    file: `${room}/reserve-lowest.ts`,
    tests: [`${room}/reserve-lowest.test.ts`, `${room}/reserve-lowest-capture.test.ts`],
    bugs: [
      {
        name: 'area-over-reserved-ranges',
        what: 'the area is laid over memory that is taken already',
        find: 'const obstacle = occupied.find((range) => overlaps(range, place))',
        replace:
          'const obstacle = occupied.find((range) => range.end < place.start && overlaps(range, place))',
      },
      {
        name: 'crashkernel-cap',
        what: 'crashkernel= may take half of memory',
        find: 'bootMemoryRatioMax = 4n',
        replace: 'bootMemoryRatioMax = 2n',
      },
      {
        name: 'capture-reserves-nothing-above-holes',
        what: 'the capture kernel protects only the first region above boot memory',
        find: 'const preserved = memoryRegions.flatMap(',
        replace: 'const preserved = memoryRegions.slice(0, 1).flatMap(',
      },
    ],
  },
])
