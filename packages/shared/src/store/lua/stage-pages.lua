-- Keeps pages for a commit that is being prepared, out of sight. Their bodies were stored just before, in the same
-- transaction; when staging is refused they go.
-- KEYS  space, staged, stagings, references, page
-- ARGV  incarnation, staging, leaseMs, known (JSON list of the leaf numbers staged before); then page number, id in turn
-- Returns  {ok} | {retry}: the space is another one now, or an earlier part of this staging has been dropped
--- @include lib/bulk
--- @include lib/references
local prefix = KEY.staged .. ARG.incarnation .. ':' .. ARG.staging .. ':'

local function isWhole(known)
  for _, number in ipairs(known) do
    if not redis.call('ZSCORE', KEY.stagings, prefix .. number) then return false end
  end
  return true
end

local known = cjson.decode(ARG.known)
if redis.call('HGET', KEY.space, 'incarnation') ~= ARG.incarnation or not isWhole(known) then
  local ids = {}
  for index = REST, #ARGV, 2 do ids[#ids + 1] = ARGV[index + 1] end
  dropUnreferenced(ids)
  return { 'retry' }
end

local time = redis.call('TIME')
local leaseEnd = time[1] * 1000 + math.floor(time[2] / 1000) + ARG.leaseMs
for _, number in ipairs(known) do redis.call('ZADD', KEY.stagings, leaseEnd, prefix .. number) end
for index = REST, #ARGV, 2 do
  local page, id = tonumber(ARGV[index]), ARGV[index + 1]
  local number = math.floor(page / LEAF_PAGES)
  redis.call('HSET', prefix .. number, page - number * LEAF_PAGES, id)
  redis.call('ZADD', KEY.stagings, leaseEnd, prefix .. number)
  acquire(id)
end
settle()
return { 'ok' }
