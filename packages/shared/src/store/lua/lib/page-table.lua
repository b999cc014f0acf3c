-- The page table of a space. Changes are marked first and applied together, so that copies read the memory as it was.
-- Needs lib/bulk, lib/references and KEY.space, KEY.leaves, KEY.leaf (prefix).
local marked = {}

-- The page becomes the page `id`, or absent when `id` is false. The last mark of a page counts.
local function mark(page, id)
  local number = math.floor(page / LEAF_PAGES)
  local leaf = marked[number]
  if not leaf then
    leaf = {}
    marked[number] = leaf
  end
  leaf[page - number * LEAF_PAGES] = id
end

-- Replaces the entries `slots` of a leaf; returns by how many pages the space has grown.
local function applySlice(key, leaf, slots)
  local grown, set, unset = 0, {}, {}
  local present = redis.call('HMGET', key, unpack(slots))
  for index, slot in ipairs(slots) do
    local before, after = present[index], leaf[slot]
    if before then
      release(before)
      grown = grown - 1
    end
    if after then
      acquire(after)
      grown = grown + 1
      set[#set + 1] = slot
      set[#set + 1] = after
    elseif before then
      unset[#unset + 1] = slot
    end
  end
  if #set > 0 then redis.call('HSET', key, unpack(set)) end
  if #unset > 0 then redis.call('HDEL', key, unpack(unset)) end
  return grown
end

-- Carries out all marks. The references are settled by the caller.
local function applyMarks(incarnation)
  local grown = 0
  for number, leaf in pairs(marked) do
    local key = KEY.leaf .. incarnation .. ':' .. number
    local slots = {}
    for slot in pairs(leaf) do slots[#slots + 1] = slot end
    slices(#slots, function(first, last)
      grown = grown + applySlice(key, leaf, { unpack(slots, first, last) })
    end)
    if redis.call('EXISTS', key) == 1 then
      redis.call('ZADD', KEY.leaves, number, number)
    else
      redis.call('ZREM', KEY.leaves, number)
    end
  end
  redis.call('HINCRBY', KEY.space, 'pages', grown)
  redis.call('HINCRBY', KEY.space, 'changes', 1)
end
