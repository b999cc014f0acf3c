/**
 * The process that is killed: reads its work from standard input and writes a line `step usedBytes` before each step. The
 * lines are written synchronously, so that the last one is out when the OOM killer comes.
 */
import { readFileSync, writeFileSync, writeSync } from 'node:fs'
import { ownControlGroup } from './control-group.ts'
import { liveThrough } from './live-through.ts'
import { captureWork } from './port.ts'

const standardInput = 0
const standardOutput = 1

// The OOM killer takes this process first, not the one that reports it.
writeFileSync('/proc/self/oom_score_adj', '1000')
const work = captureWork.parse(JSON.parse(readFileSync(standardInput, 'utf8')))
const group = ownControlGroup()
liveThrough(work, {
  usedBytes: () => group.usedBytes(),
  tell: (step, used) => void writeSync(standardOutput, `${step} ${used}\n`),
})
