-- Makes a shard know a campaign's revision, so that no caller who knows only an earlier one is served by it.
--
-- KEYS 1 record   2 campaign
-- ARGV 1-4 run, epoch, shards, now
--      5 revision
--
-- Reply: {'ok'} · {'fenced'}
local known = redis.call('HGET', KEYS[2], 'rev')
if not known or tonumber(known) < tonumber(ARGV[5]) then redis.call('HSET', KEYS[2], 'rev', ARGV[5]) end
if now ~= record[4] then redis.call('HSET', KEYS[1], 'at', now) end
return {'ok'}
