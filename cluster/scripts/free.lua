-- Ends the hold of a shard that had lost nothing. Loaded without the common head.
--
-- KEYS 1 record
-- ARGV 1 run     of the server
--      2 epoch   that it was held under
--
-- Reply: {'ok'} · {'moved'}
local record = redis.call('HMGET', KEYS[1], 'run', 'epoch')
if record[1] ~= 'reconcile' or record[2] ~= ARGV[2] then return {'moved'} end
redis.call('HSET', KEYS[1], 'run', ARGV[1])
return {'ok'}
