/** `./lab up`. */

export interface UpOptions {
  /** Without it everything is kept in the memory of the process. */
  readonly redis: string | undefined
  /** Without it the system chooses a free port. */
  readonly port: number | undefined
}

/** Answers with the exit code, once it is told to stop. */
export function up(_options: UpOptions): Promise<number> {
  return Promise.reject(new Error('up is not built yet'))
}
