/** How the figures are printed: value, and ratio to the calibration figure it depends on. */
import Table from 'cli-table3'

export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: 'GB/s' | 's'
  /** Name and value of what the ratio is taken to. */
  readonly against?: { readonly name: string; readonly ratio: number }
}

export function printReport(figures: readonly Figure[]): void {
  const table = new Table({
    head: ['figure', 'value', 'ratio'],
    style: { head: [], border: [] },
    colAligns: ['left', 'right', 'left'],
  })
  for (const { name, value, unit, against } of figures) {
    const ratio = against === undefined ? '' : `${against.ratio.toFixed(2)} × ${against.name}`
    table.push([name, `${value.toPrecision(3)} ${unit}`, ratio])
  }
  process.stdout.write(`${table.toString()}\n`)
}
