/**
 * The Lua scripts of the Redis store.
 *
 * This table is the one place where the keys and arguments of a script are named: the call site is checked against it,
 * the script sees them as `KEY.<name>` and `ARG.<name>`, and the number of keys is derived. The header of each file repeats
 * the names for its reader; a test compares.
 */

export interface ScriptDefinition {
  readonly file: string
  readonly keys: readonly string[]
  readonly args: readonly string[]
  /**
   * What Redis is told. `no-writes`: only reads. `allow-oom`: runs at full memory as well, because it frees memory, or because
   * the state of a dump must be recorded in any case. A script without a flag is refused as a whole at full memory.
   */
  readonly flags: readonly ('no-writes' | 'allow-oom')[]
}

export const scripts = {
  createSpace: {
    file: 'create-space.lua',
    keys: ['spaces', 'space', 'records'],
    args: ['name', 'size', 'record'],
    flags: [],
  },
  deleteSpace: {
    file: 'delete-space.lua',
    keys: ['spaces', 'space', 'records', 'leaves', 'leaf', 'stagings', 'trash'],
    args: ['name', 'record'],
    flags: ['allow-oom'],
  },
  sweepTrash: {
    file: 'sweep-trash.lua',
    keys: ['trash', 'references', 'page'],
    args: [],
    flags: ['allow-oom'],
  },
  locatePages: {
    file: 'locate-pages.lua',
    keys: ['space', 'leaf'],
    args: [],
    flags: ['no-writes'],
  },
  readPages: {
    file: 'read-pages.lua',
    keys: ['space', 'leaf', 'page'],
    args: [],
    flags: ['no-writes'],
  },
  readRecord: {
    file: 'read-record.lua',
    keys: ['space', 'record'],
    args: [],
    flags: ['no-writes'],
  },
  listPopulated: {
    file: 'list-populated.lua',
    keys: ['space', 'leaves', 'leaf'],
    args: ['first', 'last', 'limit'],
    flags: ['no-writes'],
  },
  writePages: {
    file: 'write-pages.lua',
    keys: ['space', 'leaves', 'leaf', 'references', 'page'],
    args: ['epoch', 'pages'],
    flags: [],
  },
  beginCommit: {
    file: 'begin-commit.lua',
    keys: ['space', 'base', 'stagings', 'trash'],
    args: [],
    flags: ['allow-oom'],
  },
  stagePages: {
    file: 'stage-pages.lua',
    keys: ['space', 'staged', 'stagings', 'references', 'page'],
    args: ['incarnation', 'staging', 'leaseMs', 'known'],
    flags: [],
  },
  discardStaging: {
    file: 'discard-staging.lua',
    keys: ['stagings', 'staged', 'trash'],
    args: ['incarnation', 'staging'],
    flags: ['allow-oom'],
  },
  commit: {
    file: 'commit.lua',
    keys: [
      'space',
      'records',
      'leaves',
      'leaf',
      'base',
      'baseLeaves',
      'baseLeaf',
      'staged',
      'stagings',
      'references',
      'page',
    ],
    args: ['epoch', 'version', 'record', 'incarnation', 'baseIncarnation', 'baseChanges', 'plan'],
    flags: ['allow-oom'],
  },
  usage: {
    file: 'usage.lua',
    keys: ['spaces', 'space', 'references'],
    args: [],
    flags: ['no-writes'],
  },
} as const satisfies Record<string, ScriptDefinition>

export type ScriptName = keyof typeof scripts
export type ScriptKey<Name extends ScriptName> = (typeof scripts)[Name]['keys'][number]
export type ScriptArg<Name extends ScriptName> = (typeof scripts)[Name]['args'][number]

/** One call, by name. `rest` follows the named arguments. */
export interface ScriptCall<Name extends ScriptName> {
  readonly keys: Readonly<Record<ScriptKey<Name>, string>>
  readonly args: Readonly<Record<ScriptArg<Name>, string | number>>
  readonly rest?: readonly (string | number)[]
}
