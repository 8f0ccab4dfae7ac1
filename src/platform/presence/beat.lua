-- Says that an instance lives. KEYS[1]: the instances, by their last beat. ARGV: the instance, milliseconds without a beat
-- after which one is dead, and how far in the past this beat lies: an instance that leaves is dead a little later.
-- Answers 1 if the instance was not known, then the dead ones.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local answer = { redis.call('ZADD', KEYS[1], now - ARGV[3], ARGV[1]) }
for _, instance in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. (now - ARGV[2]))) do
  answer[#answer + 1] = instance
end
return answer
