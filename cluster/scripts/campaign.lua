-- Reads what a shard has counted of a campaign and where its supply stands.
--
-- KEYS 1 record   2 campaign   3 supply
-- ARGV 1-4 run, epoch, shards, now
--
-- Reply: {'ok', taken, taken_fen, opened, opened_fen, refunded, refunded_fen, signed, in, out, left, at} · {'fenced'}
local reply = redis.call('HMGET', KEYS[2], 'taken', 'taken_fen', 'opened', 'opened_fen', 'refunded', 'refunded_fen', 'signed', 'in', 'out')
for i = 1, 9 do reply[i] = reply[i] or '0' end
table.insert(reply, 1, 'ok')
table.insert(reply, text(redis.call('LLEN', KEYS[3])))
table.insert(reply, record[4])
return reply
