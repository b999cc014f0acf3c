-- Makes an empty space.
-- KEYS  spaces, space, records
-- ARGV  name, size, record (prefix); then record names and values in turn
-- Returns  {ok} | {space-exists}
--- @include lib/records
if redis.call('EXISTS', KEY.space) == 1 then return { 'space-exists' } end

-- No two spaces of one name are made in the same microsecond, so the time tells them apart.
local time = redis.call('TIME')
redis.call('HSET', KEY.space, 'size', ARG.size, 'epoch', 0, 'version', 0, 'pages', 0,
  'incarnation', time[1] .. '.' .. time[2], 'changes', 0, 'stagings', 0)
setRecords()
redis.call('ZADD', KEY.spaces, 0, ARG.name)
return { 'ok' }
