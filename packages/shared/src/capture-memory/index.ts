/**
 * The capture kernel's memory: what takes it, phase by phase, whether a dump fits, why not, and what to set. Pure;
 * amounts are MiB as numbers, a system is described by settings.
 */
export { allocate, memTotalMiB, type Allocation, type Shortage } from './allocate.ts'
export type { CaptureSystem } from './capture-system.ts'
export type { WellFormedDescription } from './complete-system.ts'
export { consumers, type ConsumerRow } from './consumers.ts'
export {
  checkValues,
  completeSystem,
  describeRefusal,
  describeSystem,
  type CheckedDescription,
  type DescribedSystem,
  type Refusal,
} from './describe-system.ts'
export {
  evaluate,
  fits,
  judge,
  type ConsumerUse,
  type Evaluation,
  type PhaseAccount,
  type Verdict,
} from './evaluate.ts'
export { explain, shortfallMiB, topConsumers, type Explained } from './explain.ts'
export { cheapestFix, fixesFor, type Fix } from './fixes.ts'
export { processesIn, type Failure } from './failure.ts'
export {
  fadumpFloorMiB,
  maximumBootMemoryMiB,
  minimumBootMemoryMiB,
  recommendedBootMemoryMiB,
  recommendedSpareShare,
  recommendedStepMiB,
} from './minimum.ts'
export {
  networkCard,
  networkCardKinds,
  networkCards,
  type NetworkCard,
  type NetworkCardKind,
} from './network-cards.ts'
export {
  parameterNames,
  parameters,
  type ParameterName,
  type ParameterRow,
  type ParameterValue,
} from './parameters.ts'
export {
  failures,
  phaseNames,
  phases,
  type FailureKind,
  type FailureRow,
  type Phase,
  type PhaseRow,
} from './phases.ts'
export { presetNames, presets, type PresetName } from './presets/presets.ts'
export type { Preset } from './presets/preset.ts'
export { estimate, rehearse, type Comparison, type Estimate, type Rehearsal } from './rehearse.ts'
export {
  kdumpctlEstimateMiB,
  linuxDefaultMiB,
  redHatMiB,
  redHatTables,
  reservationRules,
  suseFormulaMiB,
  suseSuggestionMiB,
  type Mechanism,
  type ReservationRule,
} from './reservations.ts'
export {
  isSettingName,
  settingNames,
  settingRow,
  settings,
  type Setting,
  type SettingName,
  type SystemDescription,
} from './settings.ts'
export { allocationSteps, type AllocationStep } from './steps.ts'
export {
  passCode,
  refusedCode,
  sweepCellsMax,
  sweepLegend,
  sweepRefusals,
  sweepTables,
  warnCode,
  type Sweep,
  type SweepAxis,
  type SweepTable,
} from './sweep.ts'
export { targetNames, targets, type Target, type TargetRow } from './targets.ts'
export { marginShareMin, type Warning, type WarningKind } from './warnings.ts'
