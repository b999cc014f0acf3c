/**
 * The structures of the record ring (`printk_ringbuffer`, kernel/printk/printk_ringbuffer.h) as 6.5 and later lay them
 * out on 64-bit machines; confirmed with the DWARF and the VMCOREINFO of 6.12 and 7.2.
 */
import { vmcoreinfo, type VmcoreinfoEntry } from '../elf/index.ts'
import { bytes, layout, u16, u32, u64, u8, type ByteOrder, type ValueOf } from '../layout/index.ts'

const ringRows = [
  ['countBits', 0, u32, 'desc_ring.count_bits', 'log2 of the number of descriptors'],
  ['reserved0', 4, u32, '-', 'padding'],
  ['descriptors', 8, u64, 'desc_ring.descs', 'pointer'],
  ['infos', 16, u64, 'desc_ring.infos', 'pointer'],
  ['headId', 24, u64, 'desc_ring.head_id', 'the newest descriptor'],
  ['tailId', 32, u64, 'desc_ring.tail_id', 'the oldest descriptor'],
  ['lastFinalizedSequence', 40, u64, 'desc_ring.last_finalized_seq', 'of the newest record'],
  ['sizeBits', 48, u32, 'text_data_ring.size_bits', 'log2 of the bytes of text'],
  ['reserved1', 52, u32, '-', 'padding'],
  ['text', 56, u64, 'text_data_ring.data', 'pointer'],
  ['headLpos', 64, u64, 'text_data_ring.head_lpos', 'where the next text block begins'],
  ['tailLpos', 72, u64, 'text_data_ring.tail_lpos', 'where the oldest text block begins'],
  ['failures', 80, u64, 'fail', 'records that could not be stored'],
] as const
const descriptorRows = [
  ['stateVar', 0, u64, 'state_var', 'state << 62 | id'],
  ['begin', 8, u64, 'text_blk_lpos.begin', 'logical position of the text block'],
  ['next', 16, u64, 'text_blk_lpos.next', 'where the block after it begins'],
] as const
const infoRows = [
  ['sequence', 0, u64, 'seq', 'number of the record since boot'],
  ['timestampNs', 8, u64, 'ts_nsec', 'since boot'],
  ['textLength', 16, u16, 'text_len', 'bytes'],
  ['facility', 18, u8, 'facility', '0 = kernel'],
  [
    'flagsAndLevel',
    19,
    u8,
    'flags:5, level:3',
    'LOG_NEWLINE = 2; the first bit-field is the low one on LE',
  ],
  ['callerId', 20, u32, 'caller_id', 'thread id, or bit 31 and the CPU'],
  ['subsystem', 24, bytes(16), 'dev_info.subsystem', ''],
  ['device', 40, bytes(48), 'dev_info.device', ''],
] as const

export const ringLayout = layout('printk_ringbuffer', 88, ringRows)
export const descriptorLayout = layout('prb_desc', 24, descriptorRows)
export const infoLayout = layout('printk_info', 88, infoRows)
export type Ring = ValueOf<typeof ringRows>
export type Descriptor = ValueOf<typeof descriptorRows>
export type Info = ValueOf<typeof infoRows>

/** `enum desc_state`, the two top bits of `state_var`. */
export const descriptorState = { reserved: 0n, committed: 1n, finalized: 2n, reusable: 3n } as const
export const idMask = 2n ** 62n - 1n
/** `FAILED_LPOS` and `EMPTY_LINE_LPOS`: positions of records without text are odd. */
export const failedLpos = 1n
export const emptyLineLpos = 3n

const sizes = { headerBytes: ringLayout.size, descriptorRing: 48, dataRing: 32, blockPosition: 16 }
const { size, offset, length } = vmcoreinfo

/** The layout keys of VMCOREINFO in the kernel's order (`log_buf_vmcoreinfo_setup`), behind the three symbols. */
export const ringVmcoreinfo: readonly VmcoreinfoEntry[] = [
  size('printk_ringbuffer', sizes.headerBytes),
  offset('printk_ringbuffer.desc_ring', 0),
  offset('printk_ringbuffer.text_data_ring', sizes.descriptorRing),
  offset('printk_ringbuffer.fail', ringLayout.offsetOf('failures')),
  size('prb_desc_ring', sizes.descriptorRing),
  offset('prb_desc_ring.count_bits', ringLayout.offsetOf('countBits')),
  offset('prb_desc_ring.descs', ringLayout.offsetOf('descriptors')),
  offset('prb_desc_ring.infos', ringLayout.offsetOf('infos')),
  offset('prb_desc_ring.head_id', ringLayout.offsetOf('headId')),
  offset('prb_desc_ring.tail_id', ringLayout.offsetOf('tailId')),
  size('prb_desc', descriptorLayout.size),
  offset('prb_desc.state_var', descriptorLayout.offsetOf('stateVar')),
  offset('prb_desc.text_blk_lpos', descriptorLayout.offsetOf('begin')),
  size('prb_data_blk_lpos', sizes.blockPosition),
  offset('prb_data_blk_lpos.begin', 0),
  offset('prb_data_blk_lpos.next', 8),
  size('printk_info', infoLayout.size),
  offset('printk_info.seq', infoLayout.offsetOf('sequence')),
  offset('printk_info.ts_nsec', infoLayout.offsetOf('timestampNs')),
  offset('printk_info.text_len', infoLayout.offsetOf('textLength')),
  offset('printk_info.caller_id', infoLayout.offsetOf('callerId')),
  offset('printk_info.dev_info', infoLayout.offsetOf('subsystem')),
  size('dev_printk_info', 64),
  offset('dev_printk_info.subsystem', 0),
  length('printk_info_subsystem', 16),
  offset('dev_printk_info.device', 16),
  length('printk_info_device', 48),
  size('prb_data_ring', sizes.dataRing),
  offset('prb_data_ring.size_bits', ringLayout.offsetOf('sizeBits') - sizes.descriptorRing),
  offset('prb_data_ring.data', ringLayout.offsetOf('text') - sizes.descriptorRing),
  offset('prb_data_ring.head_lpos', ringLayout.offsetOf('headLpos') - sizes.descriptorRing),
  offset('prb_data_ring.tail_lpos', ringLayout.offsetOf('tailLpos') - sizes.descriptorRing),
  size('atomic_long_t', 8),
  offset('atomic_long_t.counter', 0),
  size('latched_seq', 24),
  offset('latched_seq.val', 8),
]

/** `LOG_NEWLINE`: the record ends its line. */
const flagNewline = 2

/** The byte of `flags:5, level:3`: compilers fill bit-fields from the low end on LE, from the high end on BE. */
export function flagsAndLevel(level: number, order: ByteOrder): number {
  return order === 'little' ? (level << 5) | flagNewline : (flagNewline << 3) | level
}

export function levelOf(flags: number, order: ByteOrder): number {
  return order === 'little' ? flags >> 5 : flags & 7
}
