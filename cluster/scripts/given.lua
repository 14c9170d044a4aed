-- Forgets what the bank has taken back.
--
-- KEYS 1 record   2 campaign   3 returning
-- ARGV 1-4 run, epoch, shards, now
--      5 return    number
--
-- Reply: {'ok'} · {'fenced'}
if redis.call('HGET', KEYS[2], 'out') == ARGV[5] then redis.call('DEL', KEYS[3]) end
return {'ok'}
