/** I5: no byte of preserved memory outside the dump itself: what was planted is looked for everywhere else. */
import { canary } from '../oracle.ts'
import { storedDirectories, type Invariant, type World } from '../world.ts'

/** As it would look in JSON, in base64 (at any of three offsets) and in hexadecimal digits. */
const forms = [canary, 'Y2FuYXJ5', 'NhbmFyeS', 'jYW5hcnkt', '63616e6172792d']

export function noLeak(world: World): Invariant {
  const afterStep = (): Promise<void> => {
    for (const { partition, name, directory } of storedDirectories(world)) {
      for (const [file, node] of directory.names) {
        if (file === 'vmcore' || node.kind !== 'file') continue
        const text = new TextDecoder('latin1').decode(node.content.bytes())
        if (hasCanary(text)) world.violate('I5', `memory of ${partition} is in ${name}/${file}`)
      }
    }
    return Promise.resolve()
  }
  return {
    onEvent: (event) => {
      if (hasCanary(JSON.stringify(event))) {
        world.violate('I5', `memory is in the event ${event.event} of ${event.subject}`)
      }
    },
    afterStep,
    atRest: afterStep,
  }
}

/** Whether a text shows memory. */
export function hasCanary(text: string): boolean {
  return forms.some((form) => text.includes(form))
}
