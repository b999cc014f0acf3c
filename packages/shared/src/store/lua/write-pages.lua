-- Puts pages in place. Their bodies were stored just before, in the same transaction; when the write is refused they go.
-- KEYS  space, leaves, leaf, references, page
-- ARGV  epoch, pages (the write's end, rounded up); then page number, id (or nothing for zeros), before in turn
--       before: the id the page must have now, `absent`, or `any`
-- Returns  {ok} | {no-such-space} | {out-of-range, size} | {stale-epoch, epoch} | {retry}: a page has another id
--- @include lib/bulk
--- @include lib/references
--- @include lib/page-table
local function refused(head)
  if not head[1] then return { 'no-such-space' } end
  if tonumber(ARG.pages) * PAGE_SIZE > tonumber(head[1]) then return { 'out-of-range', head[1] } end
  if head[2] ~= ARG.epoch then return { 'stale-epoch', head[2] } end
  for index = REST, #ARGV, 3 do
    local before = ARGV[index + 2]
    if before ~= 'any' then
      local page = tonumber(ARGV[index])
      local number = math.floor(page / LEAF_PAGES)
      local key = KEY.leaf .. head[3] .. ':' .. number
      local present = redis.call('HGET', key, page - number * LEAF_PAGES) or 'absent'
      if present ~= before then return { 'retry' } end
    end
  end
end

local head = redis.call('HMGET', KEY.space, 'size', 'epoch', 'incarnation')
local refusal = refused(head)
if refusal then
  local ids = {}
  for index = REST, #ARGV, 3 do ids[#ids + 1] = ARGV[index + 1] end
  dropUnreferenced(ids)
  return refusal
end
for index = REST, #ARGV, 3 do
  local id = ARGV[index + 1]
  mark(tonumber(ARGV[index]), id ~= '' and id)
end
applyMarks(head[3])
settle()
return { 'ok' }
