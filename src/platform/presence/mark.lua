-- Notes how many connections users have on one instance. KEYS: the instances, the online users, the instance's users.
-- ARGV[1]: in front of an instance's id in the key of its users; then pairs of user and count, empty for one who left.
-- Answers pairs of user and 1 or 0 for those who came online or left the last instance. Repeating it changes nothing.
local turned = {}
for i = 2, #ARGV, 2 do
  local user, count = ARGV[i], ARGV[i + 1]
  if count ~= '' then
    redis.call('HSET', KEYS[3], user, count)
    if redis.call('ZADD', KEYS[2], 0, user) == 1 then
      turned[#turned + 1] = user
      turned[#turned + 1] = '1'
    end
  else
    redis.call('HDEL', KEYS[3], user)
    local is_elsewhere = false
    for _, instance in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
      if redis.call('HEXISTS', ARGV[1] .. instance, user) == 1 then
        is_elsewhere = true
        break
      end
    end
    if not is_elsewhere and redis.call('ZREM', KEYS[2], user) == 1 then
      turned[#turned + 1] = user
      turned[#turned + 1] = '0'
    end
  end
end
return turned
