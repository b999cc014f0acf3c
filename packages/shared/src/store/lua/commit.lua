-- Applies one change to memory, records, epoch and version, all at once. A base other than the space itself is cloned.
-- KEYS  space, records, leaves, leaf, base, baseLeaves, baseLeaf, staged, stagings, references, page
-- ARGV  epoch, version (expected, or nothing), record (prefix), incarnation, baseIncarnation (as begin-commit told, or nothing when memory
--       is left alone), baseChanges (the same, when staging depends on more pages than can be named), plan (JSON: cleared,
--       shared, seen (page number and id or `absent` in turn), staging, stagedLeaves, removed, nextEpoch); then record names
--       and values in turn
-- Returns  {ok, version, epoch} | {no-such-space} | {stale-epoch, epoch} | {version-conflict, version}
--          | {retry}: what the caller has seen or staged is no longer there
--- @include lib/bulk
--- @include lib/references
--- @include lib/page-table
--- @include lib/commit-guards
--- @include lib/commit-memory
--- @include lib/records
local plan = cjson.decode(ARG.plan)
local head = redis.call('HMGET', KEY.space, 'incarnation', 'epoch', 'version')
if not head[1] then return { 'no-such-space' } end
if ARG.epoch ~= '' and ARG.epoch ~= head[2] then return { 'stale-epoch', head[2] } end
if ARG.version ~= '' and ARG.version ~= head[3] then return { 'version-conflict', head[3] } end
if ARG.incarnation ~= '' then
  if ARG.incarnation ~= head[1] or not isAsSeen(plan) or not isStaged(plan) then return { 'retry' } end
end

-- Records first: one that its writer may not touch ends the script here, before anything has changed.
setRecords()
for _, name in ipairs(plan.removed) do
  redis.call('DEL', ARG.record .. name)
  redis.call('SREM', KEY.records, name)
end
if ARG.incarnation ~= '' then commitMemory(plan) end
if plan.nextEpoch then redis.call('HINCRBY', KEY.space, 'epoch', 1) end
local version = redis.call('HINCRBY', KEY.space, 'version', 1)
return { 'ok', version, redis.call('HGET', KEY.space, 'epoch') }
