import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { command, port, redisUrl, text } from './command.ts'
import { commands } from './commands.ts'
import { dispatch } from './dispatch.ts'

/** A terminal with one command `dump` that remembers what it was given. */
function aTerminal() {
  const lines: string[] = []
  const errors: string[] = []
  const runs: unknown[] = []
  const dump = command({
    summary: 'Take a dump',
    options: {
      out: { placeholder: 'DIR', summary: 'where it goes', parse: text },
      port: { placeholder: 'N', summary: 'the port', parse: port },
      json: { summary: 'as JSON' },
    },
    run: (values) => {
      runs.push(values)
      return Promise.resolve(3)
    },
  })
  const terminal = {
    commands: { dump },
    out: (line: string) => lines.push(line),
    error: (line: string) => errors.push(line),
  }
  return { runs, lines, errors, run: (...args: string[]) => dispatch(args, terminal) }
}

test('a command gets its options as values and its answer is the exit code', async () => {
  const { run, runs } = aTerminal()
  assert.equal(await run('dump', '--out', 'd', '--port=8080', '--json'), 3)
  assert.deepEqual(runs, [{ out: 'd', port: 8080, json: true }])
})

test('options that are not given are undefined, flags false', async () => {
  const { run, runs } = aTerminal()
  await run('dump')
  assert.deepEqual(runs, [{ out: undefined, port: undefined, json: false }])
})

describe('a command line that is wrong ends with 64 and names what would be right', () => {
  const refused: Readonly<Record<string, [words: string[], message: RegExp]>> = {
    'an unknown command': [['dmup'], /no command "dmup"; the commands are dump, help, version$/],
    'the name of an inherited property': [['toString'], /no command "toString"/],
    'an unknown option': [['dump', '--outt', 'd'], /'--outt'; usage: \.\/lab dump \[--out DIR\]/],
    'an option without its value': [['dump', '--out'], /--out.*; usage: \.\/lab dump/],
    'a flag with a value': [['dump', '--json=1'], /--json.*; usage: \.\/lab dump/],
    'an operand that nobody asked for': [['dump', 'x'], /'x'.*; usage: \.\/lab dump/],
    'a port beyond 65535': [['dump', '--port', '65536'], /"65536" is no port/],
    'a port that is no number': [['dump', '--port', '80a'], /"80a" is no port/],
    'help for an unknown command': [['help', 'dmup'], /the commands are dump, help, version$/],
  }
  for (const [what, [words, message]] of Object.entries(refused)) {
    test(what, async () => {
      const { run, runs, lines, errors } = aTerminal()
      assert.equal(await run(...words), 64)
      assert.match(errors.join('\n'), message)
      assert.deepEqual([runs, lines], [[], []])
    })
  }
})

test('no argument, help and --help print every command on standard output', async () => {
  for (const words of [[], ['help'], ['--help'], ['-h']]) {
    const { run, lines } = aTerminal()
    assert.equal(await run(...words), 0)
    assert.match(lines.join('\n'), /\.\/lab dump \[--out DIR\] \[--port N\] \[--json\]/)
  }
})

test('help of one command is the same by help COMMAND and by COMMAND --help', async () => {
  const [first, second] = [aTerminal(), aTerminal()]
  await first.run('help', 'dump')
  await second.run('dump', '--out', 'd', '--help')
  assert.deepEqual(second.lines, first.lines)
  assert.match(first.lines.join('\n'), /--out DIR +where it goes/)
})

test('version names the project and the Node it runs on', async () => {
  const { run, lines } = aTerminal()
  assert.equal(await run('version'), 0)
  assert.match(lines.join('\n'), /^fadump-lab \d+\.\d+\.\d+ \(Node \d+\.\d+\.\d+\)$/)
})

test('a fault of our own ends with 70 and tells where and why', async () => {
  const errors: string[] = []
  const broken = command({
    summary: 'Fail',
    options: {},
    run: () => Promise.reject(new Error('outer', { cause: new Error('inner') })),
  })
  const terminal = {
    commands: { broken },
    out: () => {},
    error: (line: string) => errors.push(line),
  }
  assert.equal(await dispatch(['broken'], terminal), 70)
  assert.match(errors.join('\n'), /outer[\s\S]*dispatch\.test\.ts[\s\S]*caused by .*inner/)
})

test('the commands of the house are demo, up, init, explain, estimate, rehearse, sweep, simulate, soak and test', () => {
  const names = [
    'demo',
    'up',
    'init',
    'explain',
    'estimate',
    'rehearse',
    'sweep',
    'simulate',
    'soak',
    'test',
  ]
  assert.deepEqual(Object.keys(commands), names)
})

test('a Redis URL has the scheme redis or rediss and a host', () => {
  assert.equal(redisUrl('redis://127.0.0.1:6379/0'), 'redis://127.0.0.1:6379/0')
  for (const wrong of ['127.0.0.1:6379', 'http://127.0.0.1', 'redis://', 'redis:///1']) {
    assert.throws(() => redisUrl(wrong), { message: /is no Redis URL: give redis:\/\/HOST:PORT$/ })
  }
})
