-- Makes a shard's record where there is none: at the first start, and by reconcile. Loaded without the common head.
--
-- KEYS 1 record
-- ARGV 1 run     of the server, as the connection that sends this learned it
--      2 epoch   3 shards   4 at   5 seq
--
-- Reply: {'ok'} · {'known'} there is one
if redis.call('EXISTS', KEYS[1]) == 1 then return {'known'} end
redis.call('HSET', KEYS[1], 'run', ARGV[1], 'epoch', ARGV[2], 'shards', ARGV[3], 'at', ARGV[4], 'seq', ARGV[5], 'sum', '0', 'trimmed', '0')
return {'ok'}
