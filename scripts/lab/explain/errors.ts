/** How `./lab explain` fails beside wrong words: bytes that are not the structure, and bytes that are not there. */

/** Exit code 65. */
export class DataError extends Error {
  override readonly name = 'DataError'
  readonly exitReason = 'data'
}

/** Exit code 66. */
export class NoInputError extends Error {
  override readonly name = 'NoInputError'
  readonly exitReason = 'noInput'
}
