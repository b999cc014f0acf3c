-- Makes a space vanish at once. Its leaves and stagings go to the trash; sweep-trash gives their pages back.
-- KEYS  spaces, space, records, leaves, leaf, stagings, trash
-- ARGV  name, record (prefix)
-- Returns  {ok}
--- @include lib/bulk
local incarnation = redis.call('HGET', KEY.space, 'incarnation')
if not incarnation then return { 'ok' } end

local keys = redis.call('ZRANGE', KEY.stagings, 0, -1)
for _, number in ipairs(redis.call('ZRANGE', KEY.leaves, 0, -1)) do
  keys[#keys + 1] = KEY.leaf .. incarnation .. ':' .. number
end
slices(#keys, function(first, last)
  redis.call('SADD', KEY.trash, unpack(keys, first, last))
end)
for _, name in ipairs(redis.call('SMEMBERS', KEY.records)) do
  redis.call('UNLINK', ARG.record .. name)
end
redis.call('UNLINK', KEY.space, KEY.records, KEY.leaves, KEY.stagings)
redis.call('ZREM', KEY.spaces, ARG.name)
return { 'ok' }
