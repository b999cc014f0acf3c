/** docs/network-dump-oom.md: the story of the 64 MiB, with every number taken from the model or from its sources. */
import {
  cheapestFix,
  describeSystem,
  evaluate,
  failures,
  judge,
  memTotalMiB,
  minimumBootMemoryMiB,
  networkCards,
  phases,
  presets,
  redHatTables,
  rehearse,
  type CaptureSystem,
  type FailureRow,
  type PresetName,
  type SystemDescription,
} from '@fadump-lab/shared/capture-memory'
import { ladder, memTotals } from '../../test/truth/capture-memory/ladder.ts'
import {
  firstPoints,
  furtherPoints,
  modelAnswer,
  type PublishedPoint,
} from '../../test/truth/capture-memory/published-points.ts'
import { band, story } from '../../test/truth/capture-memory/story.ts'
import { parameterTables } from './capture-parameters.ts'
import { heading, table } from './markdown.ts'

function system(description: SystemDescription): CaptureSystem {
  const described = describeSystem(description)
  if (described.isAccepted) return described.system
  throw new Error(JSON.stringify(described.refusals))
}

const GiB = 1024
const TiB = 1024 * GiB
/** The system of the series whose failure the page explains. */
const power7 = { ...band.system, card: 'ehea', queues: 8, target: 'ssh' } as const
const at = (bootMemoryMiB: number): CaptureSystem => system({ ...power7, bootMemoryMiB })
const rounded = (MiB: number): string => MiB.toFixed(MiB < 10 ? 1 : 0)
const needText = (given: CaptureSystem): string => `${minimumBootMemoryMiB(given) ?? 'no'} MiB`

export function networkDumpOom(): string {
  return [
    heading('Why a dump over the network runs out of memory', 'scripts/docs/network-dump-oom.ts'),
    introduction(),
    '## What happened in 2011\n',
    storySection(),
    '## Where the memory goes\n',
    phasesSection(),
    '## Why exactly 64 MiB: a band of queue pairs\n',
    bandSection(),
    '## What mends it\n',
    fixesSection(),
    '## How it fails\n',
    failuresSection(),
    '## What is different today\n',
    todaySection(),
    '## Against a capture kernel that was measured\n',
    measuredSection(),
    '## Against figures of others\n',
    publishedSection(),
    '## Every number, and where it is from\n',
    parameterTables(),
    '## What the model does not know\n',
    doubts,
    '## Ask it\n',
    questions,
    '## Try it\n',
    trial,
  ].join('\n')
}

function introduction(): string {
  return `
After a crash the kernel boots again in *boot memory* only: what the first kernel set aside. In it must fit the kernel,
the memory map, the initramfs twice while it is unpacked, user space, drivers, and what copies the dump. When it does not
fit, the dump is not taken, and that is found out on the day it is needed.

The model behind this page is [capture-memory](../packages/shared/src/capture-memory/index.ts): phases, consumers with formulas, parameters with sources. All figures
below are computed from it; the sources of its parameters are [listed](#every-number-and-where-it-is-from), and which of them are **assumed**.
`
}

function storySection(): string {
  const { explanation } = rehearse(at(256))
  return `
The series that brought firmware-assisted dump to Linux raised the floor of boot memory from 256 to 320 MiB in its fifth
version: with 256 MiB a capture over the network met the OOM killer "while loading modules related to network setup"
(comment in \`arch/powerpc/include/asm/fadump.h\`). No report with numbers is public. The model tells it like this:

> ${explanation}

${storyTable()}
`.trimStart()
}

function storyTable(): string {
  const verdict = (description: SystemDescription, bootMemoryMiB: number): string => {
    const given = judge(system({ ...description, bootMemoryMiB }))
    return given.verdict === 'fail' ? `fails: ${given.phase}` : 'gets through'
  }
  return table(
    ['system of the series', '256 MiB', '320 MiB', 'least boot memory'],
    story.map(({ id, title, system: described }) => [
      `${id}: ${title}`,
      verdict(described, 256),
      verdict(described, 320),
      needText(system({ ...described, bootMemoryMiB: 256 })),
    ]),
  )
}

function phasesSection(): string {
  const { account } = evaluate(at(320))
  const rows = account.map(({ phase, usedMiB, consumers }) => {
    const largest = consumers.toSorted((a, b) => b.MiB - a.MiB).slice(0, 3)
    const what = phases.find(({ name }) => name === phase)?.what ?? ''
    const names = largest.map(({ consumer, MiB }) => `${consumer} ${rounded(MiB)}`).join(', ')
    return [phase, rounded(usedMiB), names, what]
  })
  return `
The POWER7 system with 320 MiB, MiB in use at the end of each phase:

![memory in use by phase, by consumer](figures/2011-phases.svg)

${table(['phase', 'MiB', 'largest', 'what happens'], rows)}
`.trimStart()
}

function bandSection(): string {
  const perPair = networkCards.ehea.ringsMiB({ ports: 1, queues: 1, pageKiB: 64 })
  const all = perPair * 8
  return `
The driver of the Host Ethernet Adapter fills three receive queues for every queue pair when the link goes up: 1,023 buffers
of 256 bytes, 1,023 of 2 KiB and 511 of 9 KiB (ehea.h). With the overhead of sk_buffs and of slab classes that are powers of two
a queue pair takes ${perPair.toFixed(1)} MiB, 8 take ${rounded(all)} MiB. Whether 64 MiB make the difference depends on their number:

![which queue pairs fit](figures/2011-band.svg)

From ${band.from} to ${band.to} queue pairs the dump fails with 256 MiB and gets through with 320; with fewer it gets through with both, with more
it fails with both. So the one-line history is true for that band of configurations, and the model's eight queue pairs
are **assumed**: multi-core scaling 8 of the HMC.
`.trimStart()
}

function fixesSection(): string {
  const base = at(256)
  const fix = cheapestFix(base)?.setting ?? 'none'
  const changes: readonly (readonly [what: string, change: Partial<CaptureSystem>])[] = [
    ['as it is', {}],
    ['`ehea.use_mcs=0`: one queue pair', { multiqueue: false }],
    ['virtual Ethernet instead of ehea', { card: 'ibmveth', queues: 1 }],
    ['a local dump', { target: 'local' }],
    ['`udev.children-max=2`', { udevWorkers: 2 }],
    ['one CPU', { nrCpus: 1 }],
    ['NFS instead of SSH', { target: 'nfs' }],
    ['a second port', { ports: 2 }],
    ['64 GiB of memory instead of 2', { memoryMiB: 64 * GiB, memLimitMiB: 64 * GiB }],
    ['a LUKS2 key slot of 512 MiB', { luksMiB: 512, target: 'local' }],
  ]
  const rows = changes.map(([what, change]) => [what, needText({ ...base, ...change })])
  return `
The cheapest fix of the failure above is \`${fix}\`, what Red Hat set for every POWER machine in 2013 (kdump-utils e074e39).
What each setting alone does to the least boot memory:

${table(['the POWER7 system, with', 'least boot memory'], rows)}
`.trimStart()
}

function failuresSection(): string {
  const fates: Readonly<Record<FailureRow['ends'], string>> = {
    panic: 'panic, ibm,os-term: the dump is there again at the next boot',
    'failure action': 'what the initramfs is told: a clean reboot invalidates the dump',
    nothing: 'until somebody resets the partition: the dump is kept',
  }
  const rows = Object.entries(failures).map(([kind, { what, ends }]) => [kind, what, fates[ends]])
  return `
${table(['failure', 'when', 'how it ends'], rows)}

That a reset keeps the dump and a clean reboot drops it was seen with Linux 7.2 under QEMU. That firmware presents it again
after a panic of the capture kernel is read from the Linux sources: QEMU ends there, and no PHYP was observed.
`.trimStart()
}

function todaySection(): string {
  const veth = (vethLargeBuffers: number): string => {
    const preset = vethLargeBuffers === 0 ? '2011' : 'now'
    const { account } = evaluate(
      system({ preset, memoryMiB: 8 * GiB, cpus: 8, card: 'ibmveth', bootMemoryMiB: 2 * GiB }),
    )
    const uses = account.at(-1)?.consumers ?? []
    return rounded(uses.find(({ consumer }) => consumer === 'receive rings')?.MiB ?? 0)
  }
  const content = (name: PresetName): number => presets[name].values.initramfsContent.value
  const image = (name: PresetName): number => presets[name].values.kernelImage.value
  return `
- Under fadump the memory map covers all of memory, not only boot memory: 64 bytes for each page of 64 KiB, 1 GiB a TiB.
  That is why the reservations of distributions grow with memory.
- A virtual Ethernet that took ${veth(0)} MiB in 2011 takes ${veth(256)} MiB since its pool of 64 KiB buffers is active by default.
- The initramfs of a distribution grew from ${content('2011')} to ${content('now')} MiB unpacked, and its kernel image from ${image('2011')} to ${image('now')} MiB.

![what Linux, Red Hat and SUSE reserve](figures/today.svg)

The defaults of RHEL and Fedora against the least boot memory of the largest system of each bracket, with 16 CPUs and a
virtual NIC of 8 queues:

${redHatTable()}
`.trimStart()
}

function redHatTable(): string {
  const rows = redHatTables.fadump
    .filter(([, to]) => Number.isFinite(to))
    .map(([from, to, reserve]) => {
      const largest = system({ memoryMiB: to - 128, cpus: 64, card: 'ibmvnic', queues: 8 })
      const minimum = minimumBootMemoryMiB(largest) ?? Infinity
      const ratio = ((reserve + 16) / minimum).toFixed(1)
      return [
        `${sizeText(from)} to ${sizeText(to)}`,
        `${reserve + 16} MiB`,
        `${minimum} MiB`,
        ratio,
      ]
    })
  return table(['memory', 'reserved', 'needed', 'ratio'], rows)
}

function sizeText(MiB: number): string {
  return MiB >= TiB ? `${MiB / TiB} TiB` : `${MiB / GiB} GiB`
}

function measuredSection(): string {
  const totals = memTotals.map(({ title, system: described, memTotalKiB }) => {
    const model = memTotalMiB(system(described)) * 1024
    const error = ((model / memTotalKiB - 1) * 100).toFixed(2)
    return [title, `${memTotalKiB} kB`, `${Math.round(model)} kB`, `${error} %`]
  })
  const runs = ladder.map(({ run, title, system: described, line }) => {
    const { failure, warnings, verdict } = evaluate(system(described))
    const model = failure?.kind ?? warnings[0]?.kind ?? verdict
    return [run, title, `\`${line}\``, model]
  })
  return `
Preset \`linux-7.2\` is Linux 7.2.12 under QEMU 11.1. \`MemTotal\` in its capture boots, and in the model:

${table(['capture boot', 'measured', 'model', 'error'], totals)}

The same system with 320 MiB, a dump over ibmveth:

${table(['run', 'what was done', 'what it said', 'model'], runs)}

The root file system is tmpfs with half of what is left when it is mounted, and the image is still there: an initramfs of
more than about a third of that memory does not unpack in the capture kernel, though the first kernel boots with it.
It is a write error and then a panic for want of a root file system, not an OOM kill.
`.trimStart()
}

function publishedSection(): string {
  const agreeing = furtherPoints.filter(({ verdict }) => verdict === 'agrees').length
  return `
A figure agrees when the model is within 10 percent of it, an outcome when the model's is the same. Those that disagree
stay, with the reason. The figures that the first model was checked against:

${publishedTable(firstPoints)}

Further ones, searched for; ${agreeing} of ${furtherPoints.length} agree:

${publishedTable(furtherPoints)}
`.trimStart()
}

function publishedTable(points: readonly PublishedPoint[]): string {
  return table(
    ['published', 'source', 'model', 'verdict'],
    points.map((point) => {
      const note = point.note === undefined ? '' : `: ${point.note}`
      const { text } = modelAnswer(point)
      return [point.says, point.source, text, `${point.verdict}${note}`]
    }),
  )
}

const doubts = `
- Nothing of the 2011 preset was measured on POWER. Eight queue pairs, the files of the initramfs and what firmware takes
  are assumed; with six queue pairs the story would not come out.
- A consumer is a number, not a course of time: write-back over NFS, page cache and reclaim have no dynamics. Dumps over
  NFS that die in mid-copy although memory seemed to suffice are not predicted.
- Fragmentation is not modelled; an allocation above order 3 fails where memory ends, without an OOM kill.
- Drivers of storage, SMMU, Open vSwitch, swiotlb, kfence and debug options are not modelled.
- Preset \`linux-7.2\` has per-CPU memory with 64 KiB pages measured, with 4 KiB pages taken over from it.
`.trimStart()

const questions = `
\`\`\`sh
./lab rehearse --preset 2011 --memory 2G --cpus 20 --nic ehea --boot 256M
./lab rehearse p1 --api http://127.0.0.1:8080/v1     # a partition that runs, as it is
./lab rehearse p1 --api http://127.0.0.1:8080/v1 --boot 320M --append ehea.use_mcs=0
./lab estimate --memory 1T --cpus 128 --nic ibmvnic --target nfs
./lab sweep --example 2011-band --svg band.svg
./lab sweep --x queues=1..16 --y boot=256M..1G:32M --memory 64G --cpus 64 --nic ibmvnic
\`\`\`
`.trimStart()

/** Against a room that `./lab up` has started; `api` and `auth` as in the README. */
const trial = `
With \`api\` and \`auth\` set as in the [README](../README.md): a partition whose boot memory is too small for its eight queue
pairs. The rehearsal tells it beforehand, the crash proves it, and the fix saves the same dump.

\`\`\`sh
json='content-type: application/json'
# Waits for a state of the partition.
p64_is() { until curl -s -H "$auth" $api/partitions/p64 | grep -q "\\"state\\":\\"$1\\""; do sleep 0.2; done; }
curl -s -H "$auth" -H "$json" $api/partitions -d '{"id":"p64","memoryBytes":2147483648,"processors":20,
  "bootArguments":"fadump=on fadump_reserve_mem=256M","capture":{"card":"ehea","queues":8}}'
curl -s -H "$auth" -X POST $api/partitions/p64/activate
p64_is running
# Would a dump fit? With one queue? Into 320 MiB?
curl -s -H "$auth" -H "$json" $api/partitions/p64/rehearsals -d '{}'
curl -s -H "$auth" -H "$json" $api/partitions/p64/rehearsals -d '{"capture":{"card":"ehea","queues":1}}'
curl -s -H "$auth" -H "$json" $api/partitions/p64/rehearsals -d '{"bootMemoryMiB":320}'
# Crash it, and look at the capture kernel that has run out of memory.
curl -s -H "$auth" -X POST $api/partitions/p64/crash -H "$json" -d '{}'
p64_is error
curl -s -H "$auth" $api/partitions/p64/capture-memory
curl -s -H "$auth" $api/partitions/p64/proc/meminfo
curl -s -H "$auth" $api/partitions/p64/proc/kmsg
# The memory of the crash is still there: another boot with the fix saves it.
curl -s -H "$auth" -X PUT $api/partitions/p64/boot-settings -H "$json" -d '{"bootArguments":"fadump=on fadump_reserve_mem=256M ehea.use_mcs=0"}'
curl -s -H "$auth" -X POST $api/partitions/p64/restart
p64_is running
curl -s -H "$auth" $api/dumps
# What should be reserved for a system that does not exist yet?
curl -s -H "$auth" -H "$json" $api/estimates -d '{"memoryMiB":65536,"cpus":96,"nrCpus":16,"card":"mlx5"}'
\`\`\`

\`capture\` of a partition takes \`preset\`, \`target\` (ssh, nfs, http), \`card\`, \`ports\`, \`queues\`, \`luksMiB\`, \`initramfsMiB\`,
\`rootfsMiB\`, \`threads\`, \`otherProcessMiB\` and \`failureAction\` (shell, reboot, halt, poweroff, dump to fallback); the
rest is read from the command line of the capture boot: \`mem=\`, \`nr_cpus=\`, \`hugepages=\`, \`udev.children-max=\`,
\`cgroup_disable=memory\`, \`ehea.use_mcs=0\`, \`initramfs_options=size=\`, \`root=\`, \`sysctl.vm.panic_on_oom=1\`.
`.trimStart()
