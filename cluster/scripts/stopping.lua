-- Lists the campaigns that are being sealed.
--
-- KEYS 1 record   2 stopping
-- ARGV 1-4 run, epoch, shards, now
--
-- Reply: {'ok', campaign, …} · {'fenced'}
local reply = redis.call('SMEMBERS', KEYS[2])
table.insert(reply, 1, 'ok')
return reply
