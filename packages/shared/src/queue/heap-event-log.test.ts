import { eventLogConformance } from './event-log.conformance.ts'
import { createHeapEventLog } from './heap-event-log.ts'

eventLogConformance('the event log in the heap', async () => {
  const logs = new AsyncDisposableStack()
  return {
    slack: 0,
    open: async (rowsMax) => logs.use(createHeapEventLog({ rowsMax })),
    [Symbol.asyncDispose]: () => logs.disposeAsync(),
  }
})
