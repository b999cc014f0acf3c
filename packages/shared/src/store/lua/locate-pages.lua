-- Looks up page ids: what a read needs before it fetches the bodies.
-- KEYS  space, leaf
-- ARGV  (none); then page numbers
-- Returns  {ok, size, epoch, incarnation, changes, id or nil of each page …} | {no-such-space}
local head = redis.call('HMGET', KEY.space, 'size', 'epoch', 'incarnation', 'changes')
if not head[1] then return { 'no-such-space' } end

local reply = { 'ok', head[1], head[2], head[3], head[4] }
for index = REST, #ARGV do
  local page = tonumber(ARGV[index])
  local number = math.floor(page / LEAF_PAGES)
  local key = KEY.leaf .. head[3] .. ':' .. number
  reply[#reply + 1] = redis.call('HGET', key, page - number * LEAF_PAGES)
end
return reply
