-- Reads the latest system event of a name.
--
-- KEYS 1 record   2 recorded
-- ARGV 1-4 run, epoch, shards, now
--      5 name
--
-- Reply: {'ok', event} · {'none'} · {'fenced'}
local event = redis.call('HGET', KEYS[2], ARGV[5])
if not event then return {'none'} end
return {'ok', event}
