/** The processes of the other services: as many as their names stand for. */
import { lookup } from 'node:dns/promises'
import { faultRoutes, vitalsRoutes, type ServiceName } from '@fadump-lab/shared/contracts'
import { createClient, type Client } from '@fadump-lab/shared/http'
import type { Authorize } from '@fadump-lab/shared/identity'

export type PeerName = Exclude<ServiceName, 'hmc-api'>

export interface FaultProcess {
  readonly service: PeerName
  /** Of this very process. */
  readonly url: string
  readonly faults: Client<typeof faultRoutes>
  readonly vitals: Client<typeof vitalsRoutes>
}

/** The processes of a service at this moment. */
export type FindProcesses = (service: PeerName) => Promise<readonly FaultProcess[]>

/** Every address of a host name, as text. */
export type Addresses = (hostname: string) => Promise<readonly string[]>

export const resolvedAddresses: Addresses = async (hostname) =>
  (await lookup(hostname, { all: true })).map(({ address }) => address)

/** Requests go by the network as it is: what controls faults is not struck by them. */
export function processesBehind(
  urls: Readonly<Record<PeerName, string>>,
  {
    authorize,
    addresses = resolvedAddresses,
  }: {
    readonly authorize: Authorize
    readonly addresses?: Addresses
  },
): FindProcesses {
  return async (service) => {
    const { protocol, hostname, port, pathname } = new URL(urls[service])
    const found = await addresses(hostname.replace(/^\[|\]$/g, ''))
    return [...new Set(found)].toSorted().map((address) => {
      const host = address.includes(':') ? `[${address}]` : address
      const path = pathname.replace(/\/+$/, '')
      const url = `${protocol}//${host}${port === '' ? '' : `:${port}`}${path}`
      const options = { baseUrl: url, authorize }
      return {
        service,
        url,
        faults: createClient(faultRoutes, options),
        vitals: createClient(vitalsRoutes, options),
      }
    })
  }
}
