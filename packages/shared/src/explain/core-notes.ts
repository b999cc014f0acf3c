/** The notes of a vmcore: NT_PRSTATUS with registers, VMCOREINFO line by line. */
import {
  isPrstatus,
  isVmcoreinfo,
  noteHeaderLayout,
  notesBytesMax,
  notesMax,
  notesOf,
  prstatusLayout,
  vmcoreinfoBytesMax,
  vmcoreinfoText,
  type FoundNote,
} from '../elf/index.ts'
import { ptRegsNames } from '../fadump/index.ts'
import type { ByteOrder } from '../layout/index.ts'
import { hex } from '../units/index.ts'
import { describeHidden, isShown } from './cpus.ts'
import type { CpuChoice, Field, Part } from './explanation.ts'
import { expected, layoutFields, rawField } from './fields.ts'
import { registerFields } from './registers.ts'

export interface NoteArea {
  /** In the file. */
  readonly offset: number
  /** What its program header says. */
  readonly length: number
  /** As much of it as could be read. */
  readonly bytes: Uint8Array
}

interface Notes {
  readonly areas: readonly NoteArea[]
  readonly order: ByteOrder
  readonly choice: CpuChoice
}

/** One part a note. Throws `CoreFormatError` for a note that does not end in its PT_NOTE. */
export function* noteParts(notes: Notes): Generator<Part> {
  const { choice } = notes
  const counts = { cpus: 0, others: 0 }
  for (const place of notePlaces(notes)) {
    if (isPrstatus(place.note)) {
      const cpu = counts.cpus++
      if (isShown(choice, cpu, cpu)) yield prstatusPart(place, cpu)
    } else if (counts.others++ < otherNotesShown || choice === 'all') yield otherPart(place)
  }
  yield* afterNotes(counts, notes)
}

/** What is not shown, and the refusal when the CPU that was asked for is not there. */
function* afterNotes(
  counts: { readonly cpus: number; readonly others: number },
  { areas, choice }: Notes,
): Generator<Part> {
  const cpus = Array.from({ length: counts.cpus }, (_, cpu) => cpu)
  const remarks = [...describeHidden(choice, cpus), ...hiddenOthers(counts.others, choice)]
  if (remarks.length > 0) yield { title: 'behind the notes shown', fields: [], remarks }
  if (typeof choice === 'object' && choice.only >= counts.cpus) {
    const rule = `NT_PRSTATUS of CPU ${choice.only}`
    throw expected(areas[0]?.offset ?? 0, rule, `${counts.cpus} of them`)
  }
}

/** The notes of all areas, at most `notesMax`; an area that was cut off ends them with its error. */
function* notePlaces({ areas, order }: Notes): Generator<NotePlace> {
  let count = 0
  for (const area of areas) {
    for (const note of wholeNotes(area, order)) {
      count += 1
      if (count > notesMax) {
        throw expected(area.offset + note.offset, `at most ${notesMax} notes`, 'one more')
      }
      yield { area, note, order }
    }
    if (area.bytes.byteLength < area.length) throw cutArea(area)
  }
}

/** Notes beside NT_PRSTATUS that are shown. A fadump core has one: VMCOREINFO. */
const otherNotesShown = 8

function hiddenOthers(others: number, choice: CpuChoice): string[] {
  const hidden = choice === 'all' ? 0 : Math.max(0, others - otherNotesShown)
  return hidden === 0 ? [] : [`${hidden} more notes are not shown`]
}

/** The notes of an area; of one that was cut off, those that end before the cut. */
function* wholeNotes(area: NoteArea, order: ByteOrder): Generator<FoundNote> {
  const isCut = area.bytes.byteLength < area.length
  try {
    yield* notesOf(area.bytes, order)
  } catch (error) {
    if (!isCut) throw error
  }
}

function cutArea({ offset, length, bytes }: NoteArea): Error {
  const have = bytes.byteLength
  const reason = length === notesBytesMax ? ': notes are read up to there' : ''
  return expected(offset, `${length} bytes of PT_NOTE`, `${have} bytes${reason}`)
}

interface NotePlace {
  readonly area: NoteArea
  readonly note: FoundNote
  readonly order: ByteOrder
}

/** The header of a note. */
function headFields({ area, note, order }: NotePlace, path: string): Field[] {
  return layoutFields(noteHeaderLayout, area.bytes, {
    order,
    at: note.offset,
    base: area.offset,
    path,
    meanings: {
      nameSize: (size) => `${JSON.stringify(note.name)} with its NUL, ${size} bytes`,
      descriptorSize: (size) => `${size} bytes of descriptor`,
      type: (type) =>
        isPrstatus(note) ? 'NT_PRSTATUS' : isVmcoreinfo(note) ? 'VMCOREINFO' : `note type ${type}`,
    },
  })
}

/** The descriptor is a part of the area. */
function descriptorOffset({ area, note }: NotePlace): number {
  return area.offset + note.descriptor.byteOffset - area.bytes.byteOffset
}

function noteTitle(name: string, { area, note }: NotePlace): string {
  return `${name}, at ${hex(area.offset + note.offset)}`
}

function prstatusPart(place: NotePlace, cpu: number): Part {
  const { note, order } = place
  const path = `prstatus[${cpu}].`
  const base = descriptorOffset(place)
  const title = noteTitle(`NT_PRSTATUS ${cpu}`, place)
  const head = headFields(place, path)
  if (note.descriptor.byteLength !== prstatusLayout.size) {
    const rule = `not the ${prstatusLayout.size} bytes of an elf_prstatus`
    const raw = rawField({ offset: base, bytes: note.descriptor, name: 'descriptor' }, rule)
    return { title, fields: [...head, { ...raw, path: `${path}descriptor` }] }
  }
  const fields = layoutFields(prstatusLayout, note.descriptor, { order, base, path })
  return {
    title,
    fields: [
      ...head,
      ...fields.flatMap((field) =>
        field.name === 'pr_reg'
          ? registerFields({ ...field, order, path: `${path}pr_reg.`, names: ptRegsNames })
          : [field],
      ),
    ],
  }
}

/** VMCOREINFO by line; any other note by its bytes. */
function otherPart(place: NotePlace): Part {
  const { note } = place
  const path = `${note.name || 'note'}.`
  const base = descriptorOffset(place)
  const title = noteTitle(JSON.stringify(note.name), place)
  const head = headFields(place, path)
  if (!isVmcoreinfo(note)) {
    const raw = rawField({ offset: base, bytes: note.descriptor, name: 'descriptor' }, '')
    return { title, fields: [...head, { ...raw, path: `${path}descriptor` }] }
  }
  const text = vmcoreinfoText(note)
  const shown = text.slice(0, vmcoreinfoBytesMax)
  const rest = text.length - shown.length
  return {
    title,
    fields: [...head, ...lineFields(shown, base)],
    ...(rest === 0 ? {} : { remarks: [`${rest} more bytes, which no kernel writes`] }),
  }
}

/** The text stands for itself: these fields have no bytes. */
function lineFields(text: string, base: number): Field[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  let offset = base
  return lines.map((line) => {
    const [name = '', ...rest] = line.split('=')
    const field = {
      offset,
      bytes: new Uint8Array(0),
      name,
      path: `VMCOREINFO.${name}`,
      value: rest.join('='),
      meaning: meaningOf[name] ?? '',
    }
    offset += line.length + 1
    return field
  })
}

const meaningOf: Readonly<Record<string, string>> = {
  OSRELEASE: 'release of the crashed kernel',
  'BUILD-ID': 'of its vmlinux',
  PAGESIZE: 'bytes',
  KERNELOFFSET: 'how far the kernel was moved',
  CRASHTIME: 'seconds since 1970',
}
