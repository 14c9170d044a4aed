-- Adds a lease to a shard's supply.
--
-- KEYS 1 record   2 campaign   3 supply
-- ARGV 1-4 run, epoch, shards, now
--      5 incarnation
--      6 lease        number: only the next one is added
--      7 revision     that it was leased under: no caller may win of it who knows only an earlier one
--      8… '<envelope> <amount>'
--
-- Reply: {'ok'} · {'known'} · {'incarnation'} · {'gap', in} · {'fenced'}
local campaign = redis.call('HMGET', KEYS[2], 'inc', 'in', 'rev')
if campaign[1] and campaign[1] ~= ARGV[5] then return {'incarnation'} end
local received = tonumber(campaign[2] or '0')
if tonumber(ARGV[6]) <= received then return {'known'} end
if tonumber(ARGV[6]) ~= received + 1 then return {'gap', text(received)} end
for from = 8, #ARGV, 1000 do
  redis.call('RPUSH', KEYS[3], unpack(ARGV, from, math.min(from + 999, #ARGV)))
end
redis.call('HSET', KEYS[2], 'in', ARGV[6], 'inc', ARGV[5])
if tonumber(campaign[3] or '0') < tonumber(ARGV[7]) then redis.call('HSET', KEYS[2], 'rev', ARGV[7]) end
return {'ok'}
