-- Trims a shard's outbox to what the books, or Kafka, have.
--
-- KEYS 1 record   2 outbox
-- ARGV 1-4 run, epoch, shards, now
--      5 until    sequence, the last that is not needed any more
--
-- Reply: {'ok'} · {'fenced'}
local last = redis.call('XREVRANGE', KEYS[2], ARGV[5] .. '-0', '-', 'COUNT', 1)[1]
if last then
  redis.call('XTRIM', KEYS[2], 'MINID', '=', text(tonumber(ARGV[5]) + 1) .. '-0')
  redis.call('HSET', KEYS[1], 'trimmed', last[2][4])
end
return {'ok'}
