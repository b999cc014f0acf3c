/**
 * Who may do what in Redis: one user per service, each with its own keys and commands.
 *
 * Redis checks a script twice: the keys that it declares against the user who runs it, and then every command inside. So
 * `EVAL` needs all keys of the scripts, and what may be done to each kind of key is a row of its own. The keys are those
 * of packages/shared/src/store/keys.ts and of the queues; the commands those of the Lua files and of BullMQ 6.
 */
import { createHash } from 'node:crypto'

/** Commands of one kind of key. */
export interface Grant {
  /** Patterns as Redis takes them, `%R~` and `%W~` for one direction. */
  readonly keys: readonly string[]
  /** Separated by blanks. */
  readonly commands: string
}

export interface RedisUser {
  readonly name: string
  readonly grants: readonly Grant[]
}

/** What every connection of a service does. `CLIENT SETINFO` cannot be named alone: Redis 7.0 does not know it. */
const connection = [
  '+ping +hello +info +quit +multi +exec +discard +time +client',
  '-client|kill -client|list -client|pause -client|unpause -client|unblock -client|reply',
  '-client|tracking -client|caching -client|no-evict',
].join(' ')

/** Everything of partition memory. */
const allOfMemory: Grant = {
  keys: ['~memory:*'],
  commands: [
    'eval evalsha get set del unlink exists mget mset',
    'hget hset hdel hmget hgetall hkeys hvals hlen hexists hincrby',
    'zadd zrem zrange zscore',
    'sadd srem spop scard smembers',
  ].join(' '),
}

/** Memory as a processor sees it: the pages of spaces that firmware has made, and the record of the kernel. */
const memoryOfKernels: readonly Grant[] = [
  {
    keys: [
      '~memory:{*}:space:*',
      '~memory:{*}:records:*',
      '~memory:{*}:leaves:*',
      '~memory:{*}:leaf:*',
      '~memory:{*}:stagings:*',
      '~memory:{*}:staged:*',
      '~memory:{*}:page:*',
      '~memory:{*}:trash',
      '~memory:{*}:references',
      '~memory:{*}:record:*:kernel',
    ],
    commands: 'eval evalsha',
  },
  { keys: ['~memory:{*}:space:*'], commands: 'hget hmget hincrby' },
  { keys: ['~memory:{*}:records:*'], commands: 'sadd srem' },
  { keys: ['~memory:{*}:record:*:kernel'], commands: 'get set del' },
  { keys: ['~memory:{*}:leaves:*'], commands: 'zrange zadd zrem' },
  {
    keys: ['~memory:{*}:leaf:*', '~memory:{*}:staged:*'],
    commands: ['hget hset hdel hmget hgetall hkeys hvals hlen', 'exists unlink'].join(' '),
  },
  { keys: ['~memory:{*}:stagings:*'], commands: 'zscore zadd zrem zrange' },
  { keys: ['~memory:{*}:trash'], commands: 'sadd spop scard' },
  { keys: ['~memory:{*}:references'], commands: 'hmget hset hdel hexists' },
  { keys: ['~memory:{*}:page:*'], commands: 'get mget mset unlink' },
]

/** What BullMQ does to the keys of a queue, adding and working alike. */
function queue(name: string): Grant {
  return {
    keys: [`~{queue}:${name}:*`],
    commands: [
      'eval evalsha bzpopmin del unlink exists type rename persist',
      'pexpire pexpireat pttl get set incr incrby',
      'hget hset hmset hdel hmget hgetall hlen hexists hincrby',
      'lindex llen lpop lpos lpush lrange lrem lset ltrim',
      'rpop rpoplpush rpush sadd scard sismember smembers srem',
      'xadd xdel xlen xrange xread xtrim',
      'zadd zcard zcount zlexcount zpopmin zrange zrangebylex zrem',
      'zrangebyscore zremrangebyrank zremrangebyscore zrevrange',
      'zrevrangebyscore zscore',
    ].join(' '),
  }
}

/** Rows are added to the event stream; nobody changes or deletes one. */
const tellEvents: Grant = { keys: ['%W~events'], commands: 'xadd' }
const readEvents: Grant = { keys: ['%R~events'], commands: 'xrange xrevrange xread' }

/** The users of each server, by its name in docker-compose.yml. Who is not named cannot log on. */
export const redisUsers = {
  'redis-memory': [
    { name: 'hypervisor', grants: [allOfMemory] },
    { name: 'lpar-kernel', grants: memoryOfKernels },
  ],
  'redis-control': [
    { name: 'hypervisor', grants: [queue('ipl'), tellEvents] },
    {
      name: 'lpar-kernel',
      grants: [queue('ipl'), queue('system-reset'), queue('capture'), tellEvents],
    },
    { name: 'dump-collector', grants: [queue('capture'), tellEvents] },
    { name: 'hmc-api', grants: [tellEvents, readEvents] },
  ],
} as const satisfies Readonly<Record<string, readonly RedisUser[]>>

export type RedisServerName = keyof typeof redisUsers
export const redisServerNames = Object.keys(redisUsers) as readonly RedisServerName[]

/**
 * Nobody can log on as the default user, but Redis replays transactions of its append-only file as that user and drops
 * what it may not do.
 */
const defaultLine = 'user default off resetpass ~* &* +@all'
/** Looks whether the server answers, without a password; may do nothing else. */
const healthLine = 'user health on nopass -@all +ping'
/** For people: backup, looking around, repair. */
export const operatorUser = 'operator'

/** The ACL file of a server; `passwords` by user name. Passwords are in it as SHA-256 only. */
export function aclFile(
  server: RedisServerName,
  passwords: Readonly<Record<string, string>>,
): string {
  const lines = redisUsers[server].map((user) => userLine(user, passwordRule(user.name, passwords)))
  const operator = `user ${operatorUser} on ${passwordRule(operatorUser, passwords)} ~* &* +@all`
  return `${[defaultLine, healthLine, operator, ...lines].join('\n')}\n`
}

function userLine({ name, grants }: RedisUser, password: string): string {
  const selectors = grants.map(
    ({ keys, commands }) =>
      `(-@all ${[...keys, ...commands.split(' ').map((word) => `+${word}`)].join(' ')})`,
  )
  return `user ${name} on ${password} resetchannels -@all ${connection} ${selectors.join(' ')}`
}

function passwordRule(user: string, passwords: Readonly<Record<string, string>>): string {
  const password = passwords[user]
  if (password === undefined) throw new Error(`there is no password of Redis user ${user}`)
  return `#${createHash('sha256').update(password).digest('hex')}`
}
