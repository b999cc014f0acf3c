/** What crosses between services: routes, queues, events, problems, ids. zod only. */
export { base64Bytes, byteCount, hexAddress, hexU64 } from './codecs.ts'
export {
  dump,
  manifestEntry,
  manifestHeader,
  manifestTrailer,
  type Dump,
  type DumpStatus,
  type ManifestEntry,
  type ManifestTrailer,
} from './dump.ts'
export { eventAggregates, labEvent, type LabEvent } from './events.ts'
export { hmcJob, jobMachine, type HmcJob } from './hmc-job.ts'
export { correlationId, dumpId, frameId, imageId, jobId, partitionId } from './ids.ts'
export {
  captureMachine,
  partitionMachine,
  type CaptureState,
  type PartitionState,
} from './lifecycle.ts'
export {
  crashCause,
  image,
  newFrame,
  memoryAssignment,
  newPartition,
  partition,
  type BootProgress,
  type CrashCause,
  type CrashRequest,
  type Frame,
  type Image,
  type ImageNotes,
  type KernelDefect,
  type KernelProfileName,
  type MemoryAssignment,
  type MemoryHole,
  type MemoryContent,
  type NewFrame,
  type NewPartition,
  type Partition,
  type RegistrationState,
  type Vcpu,
} from './partition.ts'
export { Problem, problems, type ProblemDefinition, type ProblemSlug } from './problems.ts'
export {
  captureJobId,
  captureQueue,
  iplQueue,
  type CaptureJob,
  type IplJob,
  type QueueDefinition,
} from './queues.ts'
export type { Body, BodyValue, Route, Routes } from './route.ts'
export { collectorRoutes } from './collector-routes.ts'
export {
  firmwareFault,
  firmwareFaults,
  newFirmwareFault,
  type FaultValue,
  type FirmwareFault,
  type FirmwareFaultName,
  type FirmwareFaultRow,
  type NewFirmwareFault,
} from './firmware-faults.ts'
export { hmcRoutes } from './hmc-routes.ts'
export { hypervisorRoutes } from './hypervisor-routes.ts'
export { lparKernelRoutes } from './lpar-kernel-routes.ts'
export {
  partitionStructure,
  structureBytesMax,
  structureRoutes,
  type PartitionStructure,
} from './structure-routes.ts'
export { elfMedia, flattenedMedia, ndjsonMedia } from './route-parameters.ts'
export { frameSpace, imageSpace, partitionSpace, records } from './spaces.ts'
