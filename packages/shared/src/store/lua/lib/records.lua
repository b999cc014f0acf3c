-- Records that the arguments bring: names and values in turn, from REST on.
-- Needs KEY.records and ARG.record (prefix).
local function setRecords()
  for index = REST, #ARGV, 2 do
    redis.call('SET', ARG.record .. ARGV[index], ARGV[index + 1])
    redis.call('SADD', KEY.records, ARGV[index])
  end
end
