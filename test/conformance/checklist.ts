/**
 * The conformance checklist: every claim about the mechanism that the project makes or means to make. Rows up to C139
 * have a check in checks/, which runs in every cell that the row names; rows about whole systems are proved by tests
 * whose titles start with their id. `docs/confidence.md` is made from this table, the checks and those titles. Ids are
 * never reused, rows never removed.
 */
import { cells, type Cell } from './given.ts'
import { notYet } from './not-yet.ts'

/** Where a claim holds: on all, with one kernel profile, one firmware personality, or both given; `hmc`: the console. */
const scopes: Readonly<Record<string, Partial<Cell>>> = {
  all: {},
  v5: { profile: 'v5' },
  modern: { profile: 'modern' },
  papr: { firmware: 'papr' },
  qemu: { firmware: 'qemu' },
  'v5/papr': { profile: 'v5', firmware: 'papr' },
  hmc: {},
}

export interface ChecklistRow {
  readonly id: string
  readonly area: string
  readonly cells: readonly Cell[]
  readonly source: string
  readonly statement: string
  /** Why the row is not run in every cell; absent when it is, or when the statement itself names the cells. */
  readonly narrowed: string | undefined
  /** Why nothing proves the row yet. A row has a proof or this, never both, never neither. */
  readonly notYet: string | undefined
}

/** Reasons of rows that leave cells out. */
const narrowed: Readonly<Record<string, string>> = {
  C018: 'QEMU does not compare lengths',
  C019: 'QEMU has no such bound',
  C024: 'under QEMU the partition ends',
  C026: 'QEMU never dumps by itself',
  C027: 'QEMU never dumps by itself',
  C039: 'QEMU has other flags for some of these',
  C063: 'QEMU writes what it has, whatever was asked for',
  C107: 'modern builds the header itself, in the capture kernel: nobody else can spoil it',
  C134: 'the example is one of PHYP; QEMU has other sizes',
}

/** One claim a line: id, scope, source, statement. */
const claims: Readonly<Record<string, string>> = {
  'Device tree': `
C001 all     [LOPAPR; Linux 3.4] Without the dump option /rtas has none of the four properties, and the kernel does not support dumps
C002 all     [LOPAPR] ibm,configure-kernel-dump is exactly 4 bytes, big-endian
C003 all     [LOPAPR R-7] ibm,configure-kernel-dump-sizes is a multiple of 12 bytes and states types 1 and 2
C004 all     [Linux 3.4] A stated size is (high << 32) | low; unknown types are ignored; without the property sizes are 0
C005 all     [app_papr_binding; QEMU] ibm,configure-kernel-dump-version is the 4 bytes 00 01 00 01; QEMU swaps them
C006 all     [LOPAPR R-3; QEMU] ibm,kernel-dump is absent unless a dump waits, and then 40 + 40·n bytes long
C007 all     [Linux rtas.c] ibm,extended-os-term stands beside C002; without it a crash takes no dump`,
  RTAS: `
C010 all     [QEMU] ibm,configure-kernel-dump with other than 3 arguments and 1 result is refused with −3
C011 all     [LOPAPR] Registering a valid dump memory structure gives 0, and the partition is registered
C012 all     [LOPAPR table] Registering twice gives −9
C013 all     [LOPAPR table] Registering or unregistering while a dump is active gives −10
C014 all     [QEMU] An unknown command gives −3
C015 all     [QEMU] A format version other than 1 gives −3
C016 all     [QEMU; LOPAPR] More than 10 sections give −3; 10 are accepted
C017 all     [QEMU; LOPAPR R-2] A structure outside the real mode area, at address 0 or shorter than 40 bytes gives −3
C018 papr    [Linux 6.10] A length other than 40 + 40·n gives −3
C019 papr    [LOPAPR] A structure longer than 512 bytes gives −3
C020 all     [QEMU] What the partition does to its structure after registering has no effect on the dump
C021 all     [QEMU] Invalidating an active dump gives 0, and the next boot has no ibm,kernel-dump
C022 all     [LOPAPR; QEMU] Invalidating without an active dump gives −3 and keeps the registration; QEMU gives 0 and drops it
C023 all     [Linux rtas.c] −2 and 9900 to 9905 are retried after 1, 1, 10, 100, 1,000, 10,000 and 100,000 ms, without limit
C024 papr    [LOPAPR] ibm,os-term without a registration returns 0
C025 all     [LOPAPR R-3, R-6] ibm,os-term with one does not return; memory above boot memory changes in the destinations only
C026 papr    [LOPAPR R-3] A system reset without interlock takes a dump even if the operating system never runs
C027 papr    [LOPAPR] max_time_auto 0 means no dump by time
C028 all     [LOPAPR R-9] After the platform has dropped a registration ibm,os-term behaves as if there had been none`,
  'Dump memory structure': `
C030 all     [LOPAPR; Linux 3.4] Header and section are 40 bytes each, big-endian, fields at the listed offsets
C031 all     [Linux 3.4] The first section lies at offset 0x28
C032 v5      [Linux 3.4] Exactly 3 sections, CPU state, HPTE, real mode region; 160 bytes
C033 modern  [Linux 6.10] CPU state, HPTE, 1 to 7 real mode regions, then parameters; to unregister or invalidate, 440 bytes
C034 all     [Linux 3.4] Disk dump fields and max_time_auto are 0; every section asks to be copied
C035 v5      [Linux 3.4] Destinations follow each other without a gap
C036 modern  [Linux 5.19] The real mode region's destination is page aligned
C037 all     [LOPAPR; QEMU] A section that does not ask to be copied is passed over: no error, nothing dumped
C038 all     [LOPAPR; QEMU] An unknown section type sets error 0x8000; the other sections are processed
C039 papr    [LOPAPR] Bad source 0x4000, too long 0x2000, bad destination 0x1000, destination too small 0x0800
C040 all     [QEMU; Linux 6.10] After a good dump the status is 0xC000 and every section is dumped to its full length
C041 all     [LOPAPR; QEMU] A failed section also sets 0x2000 in the header; QEMU loses it
C042 all     [QEMU] A section whose source is its destination is not copied and counts as dumped`,
  'Register save area': `
C050 all     [LOPAPR H.1; Linux 3.4] The magic is 0x5245475341564500; with another one the dump is rejected
C051 all     [LOPAPR H.1; QEMU] The number of CPUs is found by its offset: 0x1C under PAPR, 0x10 under QEMU; entries follow
C052 all     [LOPAPR H.1; QEMU] The number of CPUs counts those online when the dump began; under QEMU all there are
C053 all     [LOPAPR H.1] Each CPU is CPUSTRT to CPUEND, its logical id in the low 32 bits of both
C054 all     [LOPAPR H.1] Register identifiers are ASCII, left-justified, padded with NUL
C055 all     [LOPAPR H.1] Groups of general purpose registers are ascending and contiguous
C056 all     [Linux 3.4] Unknown identifiers are passed over without an error
C057 all     [Linux 3.4] A general purpose register above 31 is ignored
C058 all     [Linux 3.4] Without CPUSTRT the area is rejected and the notes buffer freed
C059 all     [own bound] Without CPUEND the error is bounded
C060 all     [Linux 3.4] A CPU that is not in the mask gets no note
C061 all     [Linux 3.4] The crashing CPU's note comes from the crash info header, not from firmware
C062 all     [Linux 3.4, 5.19] With crashing CPU 0xffffffff, v5 writes no notes and modern those of all CPUs in the area
C063 papr    [LOPAPR; QEMU] The area fits its section; the writer never overruns it`,
  Reservation: `
C070 v5      [Linux 3.4] 4 GiB give 0x14000000 bytes of boot memory
C071 v5      [Linux 3.4] 2 GiB give 0x14000000 bytes of boot memory
C072 v5      [Linux 3.4] 1 TiB gives 0xcc0000000 bytes of boot memory
C073 v5      [Linux 3.4] 9.99 GiB give 320 MiB, 10 GiB give 512 MiB
C074 all     [Linux 3.4, 6.10] A real mode area of 512 MiB raises boot memory of v5 to 576 MiB, one of 1 GiB to 1,088 MiB; modern does not look at it
C075 all     [Linux 3.4, 6.10] fadump_reserve_mem= is taken as it is (v5), or refused below 320 MiB (modern)
C076 v5      [kernel documentation] With the floor before v5 the example of the kernel documentation comes out: base 0x6ffb0000
C077 v5      [Linux 3.4] The area is page aligned and ends at the top of memory or at the memory limit
C078 v5      [Linux 3.4] mem= grows by the area, up to the end of memory
C079 modern  [Linux 6.10] crashkernel= is capped at a quarter of memory, with a message
C080 modern  [Linux 6.10] The offset in crashkernel= is ignored
C081 modern  [Linux 6.10; QEMU] The area is the page-aligned CPU and HPTE sizes, boot memory and 680 bytes
C082 modern  [Linux 6.10] The area lies above boot memory and avoids reserved ranges; without room fadump is disabled
C083 all     [Linux 3.4, 6.10] With fadump there is no crashkernel reservation
C084 all     [Linux 3.4, 6.10] While a dump is active boot memory has the size that was registered
C085 all     [Linux 3.4, 6.10] The capture kernel reserves everything above boot memory
C086 modern  [Linux 4.20] The area is CMA unless nocma is given; its pages are not in the dump
C087 modern  [Linux 6.10] More than 7 regions of boot memory are refused`,
  Crash: `
C090 all     [Linux traps.c] An oops on a registered partition takes a dump, whatever panic_on_oops says
C091 all     [Linux setup-common.c] A panic takes a dump, with its message behind "OS panic: "
C092 all     [Linux 3.4] CPU, registers, mask and vmcoreinfo are written before ibm,os-term
C093 modern  [Linux 4.10] A second crashing CPU spins until the registration is gone
C094 all     [Linux 3.4, 6.10] The crash info header is FADMPINF (v5) or FADMPSIG version 1 (modern), in the kernel's byte order
C095 modern  [Linux 6.10] Old, swapped and corrupt magic and another size are rejected, each with its own message
C096 v5      [Linux 3.4] Anything but FADMPINF is rejected
C097 modern  [Linux 5.19] After a system reset the first CPU waits up to 500 ms for the others`,
  'ELF core': `
C100 all     [Linux 3.4, 6.10] The core is ET_CORE for machine 21, two notes and the loads; e_flags 0, 1 or 2 by profile
C101 all     [Linux 3.4] The first note is patched to the notes buffer, the second relocated into the preserved copy
C102 all     [Linux 3.4, 5.19] The first load is boot memory: physical address 0, read from the preserved copy
C103 all     [Linux 3.4] Other loads lie at their own address; the reserved area is never among them
C104 all     [Linux 3.4, 6.10] v5 freezes the ranges at registration; modern takes those of the capture
C105 all     [Linux 3.4] A CPU note is 524 bytes with pr_pid 0; the buffer is page aligned and ends with 12 zero bytes
C106 all     [Linux fs/proc/vmcore.c] /proc/vmcore has one merged note first and gives the first kernel's low memory
C107 v5      [Linux fs/proc/vmcore.c] A bad ELF header means no /proc/vmcore
C108 all     [Linux fs/proc/vmcore.c] /proc/vmcore has mode 0400
C109 modern  [Linux fs/proc/vmcore.c] Offsets in /proc/vmcore are page aligned, so that it can be mapped`,
  'Validation and release': `
C110 all     [Linux 3.4, 6.10] Errors of CPU state or real mode region, or a short one, reject the dump and free its memory
C111 all     [Linux 3.4, 6.10] An HPTE error is accepted by v5 and rejected by modern
C112 all     [Linux 3.4, 6.10] A short CPU state is accepted by v5 and rejected by modern
C113 v5      [Linux 3.4] Status 0x2000 alone is rejected; together with other bits it is overlooked
C114 modern  [Linux 6.10] Bad parameters and unknown sections cost a warning, not the dump
C115 all     [Linux 3.4] Release removes the vmcore, invalidates the dump and frees the memory
C116 all     [Linux 3.4] After a release the partition registers again without a reboot
C117 all     [Linux 3.4] A second release is refused with EPERM
C118 v5      [Linux 3.4] When firmware refuses to invalidate, memory is freed and the dump stays active
C119 all     [LOPAPR R-3; Linux 3.4] The dump outlives a reboot of the capture kernel; an orderly shutdown invalidates it
C120 all     [Linux 3.4, 4.18] At shutdown or kexec v5 leaves a registration, modern takes it back`,
  sysfs: `
C130 v5      [Linux 3.4] The files under /sys/kernel have their modes; the release file exists in a capture boot only
C131 all     [Linux 3.4, 6.10] Every row of the errno table
C132 all     [Linux 3.4, 6.10] "1junk" is accepted by v5 and refused by modern
C133 all     [Linux 3.4] Reads give a number and a newline
C134 v5/papr [kernel documentation] fadump_region is the kernel documentation's example, byte for byte, in both boots
C135 all     [Linux 3.4, 6.10] While fadump is not enabled fadump_region is empty (modern) or not there (v5)
C136 modern  [Linux 5.10, 6.10] The old names are links; mem_reserved is decimal; hotplug_ready is 1
C137 modern  [Linux 6.10] bootargs_append has limits, survives the crash and reaches the capture kernel
C138 all     [Linux 3.4] Concurrent writers are served one by one; two releases invalidate once
C139 modern  [Linux 4.20] Memory that the dump needs cannot be removed while registered`,
  Systems: `
C150 v5      [series cover letter] 4 GiB/8, 2 GiB/20 and 1 TiB/896 CPUs register, crash, capture over the network and release
C151 v5      [series cover letter] With the 256 MiB floor network capture runs out of memory loading modules, local capture passes
C152 modern  [kdump-utils] What a capture needs grows with CPUs and memory; nr_cpus= takes the CPUs out
C153 all     [kdump-utils] Bringing up all network adapters instead of one changes the outcome
C154 all     [Linux 3.4] After running out of memory a firmware reboot offers the dump again, a clean one does not
C155 all     [Linux 3.4] 896 online CPUs give 896 notes; offline CPUs are absent`,
  Console: `
C160 hmc     [IBM HMC documentation] Dump restart on a registered partition takes a dump, on another it is a plain restart
C161 hmc     [IBM HMC documentation] Immediate restart and shutdown never produce a dump
C162 hmc     [LOPAPR os-term R-4] The partition is running again after the capture without an operator`,
}

export const checklist: readonly ChecklistRow[] = Object.entries(claims).flatMap(([area, text]) =>
  text
    .trim()
    .split('\n')
    .map((line) => parseClaim(area, line)),
)

function parseClaim(area: string, line: string): ChecklistRow {
  const claim = /^(C\d{3}) (\S+) +\[(.+?)\] (.+)$/.exec(line)
  const [, id = '', word = '', source = '', statement = ''] = claim ?? []
  const scope = scopes[word]
  if (scope === undefined) throw new Error(`not a claim: ${line}`)
  const { profile, firmware } = scope
  const isIn = (cell: Cell) =>
    (profile ?? cell.profile) === cell.profile && (firmware ?? cell.firmware) === cell.firmware
  return {
    id,
    area,
    cells: cells.filter(isIn),
    source,
    statement,
    narrowed: narrowed[id],
    notYet: notYet.get(id),
  }
}

/** Areas whose rows need more than one partition on one bench. */
const systemAreas: readonly string[] = ['Systems', 'Console']

/** Whether the row must have a check of its own (C001–C139). */
export function needsCheck({ area }: Pick<ChecklistRow, 'area'>): boolean {
  return !systemAreas.includes(area)
}

export function rowsIn(cell: Cell, rows: readonly ChecklistRow[]): readonly ChecklistRow[] {
  return rows.filter((row) => row.cells.includes(cell))
}
