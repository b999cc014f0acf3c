/** Why rows of the checklist are not proved yet: reason, then ids. When a test proves one, its id leaves this table. */

const reasons: Readonly<Record<string, string>> = {
  'the modern profile goes as far as imported images need': 'C097',
  'the memory of the capture kernel has a first simple budget only': 'C152 C153 C154',
}

/** Reasons by id. */
export const notYet: ReadonlyMap<string, string> = new Map(
  Object.entries(reasons).flatMap(([reason, ids]) => ids.split(' ').map((id) => [id, reason])),
)
