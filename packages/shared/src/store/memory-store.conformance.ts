/**
 * What every implementation of `MemoryStore` must do, as a suite for `node:test`. Both implementations run it.
 *
 * `open` opens one store for the whole suite; each test works in a frame of its own.
 */
import { after, afterEach, before, suite } from 'node:test'
import { invariant } from '../units/index.ts'
import { commitsConformance } from './conformance/commits.conformance.ts'
import { concurrencyConformance } from './conformance/concurrency.conformance.ts'
import { recordsConformance } from './conformance/records.conformance.ts'
import { sharingConformance } from './conformance/sharing.conformance.ts'
import { spacesConformance } from './conformance/spaces.conformance.ts'
import type { OpenSubject, Subject } from './conformance/subject.ts'
import { transferConformance } from './conformance/transfer.conformance.ts'

export type { OpenSubject, Subject } from './conformance/subject.ts'

export function memoryStoreConformance(
  name: string,
  open: OpenSubject,
  options: { readonly skip?: string | false } = {},
): void {
  suite(`${name} is a memory store`, { skip: options.skip ?? false }, () => {
    let opened: Subject | undefined
    const subject = (): Subject => {
      invariant(opened !== undefined, 'the subject is open while tests run')
      return opened
    }
    before(async () => {
      opened = await open()
    })
    afterEach(() => subject().audit())
    after(() => opened?.[Symbol.asyncDispose]())
    spacesConformance(subject)
    transferConformance(subject)
    recordsConformance(subject)
    commitsConformance(subject)
    sharingConformance(subject)
    concurrencyConformance(subject)
  })
}
