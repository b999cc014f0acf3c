/** Content addressing: equal pages have equal ids, so that one frame stores them once. */
import { hash } from 'node:crypto'
import { fromBase64, toHex, type Tagged } from '../units/index.ts'

/** The SHA-256 of a page as 43 digits of base64url: whole, so that who has the id need not hash the page again. */
export type PageId = Tagged<string, 'PageId'>

export function pageId(body: Uint8Array): PageId {
  return hash('sha256', body, 'base64url') as PageId
}

/** The same SHA-256 as 64 hexadecimal digits. */
export function pageDigest(id: PageId): string {
  return toHex(fromBase64(id))
}
