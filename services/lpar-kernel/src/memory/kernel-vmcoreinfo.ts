/**
 * VMCOREINFO of our kernels, in the kernel's own order. 3.4: `crash_save_vmcoreinfo_init` (kernel/kexec.c); modern:
 * the list of a 6.12 ppc64le kernel with 64 KiB pages and radix MMU. Left out as whole groups, which no tool misses:
 * kallsyms, vmemmap_list, cur_cpu_spec (there are no such tables in our memory).
 */
import type { KernelProfileName } from '@fadump-lab/shared/contracts'
import {
  composeVmcoreinfo,
  vmcoreinfo,
  type VmcoreinfoEntry,
  type VmcoreinfoRules,
} from '@fadump-lab/shared/elf'
import { kernelBuilds, symbolVirtual } from './kernel-image.ts'

const { length, number, offset, osRelease, pageSize, size, symbol } = vmcoreinfo

/** The text without CRASHTIME. `log` is what the log exports. */
export function kernelVmcoreinfo(options: {
  readonly profile: KernelProfileName
  readonly pageBytes: number
  readonly log: readonly VmcoreinfoEntry[]
  readonly rules: VmcoreinfoRules
}): string {
  const entries = options.profile === 'v5' ? v5Entries : modernEntries
  return composeVmcoreinfo(entries(options.pageBytes, options.log), options.rules)
}

function v5Entries(pageBytes: number, log: readonly VmcoreinfoEntry[]): VmcoreinfoEntry[] {
  return [
    osRelease(kernelBuilds.v5.release),
    pageSize(pageBytes),
    symbol('init_uts_ns', symbolVirtual('init_uts_ns')),
    symbol('node_online_map', symbolVirtual('node_online_map')),
    symbol('swapper_pg_dir', symbolVirtual('swapper_pg_dir')),
    symbol('_stext', symbolVirtual('_stext')),
    symbol('vmlist', symbolVirtual('vmlist')),
    symbol('mem_section', symbolVirtual('mem_section')),
    length('mem_section', 32_768),
    size('mem_section', 32),
    offset('mem_section.section_mem_map', 0),
    size('page', 56),
    size('pglist_data', 12_032),
    size('zone', 1920),
    size('free_area', 88),
    size('list_head', 16),
    size('nodemask_t', 32),
    offset('page.flags', 0),
    offset('page._count', 8),
    offset('page.mapping', 16),
    offset('page.lru', 32),
    offset('pglist_data.node_zones', 0),
    offset('pglist_data.nr_zones', 7760),
    offset('pglist_data.node_start_pfn', 7776),
    offset('pglist_data.node_spanned_pages', 7792),
    offset('pglist_data.node_id', 7800),
    offset('zone.free_area', 128),
    offset('zone.vm_stat', 1536),
    offset('zone.spanned_pages', 1816),
    offset('free_area.free_list', 0),
    offset('list_head.next', 0),
    offset('list_head.prev', 8),
    offset('vm_struct.addr', 8),
    length('zone.free_area', 9),
    ...log,
    length('free_area.free_list', 5),
    number('NR_FREE_PAGES', 0),
    number('PG_lru', 5),
    number('PG_private', 11),
    number('PG_swapcache', 16),
    symbol('node_data', symbolVirtual('node_data')),
    length('node_data', 256),
  ]
}

function modernEntries(pageBytes: number, log: readonly VmcoreinfoEntry[]): VmcoreinfoEntry[] {
  return [
    osRelease(kernelBuilds.modern.release),
    vmcoreinfo.buildId('fadcab1e6120000000000000000000000000c0de'),
    pageSize(pageBytes),
    symbol('init_uts_ns', symbolVirtual('init_uts_ns')),
    offset('uts_namespace.name', kernelBuilds.modern.utsNameOffset),
    symbol('node_online_map', symbolVirtual('node_online_map')),
    symbol('swapper_pg_dir', symbolVirtual('swapper_pg_dir')),
    symbol('_stext', symbolVirtual('_stext')),
    vmcoreinfo.hexNumber('VMALLOC_START', 0xc008_0000_0000_0000n),
    symbol('vmemmap', 0xc00c_0000_0000_0000n),
    symbol('mem_section', symbolVirtual('mem_section')),
    length('mem_section', 65_536),
    size('mem_section', 32),
    offset('mem_section.section_mem_map', 0),
    number('SECTION_SIZE_BITS', 24),
    number('MAX_PHYSMEM_BITS', 51),
    size('page', 64),
    size('pglist_data', 32_128),
    size('zone', 1664),
    size('free_area', 104),
    size('list_head', 16),
    size('nodemask_t', 32),
    offset('page.flags', 0),
    offset('page._refcount', 52),
    offset('page.mapping', 24),
    offset('page.lru', 8),
    offset('page._mapcount', 48),
    offset('page.private', 40),
    offset('page.compound_head', 8),
    offset('pglist_data.node_zones', 0),
    offset('pglist_data.nr_zones', 29_600),
    offset('pglist_data.node_start_pfn', 29_608),
    offset('pglist_data.node_spanned_pages', 29_624),
    offset('pglist_data.node_id', 29_632),
    offset('zone.free_area', 256),
    offset('zone.vm_stat', 1408),
    offset('zone.spanned_pages', 144),
    offset('free_area.free_list', 0),
    offset('list_head.next', 0),
    offset('list_head.prev', 8),
    length('zone.free_area', 9),
    ...log,
    length('free_area.free_list', 6),
    number('NR_FREE_PAGES', 0),
    number('PG_lru', 5),
    number('PG_private', 14),
    number('PG_swapcache', 10),
    number('PG_swapbacked', 17),
    number('PAGE_SLAB_MAPCOUNT_VALUE', -184_549_376),
    number('PG_hwpoison', 20),
    number('PG_head_mask', 64),
    number('PAGE_BUDDY_MAPCOUNT_VALUE', -268_435_456),
    number('PAGE_HUGETLB_MAPCOUNT_VALUE', -201_326_592),
    number('PAGE_OFFLINE_MAPCOUNT_VALUE', -251_658_240),
    symbol('node_data', symbolVirtual('node_data')),
    length('node_data', 256),
    number('RADIX_MMU', 1),
    vmcoreinfo.kernelOffset(0n),
  ]
}
