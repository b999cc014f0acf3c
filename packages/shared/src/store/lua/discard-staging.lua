-- Sends a staging to the trash: its commit was refused.
-- KEYS  stagings, staged, trash
-- ARGV  incarnation, staging; then leaf numbers
-- Returns  {ok}
for index = REST, #ARGV do
  local key = KEY.staged .. ARG.incarnation .. ':' .. ARG.staging .. ':' .. ARGV[index]
  if redis.call('ZREM', KEY.stagings, key) == 1 then redis.call('SADD', KEY.trash, key) end
end
return { 'ok' }
