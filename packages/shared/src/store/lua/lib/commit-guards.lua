-- Whether a commit finds what it was prepared for.
-- Needs the keys and arguments of commit.lua.
local ownLeaf = KEY.leaf .. ARG.incarnation .. ':'
local baseLeaf = KEY.baseLeaf .. ARG.baseIncarnation .. ':'

-- Whether what the caller has read of the space that copies read is still there.
local function isAsSeen(plan)
  local base = redis.call('HMGET', KEY.base, 'incarnation', 'changes')
  if base[1] ~= ARG.baseIncarnation then return false end
  if ARG.baseChanges ~= '' and base[2] ~= ARG.baseChanges then return false end
  for index = 1, #plan.seen, 2 do
    local page = plan.seen[index]
    local number = math.floor(page / LEAF_PAGES)
    local id = redis.call('HGET', baseLeaf .. number, page - number * LEAF_PAGES) or 'absent'
    if id ~= plan.seen[index + 1] then return false end
  end
  return true
end

local function stagedKey(plan, number)
  return KEY.staged .. ARG.incarnation .. ':' .. plan.staging .. ':' .. number
end

local function isStaged(plan)
  for _, number in ipairs(plan.stagedLeaves) do
    if not redis.call('ZSCORE', KEY.stagings, stagedKey(plan, number)) then return false end
  end
  return true
end
