/** What crosses between services: routes, queues, events, problems, ids. zod only. */
export { base64Bytes, byteCount, hexAddress, hexU64 } from './codecs.ts'
export {
  dump,
  scrub,
  manifestEntry,
  manifestHeader,
  manifestTrailer,
  type Dump,
  type Scrub,
  type DumpStatus,
  type ManifestEntry,
  type ManifestTrailer,
} from './dump.ts'
export { eventAggregates, labEvent, type LabEvent } from './events.ts'
export { hmcJob, jobMachine, type HmcJob } from './hmc-job.ts'
export {
  correlationId,
  dumpId,
  frameId,
  imageId,
  jobId,
  partitionId,
  sessionId,
  soakId,
  userName,
} from './ids.ts'
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
  type ShutdownRequest,
  type Vcpu,
  type Workload,
  type WorkloadDone,
} from './partition.ts'
export {
  isProblem,
  Problem,
  problems,
  type ProblemDefinition,
  type ProblemSlug,
} from './problems.ts'
export {
  captureJobId,
  captureQueue,
  iplQueue,
  queueNames,
  systemResetQueue,
  type CaptureJob,
  type IplJob,
  type QueueDefinition,
  type SystemResetJob,
} from './queues.ts'
export type { Body, BodyValue, Route, Routes } from './route.ts'
export {
  callerNames,
  includesRole,
  openToAll,
  roles,
  serviceNames,
  type Access,
  type CallerName,
  type Proof,
  type Role,
  type ServiceName,
} from './access.ts'
export {
  passwordCharactersMin,
  user,
  userRoutes,
  type NewSession,
  type Session,
  type User,
} from './user-routes.ts'
export {
  captureEnvironment,
  failureAction,
  failureActionDefault,
  refusedDescription,
  systemDescription,
  type CaptureEnvironment,
  type FailureAction,
} from './capture-environment.ts'
export {
  enteredPhase,
  estimate,
  rehearsal,
  type CaptureMemoryReply,
  type EnteredPhase,
  type EstimateReply,
  type RehearsalReply,
  type RehearsalRequest,
} from './capture-memory.ts'
export { bootSettings, type BootSettings } from './capture-memory-routes.ts'
export { collectorRoutes } from './collector-routes.ts'
export {
  firmwareFault,
  firmwareFaultNames,
  firmwareFaults,
  newFirmwareFault,
  type FaultValue,
  type FirmwareFault,
  type FirmwareFaultName,
  type FirmwareFaultRow,
  type NewFirmwareFault,
} from './firmware-faults.ts'
export {
  armedFault,
  faultPlaces,
  faults,
  newFault,
  placesOf,
  serviceFaultNames,
  type ArmedFault,
  type FaultName,
  type NewFault,
  type ServiceFaultName,
} from './faults.ts'
export { nearestFirst } from './nearest-names.ts'
export { readSoakFaultWord, soakFaultForm, soakFaultWord } from './soak-fault-words.ts'
export { serviceFaults } from './service-faults.ts'
export { faultPoints, type FaultPoint, type FaultRow, type Invariant } from './fault-row.ts'
export { faultRoutes, type RoomFault, type RoomFaults } from './fault-routes.ts'
export { healthRoutes } from './health-routes.ts'
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
export {
  newSoak,
  soak,
  soakArrivals,
  soakCrashesMax,
  soakFault,
  soakMachine,
  soakPartitionsMax,
  type NewSoak,
  type Soak,
  type SoakArrival,
  type SoakFault,
  type SoakProgress,
  type SoakState,
} from './soak.ts'
export {
  soakMoments,
  soakPhaseNames,
  soakPhases,
  soakReport,
  soakSamplesMax,
  type SoakBaseLevel,
  type SoakCheck,
  type SoakCrash,
  type SoakFaultCount,
  type SoakMemorySample,
  type SoakMoment,
  type SoakPartition,
  type SoakPhase,
  type SoakReport,
} from './soak-report.ts'
export {
  soakScenarioNames,
  soakScenarios,
  type SoakMechanism,
  type SoakScenarioName,
  type SoakScenarioRow,
} from './soak-scenarios.ts'
export { soakRoutes } from './soak-routes.ts'
export { vitalsRoutes, type Vitals } from './vitals.ts'
