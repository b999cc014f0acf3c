/** HTTP glue: servers and clients derived from the route tables of `contracts`. */
export { createApp, listen, type AppDeps } from './app.ts'
export {
  createClient,
  type Client,
  type ClientOptions,
  type Fetch,
  type StreamedReply,
} from './client.ts'
export { asProblem, parseProblem, problemBody, problemMedia } from './problem-details.ts'
export { contentRange, parseRange, type ByteRange } from './range.ts'
export {
  commonConfig,
  portConfig,
  runService,
  type ServiceParts,
  type ServiceProcess,
} from './run-service.ts'
export type { Service } from './service.ts'
export { serveRoutes, type Handler, type Handlers, type Input, type ReplyControl } from './serve.ts'
