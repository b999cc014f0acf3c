/** The parameters, consumers and cards of the memory model as tables. */
import {
  consumers,
  networkCards,
  parameterNames,
  parameters,
  presetNames,
  presets,
  type ParameterName,
} from '@fadump-lab/shared/capture-memory'
import { table } from './markdown.ts'

export function parameterTables(): string {
  return [
    ['What each consumer takes, by the names of the parameters below:', consumerTable()],
    ['What a card fills for each port when its link goes up:', cardTable()],
    ...presetNames.map((name) => [
      `Preset \`${name}\`, ${presets[name].title}:`,
      parameterTable(name),
    ]),
    [''],
  ]
    .flat()
    .join('\n\n')
    .trimEnd()
    .concat('\n')
}

function consumerTable(): string {
  return table(
    ['phase', 'consumer', 'formula'],
    consumers.map(({ phase, name, formula, until }) => [
      until === undefined ? phase : `${phase}, until ${until}`,
      name,
      formula,
    ]),
  )
}

function cardTable(): string {
  return table(
    ['card', 'what it is', 'queues at most', 'source'],
    Object.entries(networkCards).map(([kind, { title, queuesMax, source, assumed }]) => [
      kind,
      title,
      String(queuesMax),
      assumed ? `${source}; **assumed** in part` : source,
    ]),
  )
}

function parameterTable(preset: (typeof presetNames)[number]): string {
  const { values } = presets[preset]
  return table(
    ['parameter', 'value', 'meaning', 'basis', 'source'],
    parameterNames.map((name) => {
      const { value, basis, source } = values[name]
      return [
        name,
        `${numberText(value)} ${unitText(name)}`.trimEnd(),
        parameters[name].meaning,
        basis === 'assumed' ? '**assumed**' : basis,
        source,
      ]
    }),
  )
}

function numberText(value: number): string {
  return String(Math.round(value * 1000) / 1000)
}

/** Counts and shares are bare numbers. */
function unitText(name: ParameterName): string {
  const { unit } = parameters[name]
  return unit === 'count' || unit === 'share' ? '' : unit
}
