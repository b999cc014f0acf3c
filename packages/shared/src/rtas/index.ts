/** Run-time abstraction services: the argument buffer, status codes, tokens. Pure; imports units and layout. */
export {
  decodeRtasCall,
  decodeRtasReturns,
  encodeRtasCall,
  encodeRtasReply,
  rtasCellsMax,
  RtasCallError,
  type RtasCall,
} from './call.ts'
export {
  describeRtasStatus,
  rtasDelayMs,
  rtasStatus,
  rtasStatuses,
  type RtasStatusRow,
} from './status.ts'
export {
  rtasServiceOf,
  rtasServices,
  rtasTokenProperties,
  rtasToken,
  type RtasServiceName,
  type RtasServiceRow,
} from './tokens.ts'
