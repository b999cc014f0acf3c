/** Bugs in faults: ones that strike elsewhere, at other times, or not at all. */
import { mutantsOf } from '../mutant.ts'

const room = 'packages/shared/src/faults'
const files = 'services/dump-collector/src/faults'

export const faultMutants = mutantsOf([
  {
    file: `${room}/fault-plan.ts`,
    tests: [`${room}/fault-plan.test.ts`],
    bugs: [
      {
        name: 'fault-without-scope',
        what: 'a fault of one partition strikes all',
        find: 'scope.partition !== undefined && scope.partition !== partition',
        replace: 'scope.partition === partition && false',
      },
      {
        name: 'fault-one-too-late',
        what: 'a fault lets one occasion more pass than it is told',
        find: 'entry.considered <= after',
        replace: 'entry.considered <= after + 1',
      },
      {
        name: 'fault-held-by-nobody',
        what: 'a fault that aims at two streams strikes both, though it may strike once',
        find: 'entry.struck + entry.aimed >= times',
        replace: 'entry.struck >= times',
      },
    ],
  },
  {
    file: `${room}/faulty-stream.ts`,
    tests: [`${room}/faulty-fetch.test.ts`],
    bugs: [
      {
        name: 'reset-one-byte-late',
        what: 'a connection breaks one byte later than it is told',
        find: 'let left = aim.value',
        replace: 'let left = aim.value + 1',
      },
      {
        name: 'no-bit-flips',
        what: 'a bit flip is counted, and no bit is different',
        find: '^ 1',
        replace: '^ 0',
      },
      {
        name: 'half-open-ends',
        what: 'a half-open connection ends as if the stream were whole',
        find: 'if (end.hasStruck) await silence(tools.clock, signal)',
        replace: '',
      },
      {
        name: 'duplicate-left-out',
        what: 'a record that should come twice comes once',
        find: '    end.strike()\n    yield unit',
        replace: '    end.strike()',
      },
    ],
  },
  {
    file: `${room}/faulty-fetch.ts`,
    tests: [`${room}/faulty-fetch.test.ts`],
    bugs: [
      {
        name: 'no-latency',
        what: 'latency is counted, and nothing is late',
        find: 'if (latency !== undefined) await clock.sleep(latency.value, signal)',
        replace: 'void latency',
      },
    ],
  },
  {
    file: `${room}/faulty-clock.ts`,
    tests: [`${room}/ports.test.ts`],
    bugs: [
      {
        name: 'clock-jumps-back',
        what: 'a clock that has jumped goes right again at the next look',
        find: 'setByMs += plan',
        replace: 'setByMs = plan',
      },
    ],
  },
  {
    file: `${room}/faulty-queues.ts`,
    tests: [`${room}/ports.test.ts`],
    bugs: [
      {
        name: 'stalled-job-knows-nothing',
        what: 'a run that has lost its job is not told',
        find: 'lost.abort(new Error(`the lease of job ${job.id} is lost (planned)`))',
        replace: '',
      },
      {
        name: 'no-redelivery',
        what: 'a redelivery is counted, and the job runs once',
        find: 'await handler({ ...job, attempt: job.attempt + 1 })',
        replace: '',
      },
    ],
  },
  {
    file: `${room}/faulty-store.ts`,
    tests: [`${room}/ports.test.ts`],
    bugs: [
      {
        name: 'torn-commit-undone',
        what: 'a commit whose answer is lost has not happened either',
        find: 'if (torn.value === 1) await run()',
        replace: '',
      },
    ],
  },
  {
    file: `${room}/outage.ts`,
    tests: [`${room}/ports.test.ts`],
    bugs: [
      {
        name: 'outage-of-one-call',
        what: 'a Redis that restarts refuses one call only',
        find: 'until = clock.now() + strike.value',
        replace: 'until = -Infinity',
      },
    ],
  },
  {
    file: `${room}/fault-tools.ts`,
    tests: [`${room}/ports.test.ts`],
    bugs: [
      {
        name: 'dead-process-goes-on',
        what: 'the ports of a process that has ended still do what they are asked',
        find: "if (this.#isEnded) throw new ProcessEndedError('the process has ended (planned)')",
        replace: '',
      },
    ],
  },
  {
    file: `${files}/faulty-files.ts`,
    tests: [`${files}/faulty-files.test.ts`],
    bugs: [
      {
        name: 'full-disk-takes-nothing',
        what: 'a full disk leaves out what is before the byte',
        find: 'if (full.value > position)',
        replace: 'if (false)',
      },
      {
        name: 'fsync-fails-late',
        what: 'an fsync fails after everything has reached the disk',
        find: '        checkSync(tools, occasionOf(`fsync ${path}`, path))\n        await file.sync()',
        replace:
          '        await file.sync()\n        checkSync(tools, occasionOf(`fsync ${path}`, path))',
      },
    ],
  },
])
