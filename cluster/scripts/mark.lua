-- Raises the number below which a bank may lease, once the books have it.
--
-- KEYS 1 record   2 bank
-- ARGV 1-4 run, epoch, shards, now
--      5 mark
--
-- Reply: {'ok'} · {'fenced'}
local mark = redis.call('HGET', KEYS[2], 'mark')
if mark and tonumber(mark) < tonumber(ARGV[5]) then redis.call('HSET', KEYS[2], 'mark', ARGV[5]) end
return {'ok'}
