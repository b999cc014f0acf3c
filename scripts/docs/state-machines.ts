/** docs/state-machines.md: the machines drawn from the tables that run. */
import { captureMachine, jobMachine, partitionMachine } from '@fadump-lab/shared/contracts'
import { registrationMachine } from '@fadump-lab/shared/fadump'
import type { Machine } from '@fadump-lab/shared/units'
import { heading, table } from './markdown.ts'

interface Drawing {
  readonly title: string
  readonly text: string
  readonly source: string
  readonly machine: Pick<Machine<string, string>, 'states' | 'rows'>
}

const drawings: readonly Drawing[] = [
  {
    title: 'Partition',
    text: 'A partition as the hypervisor sees it.',
    source: 'packages/shared/src/contracts/lifecycle.ts',
    machine: partitionMachine,
  },
  {
    title: 'Registration',
    text: 'The dump registration of a partition as firmware keeps it.',
    source: 'packages/shared/src/fadump/registration.ts',
    machine: registrationMachine,
  },
  {
    title: 'Capture',
    text: 'One dump on its way from the capture kernel to the store, as the collector sees it.',
    source: 'packages/shared/src/contracts/lifecycle.ts',
    machine: captureMachine,
  },
  {
    title: 'Job',
    text: 'A long operation of the console.',
    source: 'packages/shared/src/contracts/hmc-job.ts',
    machine: jobMachine,
  },
]

export function stateMachines(): string {
  return [
    heading('State machines', 'the machine tables of the code'),
    'An event that a state does not list is refused with the problem [wrong-state](problems.md#wrong-state) and changes nothing.\n',
    ...drawings.map(draw),
  ].join('\n')
}

function draw({ title, text, source, machine }: Drawing): string {
  const arrows = machine.rows.map(({ from, event, to }) => `  ${id(from)} --> ${id(to)}: ${event}`)
  const names = machine.states
    .filter((state) => id(state) !== state)
    .map((state) => `  state "${state}" as ${id(state)}`)
  const [initial = ''] = machine.states
  return [
    `## ${title}\n`,
    `${text} Source: [${source.split('/').at(-1)}](../${source}).\n`,
    [
      '```mermaid',
      'stateDiagram-v2',
      ...names,
      `  [*] --> ${id(initial)}`,
      ...arrows,
      '```\n',
    ].join('\n'),
    `${transitions(machine)}\n`,
  ].join('\n')
}

function transitions({ rows, states }: Drawing['machine']): string {
  const leaving = states.map((state) => {
    const moves = rows
      .filter(({ from }) => from === state)
      .map(({ event, to }) => `${event} → ${to}`)
    return [state, moves.length === 0 ? 'none: final' : moves.join(', ')]
  })
  return table(['state', 'events'], leaving)
}

/** Mermaid takes no hyphen in the id of a state. */
function id(state: string): string {
  return state.replaceAll('-', '_')
}
