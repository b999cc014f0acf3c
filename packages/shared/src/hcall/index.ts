/** Hypervisor calls: registers, tokens, translation control entries. Pure; imports units. */
export {
  decodeHcall,
  decodeHcallReply,
  encodeHcall,
  encodeHcallReply,
  hcallCellsMax,
  HcallError,
  type Hcall,
  type HcallReply,
} from './call.ts'
export {
  allowsWrite,
  isTceMapped,
  tceAddress,
  tceCountMax,
  tceOf,
  tcePageBytes,
  tcePageShift,
  tcePermission,
} from './tce.ts'
export { hcallNameOf, hcallReturn, hcallToken, type HcallName } from './tokens.ts'
