/**
 * The conformance checklist: every claim about the mechanism that the project makes or means to make. A row is proved
 * by tests whose titles start with its id; `docs/confidence.md` is made from this table and those titles. Ids are
 * never reused, rows never removed.
 */
import { notYet } from './not-yet.ts'

/** What a claim is about: kernel profiles `v5` and `modern`, firmware personalities, the console, or all of them. */
export const scopes = ['all', 'v5', 'modern', 'firmware', 'qemu', 'hmc'] as const
export type Scope = (typeof scopes)[number]

export interface ChecklistRow {
  readonly id: string
  readonly area: string
  readonly scope: Scope
  readonly statement: string
  /** Why no test proves the row yet. A row has tests or this, never both, never neither. */
  readonly notYet: string | undefined
}

/** One claim a line: id, scope, statement. */
const claims: Readonly<Record<string, string>> = {
  'Device tree': `
C001 firmware Without the dump option /rtas has none of the four properties, and the kernel does not support dumps
C002 firmware ibm,configure-kernel-dump is exactly 4 bytes, big-endian
C003 firmware ibm,configure-kernel-dump-sizes is a multiple of 12 bytes and states types 1 and 2
C004 all      A stated size is (high << 32) | low; unknown types are ignored; without the property sizes are 0
C005 firmware ibm,configure-kernel-dump-version is the 4 bytes 00 01 00 01
C006 firmware ibm,kernel-dump is absent unless a dump waits, and then 40 + 40·n bytes long
C007 firmware ibm,extended-os-term stands beside C002; without it a crash takes no dump`,
  RTAS: `
C010 firmware ibm,configure-kernel-dump with other than 3 arguments and 1 result is refused with −3
C011 firmware Registering a valid dump memory structure gives 0, and the partition is registered
C012 firmware Registering twice gives −9
C013 firmware Registering or unregistering while a dump is active gives −10
C014 firmware An unknown command gives −3
C015 firmware A format version other than 1 gives −3
C016 firmware More than 10 sections give −3; 10 are accepted
C017 firmware A structure outside the real mode area, at address 0 or shorter than 40 bytes gives −3
C018 firmware A length other than 40 + 40·n gives −3
C019 firmware A structure longer than 512 bytes gives −3
C020 firmware What the partition does to its structure after registering has no effect on the dump
C021 firmware Invalidating an active dump gives 0, and the next boot has no ibm,kernel-dump
C022 firmware Invalidating without an active dump gives −3 and keeps the registration
C023 all      −2 and 9900 to 9905 are retried after 1, 1, 10, 100, 1,000, 10,000 and 100,000 ms, without limit
C024 firmware ibm,os-term without a registration returns 0
C025 firmware ibm,os-term with one does not return; memory above boot memory changes in the destinations only
C026 firmware A system reset without interlock takes a dump even if the operating system never runs
C027 firmware max_time_auto 0 means no dump by time
C028 firmware After the platform has dropped a registration ibm,os-term behaves as if there had been none`,
  'Dump memory structure': `
C030 all      Header and section are 40 bytes each, big-endian, fields at the listed offsets
C031 all      The first section lies at offset 0x28
C032 v5       Exactly 3 sections, CPU state, HPTE, real mode region; 160 bytes
C033 modern   CPU state, HPTE, 1 to 7 real mode regions, then parameters; to unregister or invalidate, 440 bytes
C034 all      Disk dump fields and max_time_auto are 0; every section asks to be copied
C035 v5       Destinations follow each other without a gap
C036 modern   The real mode region's destination is page aligned
C037 firmware A section that does not ask to be copied is passed over: no error, nothing dumped
C038 firmware An unknown section type sets error 0x8000; the other sections are processed
C039 firmware Bad source 0x4000, too long 0x2000, bad destination 0x1000, destination too small 0x0800
C040 firmware After a good dump the status is 0xC000 and every section is dumped to its full length
C041 firmware A failed section also sets 0x2000 in the header
C042 firmware A section whose source is its destination is not copied and counts as dumped`,
  'Register save area': `
C050 all      The magic is 0x5245475341564500; with another one the dump is rejected
C051 all      The number of CPUs is found by its offset: 0x1C under PAPR, 0x10 under QEMU; entries follow
C052 firmware The number of CPUs counts those online when the dump began
C053 all      Each CPU is CPUSTRT to CPUEND, its logical id in the low 32 bits of both
C054 all      Register identifiers are ASCII, left-justified, padded with NUL
C055 firmware Groups of general purpose registers are ascending and contiguous
C056 all      Unknown identifiers are passed over without an error
C057 all      A general purpose register above 31 is ignored
C058 all      Without CPUSTRT the area is rejected and the notes buffer freed
C059 all      Without CPUEND the error is bounded
C060 all      A CPU that is not in the mask gets no note
C061 all      The crashing CPU's note comes from the crash info header, not from firmware
C062 all      With crashing CPU 0xffffffff, v5 writes no notes and modern those of all CPUs in the area
C063 firmware The area fits its section; the writer never overruns it`,
  Reservation: `
C070 v5       4 GiB give 0x14000000 bytes of boot memory
C071 v5       2 GiB give 0x14000000 bytes of boot memory
C072 v5       1 TiB gives 0xcc0000000 bytes of boot memory
C073 v5       9.99 GiB give 320 MiB, 10 GiB give 512 MiB
C074 v5       A real mode area of 512 MiB raises boot memory to 576 MiB, one of 1 GiB to 1,088 MiB
C075 all      fadump_reserve_mem= is taken as it is (v5), or refused below 320 MiB (modern)
C076 v5       With the floor before v5 the example of the kernel documentation comes out: base 0x6ffb0000
C077 v5       The area is page aligned and ends at the top of memory or at the memory limit
C078 v5       mem= grows by the area, up to the end of memory
C079 modern   crashkernel= is capped at a quarter of memory, with a message
C080 modern   The offset in crashkernel= is ignored
C081 modern   The area is the page-aligned CPU and HPTE sizes, boot memory and 680 bytes
C082 modern   The area lies above boot memory and avoids reserved ranges; without room fadump is disabled
C083 all      With fadump there is no crashkernel reservation
C084 all      While a dump is active boot memory has the size that was registered
C085 all      The capture kernel reserves everything above boot memory
C086 modern   The area is CMA unless nocma is given; its pages are not in the dump
C087 modern   More than 7 regions of boot memory are refused`,
  Crash: `
C090 all      An oops on a registered partition takes a dump, whatever panic_on_oops says
C091 all      A panic takes a dump, with its message behind "OS panic: "
C092 all      CPU, registers, mask and vmcoreinfo are written before ibm,os-term
C093 modern   A second crashing CPU spins until the registration is gone
C094 all      The crash info header is FADMPINF (v5) or FADMPSIG version 1 (modern), in the kernel's byte order
C095 modern   Old, swapped and corrupt magic and another size are rejected, each with its own message
C096 v5       Anything but FADMPINF is rejected
C097 modern   After a system reset the first CPU waits up to 500 ms for the others`,
  'ELF core': `
C100 all      The core is ET_CORE for machine 21, two notes and the loads; e_flags 0, 1 or 2 by profile
C101 all      The first note is patched to the notes buffer, the second relocated into the preserved copy
C102 all      The first load is boot memory: physical address 0, read from the preserved copy
C103 all      Other loads lie at their own address; the reserved area is never among them
C104 all      v5 freezes the ranges at registration; modern takes those of the capture
C105 all      A CPU note is 524 bytes with pr_pid 0; the buffer is page aligned and ends with 12 zero bytes
C106 all      /proc/vmcore has one merged note first and gives the first kernel's low memory
C107 all      A bad ELF header means no /proc/vmcore
C108 all      /proc/vmcore has mode 0400
C109 modern   Offsets in /proc/vmcore are page aligned, so that it can be mapped`,
  'Validation and release': `
C110 all      Errors of CPU state or real mode region, or a short one, reject the dump and free its memory
C111 all      An HPTE error is accepted by v5 and rejected by modern
C112 all      A short CPU state is accepted by v5 and rejected by modern
C113 v5       Status 0x2000 alone is rejected; together with other bits it is overlooked
C114 modern   Bad parameters and unknown sections cost a warning, not the dump
C115 all      Release removes the vmcore, invalidates the dump and frees the memory
C116 all      After a release the partition registers again without a reboot
C117 all      A second release is refused with EPERM
C118 v5       When firmware refuses to invalidate, memory is freed and the dump stays active
C119 all      The dump outlives a reboot of the capture kernel; an orderly shutdown invalidates it
C120 all      At shutdown or kexec v5 leaves a registration, modern takes it back`,
  sysfs: `
C130 v5       The files under /sys/kernel have their modes; the release file exists in a capture boot only
C131 all      Every row of the errno table
C132 all      "1junk" is accepted by v5 and refused by modern
C133 all      Reads give a number and a newline
C134 v5       fadump_region is the kernel documentation's example, byte for byte, in both boots
C135 v5       fadump_region is empty while fadump is not enabled
C136 modern   The old names are links; mem_reserved is decimal; hotplug_ready is 1
C137 modern   bootargs_append has limits, survives the crash and reaches the capture kernel
C138 all      Concurrent writers are served one by one; two releases invalidate once
C139 modern   Memory that the dump needs cannot be removed while registered`,
  Systems: `
C150 v5       4 GiB/8, 2 GiB/20 and 1 TiB/896 CPUs register, crash, capture over the network and release
C151 v5       With the 256 MiB floor network capture runs out of memory loading modules, local capture passes
C152 modern   What a capture needs grows with CPUs and memory; nr_cpus= takes the CPUs out
C153 all      Bringing up all network adapters instead of one changes the outcome
C154 all      After running out of memory a firmware reboot offers the dump again, a clean one does not
C155 all      896 online CPUs give 896 notes; offline CPUs are absent`,
  Console: `
C160 hmc      Dump restart on a registered partition takes a dump, on another it is a plain restart
C161 hmc      Immediate restart and shutdown never produce a dump
C162 hmc      The partition is running again after the capture without an operator`,
}

export const checklist: readonly ChecklistRow[] = Object.entries(claims).flatMap(([area, text]) =>
  text
    .trim()
    .split('\n')
    .map((line) => parseClaim(area, line)),
)

function parseClaim(area: string, line: string): ChecklistRow {
  const [, id = '', word = '', statement = ''] = /^(C\d{3}) (\S+) +(.+)$/.exec(line) ?? []
  const scope = scopes.find((known) => known === word)
  if (scope === undefined) throw new Error(`not a claim: ${line}`)
  return { id, area, scope, statement, notYet: notYet.get(id) }
}
