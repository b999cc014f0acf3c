/** Why rows of the checklist are not proved yet: reason, then ids. When a test proves one, its id leaves this table. */

const reasons: Readonly<Record<string, string>> = {}

/** Reasons by id. */
export const notYet: ReadonlyMap<string, string> = new Map(
  Object.entries(reasons).flatMap(([reason, ids]) => ids.split(' ').map((id) => [id, reason])),
)
