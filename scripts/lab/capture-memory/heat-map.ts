/** A sweep as a picture: SVG text, one rectangle a run of equal cells. */
import {
  passCode,
  phases,
  refusedCode,
  sweepLegend,
  warnCode,
  type SweepTable,
} from '@fadump-lab/shared/capture-memory'

export interface AxisText {
  readonly name: string
  readonly values: readonly string[]
}

export interface Picture {
  readonly title: string
  readonly tables: readonly SweepTable[]
  readonly x: AxisText
  readonly y: AxisText
  readonly z: AxisText | undefined
}

/** Cells that a picture may have. */
export const pictureCellsMax = 250_000

/** From early failures, dark, to late ones. */
const phaseColours = [
  '#1f1147',
  '#3b1a6e',
  '#5c2283',
  '#7c2a85',
  '#9c3179',
  '#b93d6a',
  '#d24a55',
  '#e0633f',
  '#e5802f',
  '#c9541c',
  '#8a3b12',
] as const

const colours: Readonly<Record<string, string>> = {
  [passCode]: '#3f9b6c',
  [warnCode]: '#f3cf57',
  [refusedCode]: '#d9d9d9',
  ...Object.fromEntries(phases.map(({ code }, index) => [code, phaseColours[index] ?? '#000000'])),
}

/** Pixels. */
const [margin, labelWidth, titleHeight, axisHeight, legendLine] = [16, 84, 30, 40, 20] as const
const plotWidthMax = 720
const cellMax = 36
/** A cell of this size has room for its letter. */
const letterCell = 15
const ticksMax = 16

export function heatMap(picture: Picture): string {
  const { tables, x, y, z } = picture
  const cell = cellSize(x.values.length, y.values.length)
  const tableHeight = y.values.length * cell.height + axisHeight + (z === undefined ? 0 : 22)
  const legend = legendOf(tables)
  const width = 2 * margin + labelWidth + Math.max(x.values.length * cell.width, 420)
  const height = 2 * margin + titleHeight + tables.length * tableHeight + legend.length * legendLine
  const top = margin + titleHeight
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text({ x: margin, y: margin + 12, bold: true }, picture.title),
    ...tables.flatMap((table, index) =>
      tableSvg({ table, index, cell, top: top + index * tableHeight }, picture),
    ),
    ...legend.flatMap((code, index) =>
      legendSvg(code, top + tables.length * tableHeight + index * legendLine),
    ),
    '</svg>',
    '',
  ].join('\n')
}

interface Size {
  readonly width: number
  readonly height: number
}

/** Cells as large as the plot allows; many cells share a pixel in width, never less. */
function cellSize(columns: number, rows: number): Size {
  const fit = (count: number): number =>
    Math.max(1, Math.min(cellMax, Math.floor(plotWidthMax / count)))
  return { width: fit(columns), height: Math.min(22, fit(rows)) }
}

interface Place {
  readonly table: SweepTable
  readonly index: number
  readonly cell: Size
  readonly top: number
}

function tableSvg({ table, index, cell, top }: Place, { x, y, z }: Picture): readonly string[] {
  const left = margin + labelWidth
  const plotTop = top + (z === undefined ? 0 : 22)
  const bottom = plotTop + y.values.length * cell.height
  const heading =
    z === undefined
      ? []
      : [text({ x: left, y: top + 14, bold: true }, `${z.name} ${z.values[index] ?? ''}`)]
  return [
    ...heading,
    ...table.rows.flatMap((codes, row) =>
      rowSvg(codes, { left, top: plotTop + row * cell.height, cell }),
    ),
    ...ticks(y.values).map(([value, row]) =>
      text({ x: left - 6, y: plotTop + (row + 0.5) * cell.height + 4, anchor: 'end' }, value),
    ),
    ...ticks(x.values).map(([value, column]) =>
      text({ x: left + (column + 0.5) * cell.width, y: bottom + 14, anchor: 'middle' }, value),
    ),
    text({ x: left - 6, y: bottom + 14, anchor: 'end', bold: true }, y.name),
    text({ x: left, y: bottom + 30, bold: true }, x.name),
  ]
}

/** Runs of equal cells as one rectangle each; letters where there is room. */
function rowSvg(
  codes: string,
  { left, top, cell }: { readonly left: number; readonly top: number; readonly cell: Size },
): readonly string[] {
  const runs = [...codes.matchAll(/(.)\1*/g)].map(({ 0: run, index }) => {
    const width = run.length * cell.width
    const fill = colours[run.charAt(0)] ?? '#000000'
    return `<rect x="${left + index * cell.width}" y="${top}" width="${width}" height="${cell.height}" fill="${fill}"/>`
  })
  if (cell.width < letterCell || cell.height < letterCell) return runs
  const letters = codes.split('').flatMap((code, column) =>
    code === passCode
      ? []
      : [
          text(
            {
              x: left + (column + 0.5) * cell.width,
              y: top + cell.height / 2 + 4,
              anchor: 'middle',
              fill: code === warnCode || code === refusedCode ? '#333333' : '#ffffff',
            },
            code,
          ),
        ],
  )
  return [...runs, ...letters]
}

/** At most `ticksMax` labels, evenly spread, with their positions. */
function ticks(values: readonly string[]): readonly (readonly [value: string, index: number])[] {
  const every = Math.ceil(values.length / ticksMax)
  return values.flatMap((value, index) => (index % every === 0 ? [[value, index] as const] : []))
}

/** The codes that occur, in the order of the legend. */
function legendOf(tables: readonly SweepTable[]): readonly string[] {
  const present = new Set(tables.flatMap(({ rows }) => rows.join('').split('')))
  return Object.keys(sweepLegend).filter((code) => present.has(code))
}

function legendSvg(code: string, top: number): readonly string[] {
  return [
    `<rect x="${margin + labelWidth}" y="${top}" width="14" height="14" fill="${colours[code] ?? '#000000'}"/>`,
    text({ x: margin + labelWidth + 22, y: top + 11 }, `${code}  ${sweepLegend[code] ?? ''}`),
  ]
}

interface TextPlace {
  readonly x: number
  readonly y: number
  readonly anchor?: 'middle' | 'end'
  readonly bold?: true
  readonly fill?: string
}

function text({ x, y, anchor, bold, fill }: TextPlace, content: string): string {
  const attributes = [
    `x="${x}" y="${y}" fill="${fill ?? '#222222'}"`,
    ...(anchor === undefined ? [] : [`text-anchor="${anchor}"`]),
    ...(bold === undefined ? [] : ['font-weight="bold"']),
  ]
  return `<text ${attributes.join(' ')}>${escaped(content)}</text>`
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
