-- What the spaces of a frame cost together.
-- KEYS  spaces, space (prefix), references
-- ARGV  (none)
-- Returns  {ok, spaces, distinct pages, references}
local names = redis.call('ZRANGE', KEY.spaces, 0, -1)
local references = 0
for _, name in ipairs(names) do
  references = references + redis.call('HGET', KEY.space .. name, 'pages')
end
return { 'ok', #names, redis.call('HLEN', KEY.references), references }
