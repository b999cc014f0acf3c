/** Remembering what a text was decoded to, for texts that are read far more often than they change. */

/**
 * `decode` that keeps its last `textsMax` results. Callers share them, so a result must not be changed. What throws is
 * not remembered.
 */
export function remembering<Value>(
  textsMax: number,
  decode: (text: string) => Value,
): (text: string) => Value {
  const texts = new LastTexts<Value>(textsMax)
  return (text) => texts.get(text)?.value ?? texts.set(text, decode(text))
}

/** Two ways between a value and its text. */
export interface TextCodec<Value> {
  readonly encode: (value: Value) => string
  readonly decode: (text: string) => Value
}

/**
 * A codec that keeps its last `textsMax` texts with their values: what has been written is read without decoding it, and
 * what is written again unchanged without encoding it. Values are shared and must not be changed.
 */
export function rememberedCodec<Value extends object>(
  textsMax: number,
  { encode, decode }: TextCodec<Value>,
): TextCodec<Value> {
  const values = new LastTexts<Value>(textsMax)
  const texts = new WeakMap<Value, string>()
  return {
    encode: (value) => {
      const text = texts.get(value) ?? encode(value)
      texts.set(value, text)
      values.set(text, value)
      return text
    },
    decode: (text) => values.get(text)?.value ?? values.set(text, decode(text)),
  }
}

/** The values of the texts that came last. */
class LastTexts<Value> {
  readonly #textsMax: number
  readonly #known = new Map<string, { readonly value: Value }>()

  constructor(textsMax: number) {
    this.#textsMax = textsMax
  }

  get(text: string): { readonly value: Value } | undefined {
    return this.#known.get(text)
  }

  set(text: string, value: Value): Value {
    this.#known.set(text, { value })
    const [oldest] = this.#known.keys()
    if (this.#known.size > this.#textsMax && oldest !== undefined) this.#known.delete(oldest)
    return value
  }
}
