-- The memory part of a commit. Every page of the plan has one fate, except that a clone comes first and under all others.
-- Needs lib/page-table, lib/commit-guards and the keys and arguments of commit.lua.

-- 2^64 bytes in pages: more than any space has.
local MOST_PAGES = 2 ^ 48

-- Calls visit(leaf number, first page of the leaf) for the leaves that hold some of `count` pages from `first` on.
local function eachLeaf(leaves, first, count, visit)
  local from, to = math.floor(first / LEAF_PAGES), math.floor((first + count - 1) / LEAF_PAGES)
  for _, number in ipairs(redis.call('ZRANGE', leaves, from, to, 'BYSCORE')) do
    visit(number, number * LEAF_PAGES)
  end
end

local function clearLeaves(leaves, prefix, first, count)
  eachLeaf(leaves, first, count, function(number, start)
    for _, slot in ipairs(redis.call('HKEYS', prefix .. number)) do
      local page = start + slot
      if page >= first and page < first + count then mark(page, false) end
    end
  end)
end

-- Under a clone lie the pages of its source as well.
local function clear(first, count)
  clearLeaves(KEY.leaves, ownLeaf, first, count)
  if KEY.base ~= KEY.space then clearLeaves(KEY.baseLeaves, baseLeaf, first, count) end
end

local function share(source, target, count)
  clear(target, count)
  eachLeaf(KEY.baseLeaves, source, count, function(number, start)
    local entries = redis.call('HGETALL', baseLeaf .. number)
    for index = 1, #entries, 2 do
      local page = start + entries[index]
      if page >= source and page < source + count then mark(page - source + target, entries[index + 1]) end
    end
  end)
end

-- The references of staged pages pass to the leaves.
local function takeStaged(plan, number)
  local key = stagedKey(plan, number)
  local entries = redis.call('HGETALL', key)
  for index = 1, #entries, 2 do
    mark(number * LEAF_PAGES + entries[index], entries[index + 1])
    release(entries[index + 1])
  end
  redis.call('UNLINK', key)
  redis.call('ZREM', KEY.stagings, key)
end

local function commitMemory(plan)
  if KEY.base ~= KEY.space then share(0, 0, MOST_PAGES) end
  for _, run in ipairs(plan.cleared) do clear(run[1], run[2]) end
  for _, run in ipairs(plan.shared) do share(run[1], run[2], run[3]) end
  for _, number in ipairs(plan.stagedLeaves) do takeStaged(plan, number) end
  applyMarks(ARG.incarnation)
  settle()
end
