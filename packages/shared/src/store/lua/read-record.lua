-- Reads one record together with the version and epoch of its space.
-- KEYS  space, record
-- ARGV  (none)
-- Returns  {ok, value or nil, version, epoch} | {no-such-space}
local head = redis.call('HMGET', KEY.space, 'version', 'epoch')
if not head[1] then return { 'no-such-space' } end
return { 'ok', redis.call('GET', KEY.record), head[1], head[2] }
