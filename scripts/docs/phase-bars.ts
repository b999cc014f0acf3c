/** Memory in use by phase and consumer as stacked bars: SVG text. */
import type { PhaseAccount } from '@fadump-lab/shared/capture-memory'

export interface PhaseBars {
  readonly title: string
  readonly account: readonly PhaseAccount[]
  /** Consumers from the bottom to the top of a bar. */
  readonly order: readonly string[]
  /** Boot memory sizes to draw as lines, MiB. */
  readonly lines: readonly number[]
}

/** Pixels. */
const [left, top, barHeight, barGap, plotWidth, legendWidth] = [140, 48, 22, 8, 560, 250] as const
/** Consumers with a colour of their own; the others are one. */
const colours: Readonly<Record<string, string>> = {
  'kernel image': '#33638d',
  'memory map': '#5b8db8',
  'per-CPU slabs and lists': '#8fb4d4',
  'initramfs image': '#c9a44c',
  'unpacked initramfs': '#e3c87a',
  'user space': '#7d9f5c',
  'udev workers that leave': '#a9c48b',
  'network user space': '#c98bb9',
  'receive rings': '#d24a55',
  'transfer client': '#8a5fa8',
  'page cache': '#b9a3cf',
}
const otherColour = '#a0a0a0'

export function phaseBars({ title, account, order, lines }: PhaseBars): string {
  const most = Math.max(...lines, ...account.map(({ usedMiB }) => usedMiB))
  const scale = plotWidth / (most * 1.04)
  const height = top + account.length * (barHeight + barGap) + 40
  const width = left + plotWidth + legendWidth
  const bottom = top + account.length * (barHeight + barGap)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="16" y="22" font-weight="bold" fill="#222222">${title}</text>`,
    ...account.flatMap((row, index) =>
      bar(row, { y: top + index * (barHeight + barGap), scale, order }),
    ),
    ...lines.map((MiB) => line(MiB, scale, bottom)),
    ...legend(account),
    '</svg>',
    '',
  ].join('\n')
}

interface BarPlace {
  readonly y: number
  readonly scale: number
  readonly order: readonly string[]
}

function bar(
  { phase, usedMiB, consumers }: PhaseAccount,
  { y, scale, order }: BarPlace,
): readonly string[] {
  const sorted = consumers.toSorted((a, b) => order.indexOf(a.consumer) - order.indexOf(b.consumer))
  let start = 0
  const pieces = sorted.map(({ consumer, MiB }) => {
    const x = (left + start * scale).toFixed(1)
    start += MiB
    const width = (MiB * scale).toFixed(1)
    return `<rect x="${x}" y="${y}" width="${width}" height="${barHeight}" fill="${colours[consumer] ?? otherColour}"/>`
  })
  return [
    `<text x="${left - 8}" y="${y + 15}" text-anchor="end" fill="#222222">${phase}</text>`,
    ...pieces,
    `<text x="${(left + usedMiB * scale + 5).toFixed(1)}" y="${y + 15}" fill="#222222">${usedMiB.toFixed(0)}</text>`,
  ]
}

function line(MiB: number, scale: number, bottom: number): string {
  const x = (left + MiB * scale).toFixed(1)
  return (
    `<line x1="${x}" y1="${top - 8}" x2="${x}" y2="${bottom}" stroke="#222222" stroke-dasharray="4 3"/>` +
    `<text x="${x}" y="${bottom + 16}" text-anchor="middle" fill="#222222">${MiB} MiB</text>`
  )
}

/** The consumers that have a colour and occur, and the rest. */
function legend(account: readonly PhaseAccount[]): readonly string[] {
  const present = new Set(account.flatMap(({ consumers }) => consumers.map((use) => use.consumer)))
  const named = Object.entries(colours).filter(([consumer]) => present.has(consumer))
  return [...named, ['others', otherColour] as const].map(([consumer, colour], index) => {
    const y = top + index * 20
    const x = left + plotWidth + 24
    return (
      `<rect x="${x}" y="${y}" width="14" height="14" fill="${colour}"/>` +
      `<text x="${x + 22}" y="${y + 11}" fill="#222222">${consumer}</text>`
    )
  })
}
