/**
 * Where our kernels keep what dumps and firmware look at: a table of symbols with physical addresses. All of it lies
 * at the bottom of memory, below every real mode area and every boot memory size that Linux accepts.
 *
 *     0         text                      80000  linux_banner, init_uts_ns, small variables
 *     90000     swapper_pg_dir            a0000  VMCOREINFO note
 *     c0000     log                       1f0000 ELF core header of a modern capture kernel
 *     200000    notes of the CPUs         320000 one PACA a CPU
 *     400000    one idle stack a CPU      …      end of the image
 */
import type { KernelProfileName } from '@fadump-lab/shared/contracts'
import { linearMapBase } from '@fadump-lab/shared/elf'
import type { MemoryWrite } from '@fadump-lab/shared/store'
import { alignUp, concat, fromAscii, realAddress, type RealAddress } from '@fadump-lab/shared/units'
import { kernelText } from './kernel-text.ts'

/** Physical addresses. */
export const kernelSymbols = {
  _stext: 0x0n,
  linux_banner: 0x8_0000n,
  init_uts_ns: 0x8_1000n,
  node_online_map: 0x8_2000n,
  node_data: 0x8_3000n,
  mem_section: 0x8_4000n,
  vmlist: 0x8_5000n,
  /** `static struct fadump_mem_struct fdm`: handed to firmware by its 32-bit real address. */
  fdm: 0x8_8000n,
  rtas_os_term_buf: 0x8_9000n,
  swapper_pg_dir: 0x9_0000n,
  vmcoreinfo_note: 0xa_0000n,
  log: 0xc_0000n,
  elfcorehdr: 0x1f_0000n,
  cpu_notes_buf: 0x20_0000n,
} as const

export type KernelSymbol = keyof typeof kernelSymbols

const pacaBase = 0x32_0000n
const pacaBytes = 0x180n
const stackBase = 0x40_0000n
/** `THREAD_SIZE`. */
export const stackBytes = 0x4000n
/** `.TOC.`: what GPR2 holds in kernel code. */
export const tableOfContents: bigint = linearMapBase + 0x9_8000n

export function symbolAddress(symbol: KernelSymbol): RealAddress {
  return realAddress(kernelSymbols[symbol])
}

export function symbolVirtual(symbol: KernelSymbol): bigint {
  return linearMapBase + kernelSymbols[symbol]
}

/** The PACA of a CPU: what GPR13 points at. */
export function pacaAddress(cpu: number): bigint {
  return linearMapBase + pacaBase + BigInt(cpu) * pacaBytes
}

/** The end of a CPU's idle stack; frames grow down from here. */
export function stackTop(cpu: number): bigint {
  return linearMapBase + stackBase + BigInt(cpu + 1) * stackBytes
}

/** The first address behind the image; content may start here. */
export function kernelEnd(processors: number): bigint {
  return alignUp(stackBase + BigInt(processors) * stackBytes, 0x1_0000n)
}

export interface KernelBuild {
  /** `uname -r`. */
  readonly release: string
  /** `uname -v`. */
  readonly version: string
  readonly machine: string
  /** Between release and version in `linux_banner`. */
  readonly builtBy: string
  /** Where `struct new_utsname` lies in `struct uts_namespace`. */
  readonly utsNameOffset: number
}

export const kernelBuilds: Readonly<Record<KernelProfileName, KernelBuild>> = {
  v5: {
    release: '3.4.0-fadump-lab',
    version: '#1 SMP Tue Nov 15 15:14:00 UTC 2011',
    machine: 'ppc64',
    builtBy: '(lab@fadump-lab) (gcc version 4.6.3 (GCC) )',
    utsNameOffset: 4,
  },
  modern: {
    release: '6.12.0-fadump-lab',
    version: '#1 SMP Sun Nov 17 22:15:08 UTC 2024',
    machine: 'ppc64le',
    builtBy: '(lab@fadump-lab) (gcc (GCC) 14.2.0, GNU ld (GNU Binutils) 2.43)',
    utsNameOffset: 0,
  },
}

/** `linux_banner`, with its newline. */
export function linuxBanner(profile: KernelProfileName): string {
  const build = kernelBuilds[profile]
  return `Linux version ${build.release} ${build.builtBy} ${build.version}\n`
}

const heads = new Map<KernelProfileName, Uint8Array>()

/** Text, and the banner right behind it: as one write, and made once, as every boot of a profile does it. */
function imageHead(profile: KernelProfileName): MemoryWrite {
  const bytes =
    heads.get(profile) ?? concat([kernelText(profile), fromAscii(`${linuxBanner(profile)}\0`)])
  heads.set(profile, bytes)
  return { address: symbolAddress('_stext'), bytes }
}

/** What the boot loader and early boot put into memory: text, banner, utsname. */
export function kernelImageWrites(
  profile: KernelProfileName,
  nodeName: string,
): readonly MemoryWrite[] {
  return [
    imageHead(profile),
    { address: symbolAddress('init_uts_ns'), bytes: utsNamespace(profile, nodeName) },
    // node_states[N_ONLINE]: node 0.
    {
      address: symbolAddress('node_online_map'),
      bytes: profile === 'v5' ? Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1) : Uint8Array.of(1),
    },
  ]
}

/** `__NEW_UTS_LEN` + 1. */
const utsFieldBytes = 65

function utsNamespace(profile: KernelProfileName, nodeName: string): Uint8Array {
  const { release, version, machine, utsNameOffset } = kernelBuilds[profile]
  const fields = ['Linux', nodeName, release, version, machine, '(none)']
  return concat([
    new Uint8Array(utsNameOffset),
    ...fields.map((field) =>
      fromAscii(field.slice(0, utsFieldBytes - 1).padEnd(utsFieldBytes, '\0')),
    ),
  ])
}
