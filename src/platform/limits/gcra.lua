-- One use of a bucket: KEYS[1] its key, ARGV[1] what the use takes, ARGV[2] what the bucket holds, in microseconds of refilling.
-- Answers 0 when it passes, else the microseconds to wait. The same lines as gcra.rs, on the one clock that all instances share.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local increment, capacity = tonumber(ARGV[1]), tonumber(ARGV[2])
local stored = tonumber(redis.call('GET', KEYS[1]) or now)
local full_at = math.min(math.max(stored, now), now + capacity) + increment
local excess = full_at - capacity - now
if excess > 0 then
  return excess
end
redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', math.ceil((full_at - now) / 1000))
return 0
