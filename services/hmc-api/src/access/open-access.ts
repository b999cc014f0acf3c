/** Users, sessions and TLS as the configuration of the console's process says. */
import { readFile } from 'node:fs/promises'
import type { ServiceParts, Tls } from '@fadump-lab/shared/http'
import { ConfigError } from '@fadump-lab/shared/runtime'
import type { HmcApiConfig } from '../config.ts'
import type { HmcApiDeps } from '../deps.ts'
import { makeFirstAdministrator } from './first-administrator.ts'
import { Sessions } from './sessions.ts'
import { userFile } from './user-file.ts'
import { Users } from './users.ts'

const minuteMs = 60_000

/** Errors: `ConfigError`. */
export async function openAccess(
  config: HmcApiConfig,
  parts: Pick<ServiceParts, 'clock' | 'random' | 'logger'>,
): Promise<Pick<HmcApiDeps, 'users' | 'sessions' | 'tls'>> {
  const { clock, random, logger } = parts
  const usersFile = config.USERS_FILE
  const passwordFile = config.ADMINISTRATOR_PASSWORD_FILE
  const users = await Users.open(userFile(usersFile), random, () =>
    makeFirstAdministrator({ usersFile, passwordFile, random, logger }),
  )
  const ttlMs = config.SESSION_MINUTES * minuteMs
  const tls = await readTls(config)
  if (tls === undefined && !isLoopback(config.HOST)) {
    logger.warn(
      { host: config.HOST },
      'no certificate: passwords and tokens cross the network in clear',
    )
  }
  return {
    users,
    sessions: new Sessions({ clock, random, ttlMs }),
    ...(tls === undefined ? {} : { tls }),
  }
}

async function readTls(config: HmcApiConfig): Promise<Tls | undefined> {
  const { TLS_CERTIFICATE_FILE, TLS_KEY_FILE } = config
  const cert = await readPem('TLS_CERTIFICATE_FILE', TLS_CERTIFICATE_FILE)
  const key = await readPem('TLS_KEY_FILE', TLS_KEY_FILE)
  if (cert === undefined && key === undefined) return undefined
  if (cert !== undefined && key !== undefined) return { cert, key }
  const variable = cert === undefined ? 'TLS_CERTIFICATE_FILE' : 'TLS_KEY_FILE'
  const rule = 'must be set as well: a certificate and its key belong together'
  throw new ConfigError([{ variable, rule, value: undefined }])
}

async function readPem(variable: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined
  const text = await readFile(path, 'utf8').catch(() => '')
  if (text.includes('-----BEGIN ')) return text
  throw new ConfigError([{ variable, rule: 'must name a PEM file that can be read', value: path }])
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}
