/** docs/access.md: who may call what, from the rows that the guards go by. */
import {
  collectorRoutes,
  faultRoutes,
  healthRoutes,
  vitalsRoutes,
  hmcRoutes,
  hypervisorRoutes,
  lparKernelRoutes,
  roles,
  type Access,
  type Routes,
} from '@fadump-lab/shared/contracts'
import { heading, table } from './markdown.ts'

const introduction = `
Everything that is not in these tables is refused: 401 to those who have no valid credential, 403 to those who have one
that is not enough. Both are events of aggregate \`access\`. Credentials go into \`authorization: Bearer …\`; how they are
made and kept is told in [ADR 12](adr/0012-who-may-do-what.md). *With the dump's token*: the caller shows the token of that
very dump beside its credential.
`

export function accessPage(): string {
  const internal = {
    hypervisor: hypervisorRoutes,
    'lpar-kernel': lparKernelRoutes,
    'dump-collector': collectorRoutes,
  }
  return [
    heading('Who may call what', 'packages/shared/src/contracts/*-routes.ts'),
    introduction.trimStart(),
    `## Roles\n\n${table(['role', 'may'], Object.entries(roles))}\n`,
    `## Console\n\n${rolesTable(hmcRoutes)}\n`,
    '`/docs`, `/openapi.json` and `/problems/…` are open to all: they say nothing about the machine room.\n',
    ...Object.entries(internal).map(([name, routes]) => `## ${name}\n\n${callersTable(routes)}\n`),
    `## Every service but the console\n\n${callersTable({ ...faultRoutes, ...vitalsRoutes })}\n`,
    `## Every service\n\n${callersTable(healthRoutes)}\n`,
  ].join('\n')
}

function rolesTable(routes: Routes): string {
  const rows = Object.values(routes).map(({ method, path, access }) => [
    `\`${method} ${path}\``,
    access.role ?? 'nobody',
  ])
  return table(['operation', 'least role'], rows)
}

function callersTable(routes: Routes): string {
  const rows = Object.values(routes).map(({ method, path, access }) => [
    `\`${method} ${path}\``,
    callersOf(access),
  ])
  return table(['operation', 'callers'], rows)
}

function callersOf({ callers = {}, role }: Access): string {
  if (role === 'anyone') return 'anyone'
  return Object.entries(callers)
    .map(([name, proof]) => (proof === 'dump-token' ? `${name} with the dump’s token` : name))
    .join(', ')
}
