/** The fault registry as the console shows it. */
import { faults, placesOf, type RoomFaults } from '@fadump-lab/shared/contracts'

export const catalogue: RoomFaults['catalogue'] = [...faults].map(([name, row]) => ({
  name,
  point: row.point,
  services: [...row.services],
  does: row.does,
  value: row.value,
  ...(row.default === undefined ? {} : { default: row.default }),
  places: [...placesOf(row)],
  expects: `${row.expects.holds.join(' ')}: ${row.expects.outcome}`,
}))
