/**
 * `node test/system/containers/thousand-crashes.ts [OPTION...]`: the long soak of containers, in a compose project of its
 * own. Options are those of `./lab soak --compose`; what is given replaces what stands here.
 */
import { commands } from '../../../scripts/lab/commands.ts'
import { dispatch } from '../../../scripts/lab/dispatch.ts'
import { startContainerRoom } from '../../support/containers.ts'

const usual = ['--partitions', '24', '--crashes', '1000', '--seed', '1', '--concurrency', '24']

await using room = await startContainerRoom({
  faults: true,
  scale: { 'lpar-kernel': 2, 'dump-collector': 2 },
})
const words = ['soak', ...usual, ...process.argv.slice(2), '--compose', room.project]
process.exitCode = await dispatch(words, {
  commands,
  out: (line) => process.stdout.write(`${line}\n`),
  error: (line) => process.stderr.write(`${line}\n`),
})
