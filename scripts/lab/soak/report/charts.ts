/** The pictures of a report as SVG text, drawn here; nothing is drawn in the browser. */
import { soakPhases, type SoakReport } from '@fadump-lab/shared/contracts'
import { BarChart, LineChart } from 'echarts/charts'
import { GridComponent, LegendComponent, MarkLineComponent } from 'echarts/components'
import { init, use, type EChartsCoreOption } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import { buckets, phaseFigures } from './statistics.ts'

use([BarChart, LineChart, GridComponent, LegendComponent, MarkLineComponent, SVGRenderer])

/** Read on white and on black alike. */
const ink = '#7d8797'
const line = 'rgba(125,135,151,0.25)'
export const colours = {
  dump: '#2f9e6e',
  absent: '#4a86d8',
  lost: '#d9483b',
  begun: '#a6b0be',
  series: ['#4a86d8', '#e08a2e', '#8a63d2', '#2f9e6e', '#d9483b', '#17a2b8', '#b5651d', '#c2549d'],
} as const

const widthDefault = 720
/** All across the page. */
const widthWhole = 1140
const heightDefault = 280
const mebibyte = 1024 * 1024

function draw(option: EChartsCoreOption, size: { width?: number; height?: number } = {}): string {
  const { width = widthDefault, height = heightDefault } = size
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height })
  chart.setOption({
    animation: false,
    textStyle: { fontFamily: 'inherit', color: ink },
    legend: { top: 0, textStyle: { color: ink }, itemWidth: 14, itemHeight: 10 },
    grid: { left: 64, right: 24, top: 40, bottom: 44 },
    ...option,
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return svg
}

const axis = { axisLabel: { color: ink }, axisLine: { lineStyle: { color: line } } } as const
const values = (name: string) =>
  ({
    type: 'value',
    name,
    nameTextStyle: { color: ink, align: 'left' },
    splitLine: { lineStyle: { color: line } },
    ...axis,
  }) as const
const seconds = {
  type: 'value',
  name: 's',
  nameLocation: 'end',
  nameTextStyle: { color: ink },
  splitLine: { show: false },
  ...axis,
} as const

/** How crashes ended, and when they were ordered. */
export function crashesOverTime(report: SoakReport): string {
  const rows = buckets(report)
  const bar = (name: 'dump' | 'absent' | 'lost', pick: (row: (typeof rows)[number]) => number) => ({
    name,
    type: 'bar',
    stack: 'ended',
    barMaxWidth: 18,
    color: colours[name],
    data: rows.map((row) => pick(row)),
  })
  return draw({
    xAxis: { type: 'category', name: 's', data: rows.map(({ second }) => second), ...axis },
    yAxis: values('crashes'),
    series: [
      bar('dump', ({ dumps }) => dumps),
      bar('absent', ({ absent }) => absent),
      bar('lost', ({ lost }) => lost),
      {
        name: 'ordered',
        type: 'line',
        step: 'middle',
        symbol: 'none',
        color: colours.begun,
        data: rows.map(({ begun }) => begun),
      },
    ],
  })
}

export function phaseLatencies(report: SoakReport): string {
  const figures = phaseFigures(report)
  const bar = (name: 'p50' | 'p95' | 'p99', color: string) => ({
    name,
    type: 'bar',
    color,
    barMaxWidth: 14,
    // A logarithmic axis has no 0.
    data: figures.map((figure) => Math.max(1, Math.round(figure[name]))),
  })
  return draw({
    xAxis: {
      type: 'category',
      data: figures.map(({ phase }) => phase),
      ...axis,
      axisLabel: { color: ink, interval: 0 },
    },
    yAxis: { ...values('ms, logarithmic'), type: 'log' },
    series: [bar('p50', '#9cc3f0'), bar('p95', '#4a86d8'), bar('p99', '#1f4f93')],
  })
}

export function bytesOverTime(report: SoakReport): string {
  return draw({
    legend: { show: false },
    xAxis: seconds,
    yAxis: values('MiB/s of vmcore'),
    series: [
      {
        type: 'line',
        symbol: 'none',
        color: colours.series[0],
        areaStyle: { opacity: 0.2 },
        data: buckets(report).map(({ second, bytesPerSecond }) => [
          second,
          Number((bytesPerSecond / mebibyte).toFixed(3)),
        ]),
      },
    ],
  })
}

/** Names of services that fit side by side above a picture. */
const legendColumns = 5

export function memoryOverTime({ memory }: SoakReport): string {
  const services = [...Map.groupBy(memory, ({ service }) => service)]
  const legendRows = Math.ceil(services.length / legendColumns)
  return draw({
    grid: { left: 64, right: 24, top: 24 + 20 * legendRows, bottom: 44 },
    xAxis: seconds,
    yAxis: values('MiB resident (dashed: heap)'),
    series: services.flatMap(([service, samples], index) => {
      const color = colours.series[index % colours.series.length]
      const common = { type: 'line', symbol: 'none', color } as const
      const at = (bytes: number) => Number((bytes / mebibyte).toFixed(1))
      return [
        {
          ...common,
          name: service,
          data: samples.map(({ atMs, residentBytes }) => [atMs / 1000, at(residentBytes)]),
        },
        {
          ...common,
          lineStyle: { type: 'dashed' },
          data: samples.flatMap(({ atMs, heapBytes }) =>
            heapBytes === undefined ? [] : [[atMs / 1000, at(heapBytes)]],
          ),
        },
      ]
    }),
  })
}

const rowHeight = 22

export function faultOutcomes({ faults }: SoakReport): string {
  const rows = faults.toReversed()
  const bar = (name: 'dump' | 'absent' | 'lost', key: 'dumps' | 'absent' | 'lost') => ({
    name,
    type: 'bar',
    stack: 'struck',
    barMaxWidth: 14,
    color: colours[name],
    data: rows.map((row) => row[key]),
  })
  return draw(
    {
      grid: { left: 380, right: 24, top: 40, bottom: 30 },
      xAxis: { ...values(''), minInterval: 1 },
      yAxis: { type: 'category', data: rows.map(({ name }) => name), ...axis },
      series: [bar('dump', 'dumps'), bar('absent', 'absent'), bar('lost', 'lost')],
    },
    { width: widthWhole, height: 80 + rows.length * rowHeight },
  )
}

/** What each phase is, for the page. */
export function phaseLegend(): readonly (readonly [string, string])[] {
  return Object.entries(soakPhases).map(([name, { is }]) => [name, is] as const)
}
