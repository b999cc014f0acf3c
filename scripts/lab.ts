/** `./lab`: the commands of the house. The launcher beside package.json has made sure of Node and the packages. */
import { commands } from './lab/commands.ts'
import { dispatch } from './lab/dispatch.ts'

// A reader that has seen enough, such as head, closes its end; that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

process.exitCode = await dispatch(process.argv.slice(2), {
  commands,
  out: (line) => process.stdout.write(`${line}\n`),
  error: (line) => process.stderr.write(`${line}\n`),
})
