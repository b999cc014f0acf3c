-- Lists the present pages of consecutive leaves.
-- KEYS  space, leaves, leaf
-- ARGV  first, last (leaf numbers), limit (leaves)
-- Returns  {ok, size, number of the next leaf or nil, leaf number, slots, …} | {no-such-space}
--          slots is a list, or `full` for all 4,096
local head = redis.call('HMGET', KEY.space, 'size', 'incarnation')
if not head[1] then return { 'no-such-space' } end

local limit = tonumber(ARG.limit)
local numbers = redis.call('ZRANGE', KEY.leaves, ARG.first, ARG.last, 'BYSCORE', 'LIMIT', 0, limit + 1)
local reply = { 'ok', head[1], numbers[limit + 1] or false }
for index = 1, math.min(limit, #numbers) do
  local key = KEY.leaf .. head[2] .. ':' .. numbers[index]
  reply[#reply + 1] = numbers[index]
  reply[#reply + 1] = redis.call('HLEN', key) == LEAF_PAGES and 'full' or redis.call('HKEYS', key)
end
return reply
