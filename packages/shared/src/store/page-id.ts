/** Content addressing: equal pages have equal ids, so that one frame stores them once. */
import { hash } from 'node:crypto'
import type { Tagged } from '../units/index.ts'

/** 22 digits of base64url: the first 132 bits of the SHA-256 of a page. */
export type PageId = Tagged<string, 'PageId'>

/** 128 bits are enough to make an accidental collision impossible; 22 digits hold them. */
const digits = 22

export function pageId(body: Uint8Array): PageId {
  return hash('sha256', body, 'base64url').slice(0, digits) as PageId
}
