-- Gives back the references of one leaf in the trash (at most 4,096): the slice in which memory is freed.
-- KEYS  trash, references, page
-- ARGV  (none)
-- Returns  {ok, leaves that are left}
--- @include lib/bulk
--- @include lib/references
local leaf = redis.call('SPOP', KEY.trash)
if leaf then
  for _, id in ipairs(redis.call('HVALS', leaf)) do release(id) end
  redis.call('UNLINK', leaf)
  settle()
end
return { 'ok', redis.call('SCARD', KEY.trash) }
