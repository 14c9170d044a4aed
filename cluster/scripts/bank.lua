-- Reads a campaign's bank, and holds leases off for a moment so that a revision can be decided on a cursor that stays.
--
-- KEYS 1 record   2 bank   3 free
-- ARGV 1-4 run, epoch, shards, now
--      5 hold    milliseconds for which nothing is leased, unless a revision comes first; 0: none
--
-- Reply: {'ok', cursor, fen, mark, rev, inc, dry, stopping, seal, free, at} · {'none'} · {'fenced'}
local bank = redis.call('HMGET', KEYS[2], 'cursor', 'fen', 'mark', 'rev', 'inc', 'dry', 'stopping', 'seal')
if not bank[1] then return {'none'} end
if ARGV[5] ~= '0' then
  local clock = redis.call('TIME')
  redis.call('HSET', KEYS[2], 'hold', text(clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[5]))
end
for i = 1, 8 do bank[i] = bank[i] or '' end
table.insert(bank, 1, 'ok')
table.insert(bank, text(redis.call('LLEN', KEYS[3])))
table.insert(bank, now)
return bank
