-- Establishes that a campaign is sold out: the cursor is at the end, nothing is free, and every shard was found empty
-- after the last lease that it was given.
--
-- KEYS 1 record   2 bank   3 free
-- ARGV 1-4 run, epoch, shards, now
--      5 incarnation
--      6 revision    7 cursor: the end of its budget
--      8… for each shard: the number of the last lease that it had, and of the last return, when it was found empty
--
-- Reply: {'dry'} · {'more'} · {'fenced'}
local bank = redis.call('HMGET', KEYS[2], 'inc', 'rev', 'cursor')
if bank[1] ~= ARGV[5] or bank[2] ~= ARGV[6] or bank[3] ~= ARGV[7] then return {'more'} end
if redis.call('EXISTS', KEYS[3]) == 1 then return {'more'} end
for shard = 0, (#ARGV - 7) / 2 - 1 do
  local last = redis.call('HMGET', KEYS[2], 'last:' .. shard, 'back:' .. shard)
  if tonumber(last[1] or '0') > tonumber(ARGV[8 + 2 * shard]) then return {'more'} end
  if tonumber(last[2] or '0') < tonumber(ARGV[9 + 2 * shard]) then return {'more'} end
end
redis.call('HSET', KEYS[2], 'dry', '1')
return {'dry'}
