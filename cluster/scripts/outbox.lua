-- Reads a shard's outbox.
--
-- KEYS 1 record   2 outbox
-- ARGV 1-4 run, epoch, shards, now
--      5 after    sequence
--      6 count    at most
--
-- Reply: {'ok', seq, at, bytes, sequence, event, …}: the shard's sequence, time and bytes in the outbox, then entries ·
-- {'fenced'}
local reply = {'ok', record[5], record[4], text(tonumber(record[6]) - tonumber(record[7]))}
if ARGV[6] ~= '0' then
  for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '(' .. ARGV[5] .. '-0', '+', 'COUNT', ARGV[6])) do
    reply[#reply + 1] = string.match(entry[1], '^%d+')
    reply[#reply + 1] = entry[2][2]
  end
end
return reply
