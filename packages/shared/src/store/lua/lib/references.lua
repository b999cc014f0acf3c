-- Reference counts of pages. Changes are summed up and settled once, at the end of the script, so that a page that is
-- given up and taken again in one change is never freed in between.
-- Needs lib/bulk and KEY.references, KEY.page (prefix).
local owed = {}

local function acquire(id)
  owed[id] = (owed[id] or 0) + 1
end

local function release(id)
  owed[id] = (owed[id] or 0) - 1
end

-- Counts what is owed; a page without references goes.
local function settle()
  local ids = {}
  for id, change in pairs(owed) do
    if change ~= 0 then ids[#ids + 1] = id end
  end
  slices(#ids, function(first, last)
    local counts = redis.call('HMGET', KEY.references, unpack(ids, first, last))
    local kept, gone, bodies = {}, {}, {}
    for index = first, last do
      local id = ids[index]
      local count = (tonumber(counts[index - first + 1] or 0)) + owed[id]
      if count > 0 then
        kept[#kept + 1] = id
        kept[#kept + 1] = count
      else
        gone[#gone + 1] = id
        bodies[#bodies + 1] = KEY.page .. id
      end
    end
    if #kept > 0 then redis.call('HSET', KEY.references, unpack(kept)) end
    if #gone > 0 then
      redis.call('HDEL', KEY.references, unpack(gone))
      redis.call('UNLINK', unpack(bodies))
    end
  end)
end

-- Drops those of the bodies just stored that nobody refers to: the change that brought them was refused.
local function dropUnreferenced(ids)
  for _, id in ipairs(ids) do
    if id ~= '' and redis.call('HEXISTS', KEY.references, id) == 0 then
      redis.call('UNLINK', KEY.page .. id)
    end
  end
end
