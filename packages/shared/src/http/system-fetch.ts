/** The machine's own network, for those who decorate it. */
import type { Fetch } from './client.ts'

export const systemFetch: Fetch = (input, init) => fetch(input, init)
