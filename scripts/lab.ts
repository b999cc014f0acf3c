/** `./lab`: the commands of the house. The launcher beside package.json has made sure of Node and the packages. */
import { commands } from './lab/commands.ts'
import { dispatch } from './lab/dispatch.ts'

process.exitCode = await dispatch(process.argv.slice(2), {
  commands,
  out: (line) => process.stdout.write(`${line}\n`),
  error: (line) => process.stderr.write(`${line}\n`),
})
