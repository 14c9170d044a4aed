-- Begins to seal a campaign: from here on nothing is leased and nothing revised. Whoever comes first says how and by whom.
--
-- KEYS 1 record   2 bank
--      3 stopping    set of campaigns that are being sealed
-- ARGV 1-4 run, epoch, shards, now
--      5 campaign
--      6 how         x cancelled, c closed
--      7 revision    that the caller decided on
--      8 actor
--
-- Reply: {'ok', how, actor, at} as it was begun · {'sealed'} · {'moved'} another revision is in force · {'fenced'}
local bank = redis.call('HMGET', KEYS[2], 'rev', 'stopping', 'actor', 'since', 'seal')
if bank[5] then return {'sealed'} end
if bank[2] then return {'ok', bank[2], bank[3], bank[4]} end
if bank[1] ~= ARGV[7] then return {'moved'} end
redis.call('HSET', KEYS[2], 'stopping', ARGV[6], 'actor', ARGV[8], 'since', now)
redis.call('SADD', KEYS[3], ARGV[5])
if now ~= record[4] then redis.call('HSET', KEYS[1], 'at', now) end
return {'ok', ARGV[6], ARGV[8], now}
