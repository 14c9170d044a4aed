-- Makes a shard refuse snatches and sign-ups of a campaign for good: the first half of sealing it.
--
-- KEYS 1 record   2 campaign
-- ARGV 1-4 run, epoch, shards, now
--      5 seal     x cancelled, c closed
--
-- Reply: {'ok', at} the shard's time: all that was won under it is no later · {'fenced'}
if not redis.call('HGET', KEYS[2], 'seal') then redis.call('HSET', KEYS[2], 'seal', ARGV[5]) end
if now ~= record[4] then redis.call('HSET', KEYS[1], 'at', now) end
return {'ok', now}
