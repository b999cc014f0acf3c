/** What a process runs on: time, randomness, configuration, start and end. */
export { rememberedCodec, remembering, type TextCodec } from './remember.ts'
export { delayMsMax, isoTime, momentOf, sleepOn, systemClock, type Clock } from './clock.ts'
export { VirtualClock } from './virtual-clock.ts'
export { seededRandom, systemRandom, type Random } from './random.ts'
export { KeyedMutex } from './mutex.ts'
export { withinDeadline, type Deadline } from './deadline.ts'
export { backoffDelayMs, retry, type Backoff, type RetryOptions } from './retry.ts'
export {
  ConfigError,
  envInteger,
  loadConfig,
  redact,
  type ConfigIssue,
  type Environment,
} from './config.ts'
export { readSecretFile, secretCharactersMax, urlWithPassword } from './secret-file.ts'
export { exitCodeOf, exitCodes, UnavailableError, type ExitReason } from './exit-codes.ts'
export {
  closeInOrder,
  shutdownOnSignal,
  type CloseFailure,
  type Closer,
  type ShutdownOptions,
  type ShutdownSignal,
  type SignalSource,
} from './shutdown.ts'
