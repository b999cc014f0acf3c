/** `./lab demo`. */

export interface DemoOptions {
  /** Directory for `<partition>/vmcore` and `<partition>/manifest.json`. */
  readonly out: string
  readonly json: boolean
}

/** Answers with the exit code. */
export function demo(_options: DemoOptions): Promise<number> {
  return Promise.reject(new Error('demo is not built yet'))
}
