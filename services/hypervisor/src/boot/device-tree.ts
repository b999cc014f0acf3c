/**
 * The flattened device tree of a partition's present boot. The capture boot's differs from the first boot's by
 * `/rtas/ibm,kernel-dump` only; names and values follow a QEMU 11.1 `pseries` machine where PAPR leaves a choice.
 */
import type { KernelProfileName } from '@fadump-lab/shared/contracts'
import { dumpProperties } from '@fadump-lab/shared/fadump'
import {
  deviceNode,
  encodeDeviceTree,
  fromCells,
  fromCells64,
  fromText,
  type DeviceNode,
} from '@fadump-lab/shared/fdt'
import { rtasTokenProperties, type RtasServiceName } from '@fadump-lab/shared/rtas'
import { advertisedSizes, dumpStructureOf, personalityOf } from '../fadump/firmware-dump.ts'
import { isArmed } from '../faults/armed-faults.ts'
import { virtualAdapter } from '../io/virtual-adapter.ts'
import type { FirmwareRecord } from '../partition/firmware-record.ts'
import { rtasServiceTable } from '../rtas/service-table.ts'

/** RTAS itself: a page at the end of the real mode area, as in life; calls come over HTTP, so nothing lies there. */
const rtasBytes = 0x1_0000n
/** RTAS lies below this even with a larger real mode area: QEMU 11.1 puts it at 0x2fff0000. */
const rtasEndMax = 0x3000_0000n

/** A CPU of the time of each kernel profile. */
const processors: Readonly<
  Record<KernelProfileName, { readonly node: string; readonly version: number }>
> = {
  v5: { node: 'PowerPC,POWER7', version: 0x0f00_0003 },
  modern: { node: 'PowerPC,POWER9', version: 0x0f00_0005 },
}
const timebaseHz = 512_000_000
const clockHz = 4_000_000_000

export function deviceTreeOf(record: FirmwareRecord): Uint8Array {
  const root = deviceNode(
    '',
    {
      '#address-cells': fromCells(2),
      '#size-cells': fromCells(2),
      compatible: fromText('IBM,pSeries'),
      model: fromText('IBM,fadump-lab'),
      device_type: fromText('chrp'),
      'ibm,partition-name': fromText(record.id),
    },
    [
      chosenNode(record),
      ...memoryNodes(record),
      cpusNode(record),
      virtualDevices(),
      rtasNode(record),
    ],
  )
  return encodeDeviceTree({ root })
}

function chosenNode(record: FirmwareRecord): DeviceNode {
  return deviceNode('chosen', {
    bootargs: fromText(record.bootArguments),
    'linux,pci-probe-only': fromCells(0),
  })
}

/** One node for each range between holes. */
function memoryNodes({ memoryBytes, memoryHoles, addedMemory }: FirmwareRecord): DeviceNode[] {
  const starts = [0n, ...memoryHoles.map(({ address, length }) => address + length)]
  const ends = [...memoryHoles.map(({ address }) => address as bigint), memoryBytes as bigint]
  const configured = starts.map((start, index) => ({
    address: start,
    length: (ends[index] ?? start) - start,
  }))
  const node = (address: bigint, length: bigint, more: Record<string, Uint8Array>) =>
    deviceNode(`memory@${address.toString(16)}`, {
      device_type: fromText('memory'),
      reg: fromCells64(address, length),
      ...more,
    })
  return [
    ...configured
      .filter(({ length }) => length > 0n)
      .map(({ address, length }) => node(address, length, {})),
    ...addedMemory.map(({ address, length }) =>
      node(address, length, { hotpluggable: new Uint8Array(0) }),
    ),
  ]
}

function cpusNode(record: FirmwareRecord): DeviceNode {
  const offline = new Set(record.offlineCpus)
  const { node, version } = processors[record.profile]
  const cpus = Array.from({ length: record.processors }, (_, cpu) =>
    deviceNode(`${node}@${cpu.toString(16)}`, {
      device_type: fromText('cpu'),
      reg: fromCells(cpu),
      status: fromText(offline.has(cpu) ? 'disabled' : 'okay'),
      'cpu-version': fromCells(version),
      'ibm,ppc-interrupt-server#s': fromCells(cpu),
      'timebase-frequency': fromCells(timebaseHz),
      'clock-frequency': fromCells(clockHz),
    }),
  )
  return deviceNode('cpus', { '#address-cells': fromCells(1), '#size-cells': fromCells(0) }, cpus)
}

function virtualDevices(): DeviceNode {
  const { unitAddress, liobn, windowBytes } = virtualAdapter
  const adapter = deviceNode(`l-lan@${unitAddress.toString(16)}`, {
    device_type: fromText('network'),
    compatible: fromText('IBM,l-lan'),
    reg: fromCells(unitAddress),
    'ibm,#dma-address-cells': fromCells(2),
    'ibm,#dma-size-cells': fromCells(2),
    // Logical I/O bus number, first address (two cells), size (two cells).
    'ibm,my-dma-window': fromCells(liobn, 0, 0, 0, windowBytes),
  })
  return deviceNode(
    'vdevice',
    {
      device_type: fromText('vdevice'),
      compatible: fromText('IBM,vdevice'),
      '#address-cells': fromCells(1),
      '#size-cells': fromCells(0),
    },
    [adapter],
  )
}

function rtasNode(record: FirmwareRecord): DeviceNode {
  const names = Object.keys(rtasServiceTable).filter(
    (name) => record.dumpOption || name !== 'ibm,configure-kernel-dump',
  ) as RtasServiceName[]
  const dump = record.registration === 'active' ? dumpStructureOf(record) : undefined
  const end = record.rmaBytes < rtasEndMax ? record.rmaBytes : rtasEndMax
  const base = Number(end - rtasBytes)
  return deviceNode(
    'rtas',
    new Map([
      ['linux,rtas-base', fromCells(base)],
      ['linux,rtas-entry', fromCells(base)],
      ['rtas-size', fromCells(Number(rtasBytes))],
      ...rtasTokenProperties(names),
      ...dumpProperties({
        dumpOption: record.dumpOption,
        hasExtendedOsTerm: !isArmed(record, 'no-extended-os-term'),
        ...advertisedSizes(record),
        personality: personalityOf(record),
        ...(dump === undefined ? {} : { dump }),
      }),
    ]),
  )
}
