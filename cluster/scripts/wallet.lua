-- Reads all that is known of a player.
--
-- KEYS 1 record   2 player
-- ARGV 1-4 run, epoch, shards, now
--
-- Reply: {'ok', field, value, …} · {'fenced'}
local reply = redis.call('HGETALL', KEYS[2])
table.insert(reply, 1, 'ok')
return reply
