/** XML as a tree, for tests: what a reader of JUnit makes of a report. */
import { create } from 'xmlbuilder2'

export interface XmlElement {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly XmlElement[]
  readonly text: string
}

/** Throws when the text is not well-formed. */
export function createDocument(xml: string): XmlElement {
  const root = create(xml).root().node as unknown as Node
  return elementOf(root)
}

/** The part of the DOM that is looked at. */
interface Node {
  readonly nodeName: string
  readonly nodeType: number
  readonly textContent: string | null
  readonly childNodes: Iterable<Node>
  readonly attributes?: Iterable<{ readonly name: string; readonly value: string }>
}
const elementNode = 1

function elementOf(node: Node): XmlElement {
  return {
    name: node.nodeName,
    attributes: Object.fromEntries(
      [...(node.attributes ?? [])].map(({ name, value }) => [name, value]),
    ),
    children: [...node.childNodes]
      .filter(({ nodeType }) => nodeType === elementNode)
      .map(elementOf),
    text: node.textContent ?? '',
  }
}
