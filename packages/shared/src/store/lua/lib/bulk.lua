-- One Redis call per many elements: the stack of Lua takes about 8,000 arguments, so lists go in slices.
local SLICE = 2000

-- Calls visit(first, last) for consecutive slices of 1 … count.
local function slices(count, visit)
  for first = 1, count, SLICE do
    visit(first, math.min(first + SLICE - 1, count))
  end
end
