-- Takes back into the bank what a shard gives.
--
-- KEYS 1 record   2 bank   3 free
-- ARGV 1-4 run, epoch, shards, now
--      5 incarnation
--      6 shard
--      7 return      number: only the next one is taken
--      8… '<envelope> <amount>'
--
-- Reply: {'ok'} · {'known'} · {'incarnation'} · {'fenced'}
local bank = redis.call('HMGET', KEYS[2], 'inc', 'back:' .. ARGV[6])
if bank[1] ~= ARGV[5] then return {'incarnation'} end
if tonumber(ARGV[7]) ~= tonumber(bank[2] or '0') + 1 then return {'known'} end
for from = 8, #ARGV, 1000 do
  redis.call('RPUSH', KEYS[3], unpack(ARGV, from, math.min(from + 999, #ARGV)))
end
redis.call('HSET', KEYS[2], 'back:' .. ARGV[6], ARGV[7])
return {'ok'}
