/** Numbers of the ELF gABI and of the ppc64 kernel that the files of this room share. */

/** `EI_MAG0…3`. */
export const elfMagic = '\x7fELF'
/** `ELFCLASS64`. */
export const elfClass64 = 2
/** `ELFDATA2LSB` and `ELFDATA2MSB`. */
export const elfDataEncoding = { little: 1, big: 2 } as const
/** `EV_CURRENT`. */
export const elfVersion = 1
/** `ET_CORE`. */
export const typeCore = 4
/** `EM_PPC64`. */
export const machinePpc64 = 21

/** `p_type` values that occur in core files. */
export const segmentType = { null: 0, load: 1, note: 4 } as const
/** `PF_R | PF_W | PF_X`: what kernels put into every PT_LOAD. */
export const flagsReadWriteExecute = 7
/** `PN_XNUM`: from here on the number of program headers stands in section header 0. */
export const programHeaderCountExtended = 0xffff

/** Where the kernel maps physical address 0 on ppc64 book3s (`PAGE_OFFSET`). */
export const linearMapBase = 0xc000_0000_0000_0000n

/** No segment of a core ends beyond this: file offsets are signed (`loff_t`), and so is every tool's arithmetic. */
export const addressSpaceEnd = 2n ** 63n

/** The most program headers this project reads or writes: the last count below `PN_XNUM`. */
export const programHeadersMax = 65_534
/** The most bytes of notes of one core: 896 CPUs need 0.5 MiB. */
export const notesBytesMax = 64 * 1024 * 1024
/** The most notes of one core. */
export const notesMax = 65_536
/** The most bytes of VMCOREINFO: the largest page of ppc64. */
export const vmcoreinfoBytesMax = 65_536
/** The most NT_PRSTATUS notes of one core. */
export const prstatusNotesMax = 4096
/** How far into a file its headers may reach. */
export const headersBytesMax = 4 * 1024 * 1024
/** What a reader of an unordered stream keeps of data that comes before the headers. */
export const earlyDataBytesMax = 12 * 1024 * 1024
/** … and in how many pieces. */
export const earlyDataPiecesMax = 4096
