-- What a commit needs to know before it stages pages. Stagings whose lease has ended go to the trash: their owner died.
-- KEYS  space, base (the space that copies read: the clone's source or the space itself), stagings, trash
-- ARGV  (none)
-- Returns  {ok, size, epoch, version, incarnation, staging, base size, base incarnation, base changes, trash}
--          | {no-such-space} | {no-such-base}
local head = redis.call('HMGET', KEY.space, 'size', 'epoch', 'version', 'incarnation')
if not head[1] then return { 'no-such-space' } end
local base = redis.call('HMGET', KEY.base, 'size', 'incarnation', 'changes')
if not base[1] then return { 'no-such-base' } end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, key in ipairs(redis.call('ZRANGE', KEY.stagings, '-inf', now, 'BYSCORE', 'LIMIT', 0, 1000)) do
  redis.call('ZREM', KEY.stagings, key)
  redis.call('SADD', KEY.trash, key)
end
local staging = redis.call('HINCRBY', KEY.space, 'stagings', 1)
return { 'ok', head[1], head[2], head[3], head[4], staging, base[1], base[2], base[3],
  redis.call('SCARD', KEY.trash) }
