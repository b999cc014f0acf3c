/** `node test/sequence/replay.ts`: checks sequences of one seed in this process and shrinks what fails. */
import { parseArgs } from 'node:util'
import { checkSequences } from './check-sequences.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '20111115' },
    runs: { type: 'string', default: '1000' },
    path: { type: 'string' },
  },
})
const report = await checkSequences({
  seed: Number(values.seed),
  runs: Number(values.runs),
  ...(values.path === undefined ? {} : { path: values.path }),
})
process.stdout.write(`${report.text}\n`)
process.exitCode = report.isGreen ? 0 : 1
