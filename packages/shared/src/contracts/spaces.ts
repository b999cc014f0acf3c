/** How the memory store's spaces and records are named, and which service writes each. */

interface Space {
  readonly frame: string
  readonly space: string
}

/** A partition's memory. */
export const partitionSpace = (frame: string, partition: string): Space => ({
  frame,
  space: `partition/${partition}`,
})
/** A memory image. */
export const imageSpace = (frame: string, image: string): Space => ({
  frame,
  space: `image/${image}`,
})
/** The frame's own facts; its memory is never used. */
export const frameSpace = (frame: string): Space => ({ frame, space: 'frame' })

/** Records beside the memory of a space. One writer each. */
export const records = {
  /** Frame space: memory and processors. Written by the hypervisor. */
  frame: 'frame',
  /** Image space: what `Image` and `ImageNotes` say. Written by the hypervisor. */
  image: 'image',
  /** Partition space: configuration, state, registration, pending dump. Written by the hypervisor. */
  firmware: 'firmware',
  /** Partition space: contexts of the virtual CPUs. Written by the hypervisor. */
  vcpus: 'vcpus',
  /** Partition space: translation control entries and the adapters that go by them. Written by the hypervisor. */
  tces: 'tces',
  /** Partition space: variables of the running kernel that are not modelled as bytes. Written by lpar-kernel. */
  kernel: 'kernel',
} as const
