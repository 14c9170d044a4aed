-- Forgets what the bank has taken back.
--
-- KEYS 1 record   2 campaign   3 returning
-- ARGV 1-4 run, epoch, shards, now
--      5 return         number
--      6 incarnation    that it was given under
--
-- Reply: {'ok'} · {'fenced'}
local campaign = redis.call('HMGET', KEYS[2], 'out', 'inc')
if campaign[1] == ARGV[5] and (campaign[2] or ARGV[6]) == ARGV[6] then redis.call('DEL', KEYS[3]) end
return {'ok'}
