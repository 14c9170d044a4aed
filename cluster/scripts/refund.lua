-- Takes a held envelope back after it has expired.
--
-- KEYS 1 record   2 outbox   3 campaign   4 player
-- ARGV 1-4 run, epoch, shards, now
--      5 limit       bytes that the outbox may have: more than players get, so that refunds have room in a full one
--      6 uid         7 envelope
--      8 revision    in force
--      9 extended    time until which a cancelled campaign's envelopes can be opened; 0: as told
--     10 seal        of the campaign as the caller knows it: x, c or empty; cancelling gives envelopes more time
--
-- Reply: {'refunded'} · {'kept'} it is not held, or not due · {'stale'} the seal is another · {'full'} · {'fenced'}
--
-- Keeps G5.
local state = 'o:' .. ARGV[7]
local player = redis.call('HMGET', KEYS[4], 'e:' .. ARGV[7], state)
if not player[1] or player[2] then return {'kept'} end
if (redis.call('HGET', KEYS[3], 'seal') or '') ~= ARGV[10] then return {'stale'} end
local amount, expires = string.match(player[1], '^(%d+) %d+ (%d+) ')
local after = 5000 -- an opening that was in time is decided by then
if tonumber(now) < math.max(tonumber(expires), tonumber(ARGV[9])) + after then return {'kept'} end
if full(ARGV[5]) then return {'full'} end

redis.call('HSET', KEYS[4], state, 'r ' .. now)
redis.call('HINCRBY', KEYS[3], 'refunded', 1)
redis.call('HINCRBY', KEYS[3], 'refunded_fen', amount)
journal(KEYS[2], 'r ' .. now .. ' ' .. ARGV[7] .. ' ' .. ARGV[6] .. ' ' .. amount .. ' ' .. ARGV[8])
return {'refunded'}
