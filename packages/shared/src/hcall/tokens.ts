/** Function tokens and return codes of the hypervisor calls that are modelled (PAPR 14.5.4; Linux `hvcall.h`). */

export const hcallToken = {
  H_GET_TCE: 0x1c,
  H_PUT_TCE: 0x20,
  H_STUFF_TCE: 0x138,
  H_PUT_TCE_INDIRECT: 0x13c,
} as const

export type HcallName = keyof typeof hcallToken

export const hcallReturn = {
  H_SUCCESS: 0,
  /** H_GET_TCE: what the entry maps is no memory of the caller. */
  H_PARTIAL: 5,
  /** No such function token. */
  H_FUNCTION: -2,
  H_PARAMETER: -4,
  /** The fourth parameter, a count, is too large. */
  H_P4: -57,
} as const

const names = new Map<number, HcallName>(
  Object.entries(hcallToken).map(([name, token]) => [token, name as HcallName]),
)

/** The call behind a token, or `undefined` when this hypervisor has none. */
export function hcallNameOf(token: number): HcallName | undefined {
  return names.get(token)
}
