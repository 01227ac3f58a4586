-- Take up to ARGV[4] requests from the rule named by ARGV[1] for the key KEYS[1]; all in one step,
-- on the server's clock, so that replicas agree. First ARGV[5] requests are given back that were
-- granted in the window of number ARGV[6] and not used. Returns {granted, remaining, retry_after,
-- reset_after, number of the window}, the times as text because a number would lose its fraction.
-- The arithmetic is that of rules.py; a test compares the two.
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local wanted = tonumber(ARGV[4])
local returned = tonumber(ARGV[5])

if ARGV[1] == 'bucket' then
  local rate, burst = tonumber(ARGV[2]), tonumber(ARGV[3])
  local span = burst / rate
  local full_at = tonumber(redis.call('GET', KEYS[1]) or now) - returned / rate
  local start = math.max(full_at, now)
  local left = math.floor((span - (start - now)) * rate + 1e-6)
  local granted = math.max(0, math.min(wanted, left))
  local later = start + granted / rate
  if granted > 0 or returned > 0 then
    redis.call('SET', KEYS[1], string.format('%.6f', later), 'PX', math.ceil((later - now) * 1000) + 1)
  end
  if granted == 0 then
    return {0, 0, tostring(start + 1 / rate - now - span), tostring(full_at - now), '0'}
  end
  return {granted, left - granted, '0', tostring(later - now), '0'}
end

local limit, seconds = tonumber(ARGV[2]), tonumber(ARGV[3])
local number = math.floor(now / seconds)
local stored = redis.call('HMGET', KEYS[1], 'number', 'current', 'previous')
local was = tonumber(stored[1] or -2)
local current, previous = tonumber(stored[2] or 0), tonumber(stored[3] or 0)
if was == number - 1 then
  current, previous = 0, current
elseif was ~= number then
  current, previous = 0, 0
end
if returned > 0 and tonumber(ARGV[6]) == number then
  current = math.max(0, current - returned)
elseif returned > 0 and tonumber(ARGV[6]) == number - 1 then
  previous = math.max(0, previous - returned)
end
local ends_in = (number + 1) * seconds - now
local left = math.floor(limit - current - previous * (ends_in / seconds) + 1e-6)
local granted = math.max(0, math.min(wanted, left))
if granted > 0 or returned > 0 then
  redis.call('HSET', KEYS[1], 'number', string.format('%.0f', number), 'current', current + granted,
    'previous', previous)
  redis.call('PEXPIRE', KEYS[1], math.ceil(seconds * 2000))
end
local text = string.format('%.0f', number)
if granted == 0 then
  local wait
  local free = limit - 1 - current
  if previous > 0 and free >= 0 then
    wait = math.max(0, ends_in - free * seconds / previous)
  else
    wait = ends_in + math.max(0, seconds * (1 - (limit - 1) / math.max(1, current)))
  end
  return {0, 0, tostring(wait), tostring(ends_in), text}
end
return {granted, left - granted, '0', tostring(ends_in), text}
