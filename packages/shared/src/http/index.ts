/** HTTP glue: servers and clients derived from the route tables of `contracts`. */
export { createApp, listen, type AppDeps, type Tls } from './app.ts'
export {
  createClient,
  type Client,
  type ClientOptions,
  type Fetch,
  type Reply,
  type StreamedReply,
} from './client.ts'
export { asProblem, parseProblem, problemBody, problemMedia } from './problem-details.ts'
export { createInProcessNetwork, type InProcessNetwork } from './in-process-network.ts'
export { contentRange, parseRange, type ByteRange } from './range.ts'
export {
  commonConfig,
  portConfig,
  runService,
  type ServiceParts,
  type ServiceProcess,
} from './run-service.ts'
export type { Service } from './service.ts'
export { systemFetch } from './system-fetch.ts'
export { serveRoutes } from './serve.ts'
export type { Handler, Handlers, Input, ReplyControl } from './exchange.ts'
export type { InProcessService } from './in-process-service.ts'
export { vitalsHandlers, vitalsOf } from './vitals.ts'
export { refusing } from './store-refusals.ts'
