/** Bugs in jobs, events and what guards them. */
import { mutantsOf } from '../mutant.ts'

const room = 'packages/shared/src/queue'
const runtime = 'packages/shared/src/runtime'

export const queueMutants = mutantsOf([
  {
    file: `${room}/in-process-backlog.ts`,
    tests: [`${room}/in-process-queues.test.ts`],
    bugs: [
      {
        name: 'job-added-twice',
        what: 'a job whose id waits already is run a second time',
        find: 'if (this.#jobs.has(id)) return',
        replace: '',
      },
      {
        name: 'one-attempt-too-many',
        what: 'a job is given up one run too late',
        find: 'job.attemptsMade >= this.definition.attemptsMax',
        replace: 'job.attemptsMade > this.definition.attemptsMax',
      },
      {
        name: 'lost-lease-not-counted',
        what: 'a run that ended with its worker is not counted as an attempt',
        find: 'run.job.attemptsMade++',
        replace: '',
      },
    ],
  },
  {
    file: `${room}/heap-event-log.ts`,
    tests: [`${room}/heap-event-log.test.ts`],
    bugs: [
      {
        name: 'event-told-twice',
        what: 'who reads on after an event gets that event again',
        find: 'Math.max(after + 1,',
        replace: 'Math.max(after,',
      },
    ],
  },
  {
    file: `${room}/bullmq-worker.ts`,
    tests: [`${room}/bullmq-queues.test.ts`],
    needs: 'redis-server',
    bugs: [
      {
        name: 'stop-counts-as-failure',
        what: 'a job that a stopping worker hands back has lost an attempt',
        find: 'if (!this.#isStopping) throw this.#isLastRun(job)',
        replace: 'throw this.#isLastRun(job)',
      },
    ],
  },
  {
    file: `${runtime}/mutex.ts`,
    tests: [`${runtime}/mutex.test.ts`],
    bugs: [
      {
        name: 'mutex-does-not-wait',
        what: 'the mutex lets everybody in at once',
        find: 'if (before !== undefined) await before',
        replace: '',
      },
    ],
  },
  {
    file: `${runtime}/retry.ts`,
    tests: [`${runtime}/retry.test.ts`],
    bugs: [
      {
        name: 'backoff-does-not-grow',
        what: 'the pause between two attempts stays the same',
        find: 'backoff.backoffMs * 2 ** (attempt - 1)',
        replace: 'backoff.backoffMs',
      },
    ],
  },
])
