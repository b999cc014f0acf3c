/** Every check, by the id of its row, and the file that holds it. */
import { coreFileChecks } from './checks/core-file.ts'
import { crashChecks } from './checks/crash.ts'
import { deviceTreeChecks } from './checks/device-tree.ts'
import { dumpMemoryStructureChecks } from './checks/dump-memory-structure.ts'
import { registerSaveAreaChecks } from './checks/register-save-area.ts'
import { releaseChecks } from './checks/release.ts'
import { reservationChecks } from './checks/reservation.ts'
import { rtasChecks } from './checks/rtas.ts'
import { sysfsChecks } from './checks/sysfs.ts'
import type { Checks } from './given.ts'

const themes: Readonly<Record<string, Checks>> = {
  'device-tree.ts': deviceTreeChecks,
  'rtas.ts': rtasChecks,
  'dump-memory-structure.ts': dumpMemoryStructureChecks,
  'register-save-area.ts': registerSaveAreaChecks,
  'reservation.ts': reservationChecks,
  'crash.ts': crashChecks,
  'core-file.ts': coreFileChecks,
  'release.ts': releaseChecks,
  'sysfs.ts': sysfsChecks,
}

export const checks: Checks = Object.assign({}, ...Object.values(themes)) as Checks

/** Relative to the top of the repository; `undefined` for a row without a check. */
export function checkFile(id: string): string | undefined {
  const [file] = Object.entries(themes).find(([, rows]) => rows[id] !== undefined) ?? []
  return file === undefined ? undefined : `test/conformance/checks/${file}`
}
