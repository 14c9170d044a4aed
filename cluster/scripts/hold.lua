-- Holds the fence of a shard while it is reconciled: nobody's run id is this one. Loaded without the common head.
--
-- KEYS 1 record
-- ARGV 1 run     of the server
--      2 epoch   higher than any before
--
-- Reply: {'ok', seq, at} · {'none'} there is no record
if redis.call('EXISTS', KEYS[1]) == 0 then return {'none'} end
redis.call('HSET', KEYS[1], 'run', 'reconcile', 'epoch', ARGV[2])
return {'ok', redis.call('HGET', KEYS[1], 'seq'), redis.call('HGET', KEYS[1], 'at')}
