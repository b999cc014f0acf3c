/**
 * State machines as tables. A machine is declared once as `state → event → next state`; transitions, refusals,
 * diagrams and exhaustive tests are derived from that table.
 */

export type MachineTable<State extends string> = Readonly<
  Record<State, Readonly<Partial<Record<string, State>>>>
>

/** Every event that some state of the table accepts. */
export type EventOf<Table> = Extract<{ [S in keyof Table]: keyof Table[S] }[keyof Table], string>

export interface Machine<State extends string, Event extends string> {
  readonly name: string
  readonly states: readonly State[]
  readonly events: readonly Event[]
  /** The state after `event`, or `undefined` when `state` does not accept it. */
  next(state: State, event: Event): State | undefined
  /** The states in which `event` is accepted, in table order. */
  statesFor(event: Event): readonly State[]
  /** The transitions as rows, for diagrams and tests. */
  readonly rows: readonly { readonly from: State; readonly event: Event; readonly to: State }[]
}

/** Builds the machine of `table`. Every target must itself be a state of the table (checked by the compiler). */
export function machine<
  const Table extends Readonly<Record<string, Readonly<Record<string, string>>>>,
>(
  name: string,
  table: Table & { [S in keyof Table]: { [E in keyof Table[S]]: Extract<keyof Table, string> } },
): Machine<Extract<keyof Table, string>, EventOf<Table>> {
  type State = Extract<keyof Table, string>
  type Event = EventOf<Table>
  const states = Object.keys(table) as State[]
  const rows = states.flatMap((from) =>
    Object.entries(table[from] ?? {}).map(([event, to]) => ({
      from,
      event: event as Event,
      to: to as State,
    })),
  )
  return {
    name,
    states,
    rows,
    events: [...new Set(rows.map((row) => row.event))],
    next: (state, event) => rows.find((row) => row.from === state && row.event === event)?.to,
    statesFor: (event) => rows.filter((row) => row.event === event).map((row) => row.from),
  }
}
