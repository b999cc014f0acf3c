/** docs/faults.md: everything that can be broken on purpose, from the registry. */
import { faultPoints, faults, placesOf, type FaultRow } from '@fadump-lab/shared/contracts'
import { failureCatalogue } from '../../test/contract/failure-catalogue.ts'
import type { FailureRow } from '../../test/contract/failure-row.ts'
import { heading, table } from './markdown.ts'

const introduction = `
Everything that the lab can break on purpose. Faults are off: a service takes them only when it was started with
\`FAULTS_ENABLED=true\` (\`./lab up --faults\`), and \`GET /v1/faults\` tells which processes were.

\`\`\`sh
FAULTS_ENABLED=true docker compose up --wait
curl -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' localhost:8080/v1/faults \\
  -d '{"name":"connection-reset","value":100000,"at":"readVmcore","times":3,"scope":{"partition":"p1"}}'
\`\`\`

An administrator arms a fault wherever it acts: in every process of the services in question, found by all addresses of
their names. Each process counts its own \`times\`. \`after\` lets so many occasions pass first; \`probability\` with a
\`seed\` draws at each occasion, the same seed the same way. \`scope\` narrows it to a partition, a frame, a service, and
\`at\` to an operation, a file, a queue or a step. Every strike is counted in \`GET /v1/faults\` and is a row
\`fault-struck\` of the event stream with the fault's id, its count and what it hit. A process that ends takes what is armed
in it along; the events remain. \`DELETE /v1/faults\` disarms everything. Faults of firmware are armed with
\`scope.partition\`, lie with that partition, and are told with it; \`unreadPartitions\` of \`GET /v1/faults\` names those
whose firmware cannot be asked at the moment.

The invariants: **I1** the status of a dump never lies; **I2** preserved memory is released only after a durable, verified
copy or an explicit discard; **I3** one crash gives at most one stored dump, and none is lost without a recorded reason;
**I4** nothing grows without a bound; **I5** no byte of preserved memory outside the dump.
`

const catalogueIntroduction = `
The failures that systems of this field test for, and what holds them here: a test, or a sentence of
[limits.md](limits.md#faults) that says what is left out. The faults above that bring a failure about stand beside it.
`.trimStart()

export function faultsPage(): string {
  const points = Object.entries(faultPoints).map(([point, where]) => {
    const rows = [...faults].filter(([, row]) => row.point === point)
    return `## ${point}\n\nActs on ${where}.\n\n${table(['fault', 'does', 'value', 'comes out'], rows.map(cells))}\n`
  })
  return [
    heading('Faults', 'packages/shared/src/contracts/service-faults.ts, firmware-faults.ts'),
    introduction.trimStart(),
    ...points,
    `## What can go wrong\n\n${catalogueIntroduction}\n${catalogueTable()}\n`,
  ].join('\n')
}

function cells([name, row]: readonly [name: string, row: FaultRow]): readonly string[] {
  const { does, value, expects } = row
  return [
    `\`${name}\`${placesText(row)}`,
    does,
    row.default === undefined ? value : `${value}, ${row.default}`,
    `${expects.holds.join(' ')}: ${expects.outcome}`,
  ]
}

/** Long lists are those of whole tables. */
const listedMax = 10

function placesText(row: FaultRow): string {
  const places = placesOf(row)
  const where = row.services.length === 4 ? '' : ` in ${row.services.join(', ')}`
  if (places.length === 0) return where
  const which = places.length > listedMax ? `any ${row.place}` : places.join(', ')
  return `${where}; at ${which}`
}

function catalogueTable(): string {
  const rows = Object.entries(failureCatalogue).map(([number, row]) => {
    const bringing = [...faults].filter(([, fault]) => fault.catalogue.includes(Number(number)))
    const names = bringing.map(([name]) => `\`${name}\``).join(', ')
    return [number, row.statement, names, heldBy(row)]
  })
  return table(['', 'failure', 'faults', 'held by'], rows)
}

function heldBy({ tests = [], limit }: FailureRow): string {
  const links = [...new Set(tests.map(([file]) => file))].map(
    (file) => `[${file.split('/').at(-1)}](../${file})`,
  )
  return [...links, ...(limit === undefined ? [] : [`limit: “${limit} …”`])].join(', ')
}
