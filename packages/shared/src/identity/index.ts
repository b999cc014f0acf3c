/** Who is who: credentials of services, tokens of dumps, the guard that lets requests in, the trail of refusals. */
export { AuditTrail, refusalRowsPerMinute, type AuditDeps, type AuditRow } from './audit.ts'
export { asDeclared, bearer, type Authorize } from './authorize.ts'
export {
  dumpToken,
  isProven,
  readDumpToken,
  signedCaptureJob,
  type DumpClaim,
} from './dump-token.ts'
export {
  createGuard,
  dumpTokenHeader,
  type Caller,
  type Guard,
  type GuardedRequest,
  type GuardOptions,
} from './guard.ts'
export { readKeyFile, readVerifiersFile, type NamedFile } from './read-keys.ts'
export {
  callersFile,
  dumpKeyFile,
  keyFiles,
  newRoomKeys,
  type RoomKeys,
  type ServiceIdentity,
} from './room-keys.ts'
export { equalSecrets, isSecret, newSecret, secretPrefixes, verifierOf } from './secret.ts'
export { callerVerifiers, recognise, type CallerVerifiers } from './verifiers.ts'
