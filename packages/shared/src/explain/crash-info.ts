/** The crash info header of Linux. Its magic tells format and byte order; the new format states its sizes. */
import {
  crashInfoLayouts,
  crashingCpuUnknown,
  decodeCpuMask,
  kernelProfiles,
  ptRegsNames,
  type CrashInfoShape,
} from '../fadump/index.ts'
import type { ByteOrder } from '../layout/index.ts'
import { fromAscii, toAscii, viewOf } from '../units/index.ts'
import { cpuListText } from './cpus.ts'
import type { Field, Part } from './explanation.ts'
import { expected, layoutFields, requireBytes, requireMagic, restRemarks } from './fields.ts'
import { registerFields } from './registers.ts'

/** A format in a byte order, by the eight bytes it begins with. */
const forms: ReadonlyMap<string, Pick<CrashInfoShape, 'crashInfoFormat' | 'byteOrder'>> = new Map([
  ['FADMPSIG', { crashInfoFormat: 'FADMPSIG', byteOrder: 'big' }],
  ['GISPMDAF', { crashInfoFormat: 'FADMPSIG', byteOrder: 'little' }],
  ['FADMPINF', { crashInfoFormat: 'FADMPINF', byteOrder: 'big' }],
  ['FNIPMDAF', { crashInfoFormat: 'FADMPINF', byteOrder: 'little' }],
])
const magic = {
  what: 'the magic "FADMPSIG" or "FADMPINF" as big- or little-endian u64',
  bytes: [...forms.keys()].map(fromAscii),
}
/** The most CPUs of a mask that is read: `CONFIG_NR_CPUS` of ppc64 ends at 8192. */
const maskBytesMax = 8192 / 8

export function* crashInfoParts(bytes: Uint8Array): Generator<Part> {
  requireMagic(bytes, magic)
  const form = forms.get(toAscii(bytes.subarray(0, 8))) ?? kernelProfiles.modern
  const shape = { ...form, ...sizesOf(bytes, form) }
  const fields = headerFields(bytes, shape)
  const scalars = fields.filter(({ name }) => !isArea(name))
  const order = shape.byteOrder
  yield {
    title: `fadump_crash_info_header, ${order}-endian`,
    fields: scalars,
    ...(shape.crashInfoFormat === 'FADMPINF' ? { remarks: [assumption(shape)] } : {}),
  }
  const [regs, mask] = fields.filter(({ name }) => isArea(name))
  if (regs === undefined || mask === undefined) return
  const registers = registerFields({ ...regs, order, path: 'regs.', names: ptRegsNames })
  yield { title: 'regs: the CPU that crashed', fields: registers }
  const cpus = cpuListText(decodeCpuMask(mask.bytes, order))
  const end = mask.offset + mask.bytes.byteLength
  yield {
    title: `${mask.name}: the CPUs whose registers belong into the dump`,
    fields: [{ ...mask, value: `CPUs ${cpus}`, meaning: `${8 * mask.bytes.byteLength} bits` }],
    remarks: restRemarks(bytes.subarray(end), end),
  }
}

function isArea(name: string): boolean {
  return ['regs', 'cpu_mask', 'cpu_online_mask'].includes(name)
}

function assumption({ ptRegsCount, nrCpus }: CrashInfoShape): string {
  return `FADMPINF states no sizes: struct pt_regs of ${8 * ptRegsCount} bytes and a cpumask of ${nrCpus / 8} are assumed`
}

type Sizes = Pick<CrashInfoShape, 'ptRegsCount' | 'nrCpus'>

/** The new format says how large its two last members are. */
function sizesOf(bytes: Uint8Array, form: Omit<CrashInfoShape, keyof Sizes>): Sizes {
  if (form.crashInfoFormat === 'FADMPINF') return kernelProfiles.v5
  requireBytes(bytes, { at: 0, size: sizesEnd, what: 'fadump_crash_info_header' })
  const view = viewOf(bytes)
  const little = form.byteOrder === 'little'
  const regs = view.getUint32(ptRegsSizeAt, little)
  const mask = view.getUint32(cpuMaskSizeAt, little)
  if (regs % 8 !== 0 || regs > 8 * ptRegsNames.length) {
    throw expected(ptRegsSizeAt, multiple('pt_regs_sz', 8 * ptRegsNames.length), `${regs}`)
  }
  if (mask % 8 !== 0 || mask > maskBytesMax) {
    throw expected(cpuMaskSizeAt, multiple('cpu_mask_sz', maskBytesMax), `${mask}`)
  }
  return { ptRegsCount: regs / 8, nrCpus: 8 * mask }
}

function multiple(name: string, max: number): string {
  return `a ${name} of at most ${max}, a multiple of 8`
}

const fixedPart = crashInfoLayouts.FADMPSIG(kernelProfiles.modern)
const ptRegsSizeAt = fixedPart.offsetOf('ptRegsSize')
const cpuMaskSizeAt = fixedPart.offsetOf('cpuMaskSize')
const sizesEnd = cpuMaskSizeAt + 4

function headerFields(bytes: Uint8Array, shape: CrashInfoShape): Field[] {
  const order: ByteOrder = shape.byteOrder
  const meanings = {
    magicNumber: () => JSON.stringify(shape.crashInfoFormat),
    crashingCpu: (cpu: number) =>
      cpu === crashingCpuUnknown ? 'no CPU has crashed yet' : `CPU ${cpu} crashed`,
  }
  if (shape.crashInfoFormat === 'FADMPINF') {
    const layout = crashInfoLayouts.FADMPINF(shape)
    return layoutFields(layout, bytes, { order, path: '', meanings })
  }
  return layoutFields(crashInfoLayouts.FADMPSIG(shape), bytes, {
    order,
    path: '',
    meanings: {
      ...meanings,
      version: (version) => (version === 1 ? 'the only one there is' : 'unknown: Linux has 1'),
      vmcoreinfoAddress: (address) =>
        address === 0n ? 'not known yet' : 'real address of the VMCOREINFO note, relocated',
      vmcoreinfoSize: (size) => `${size} bytes of VMCOREINFO note`,
      ptRegsSize: (size) => `${size / 8} registers`,
      cpuMaskSize: (size) => `${8 * size} CPUs at most`,
    },
  })
}
