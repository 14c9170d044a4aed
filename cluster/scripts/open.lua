-- Credits a held envelope to its holder, once.
--
-- KEYS 1 record   2 outbox   3 campaign   4 player
-- ARGV 1-4 run, epoch, shards, now
--      5 limit       bytes that the outbox may have
--      6 uid         7 envelope
--      8 revision    in force
--      9 extended    time until which a cancelled campaign's envelopes can be opened; 0: as told
--
-- Reply: {'first', amount, balance, at} · {'opened', amount, balance} · {'expired'} · {'none'} the player does not have it ·
-- {'rich', balance} the balance would leave its range · {'full'} · {'fenced'}
--
-- Keeps G5 and G6: refunding is the same transition, in refund.lua.
local state = 'o:' .. ARGV[7]
local player = redis.call('HMGET', KEYS[4], 'e:' .. ARGV[7], state, 'b')
if not player[1] then return {'none'} end
local amount, expires = string.match(player[1], '^(%d+) %d+ (%d+) ')
local balance = player[3] or '0'
if player[2] then
  if string.sub(player[2], 1, 1) == 'r' then return {'expired'} end
  return {'opened', amount, balance}
end
if tonumber(now) >= math.max(tonumber(expires), tonumber(ARGV[9])) then return {'expired'} end
if tonumber(balance) > 9007199254740991 - tonumber(amount) then return {'rich', balance} end
if full(ARGV[5]) then return {'full'} end

redis.call('HINCRBY', KEYS[4], 'b', amount)
balance = redis.call('HGET', KEYS[4], 'b')
redis.call('HSET', KEYS[4], state, 'o ' .. now)
redis.call('HINCRBY', KEYS[3], 'opened', 1)
redis.call('HINCRBY', KEYS[3], 'opened_fen', amount)
journal(KEYS[2], 'o ' .. now .. ' ' .. ARGV[7] .. ' ' .. ARGV[6] .. ' ' .. amount .. ' ' .. ARGV[8] .. ' ' .. balance)
return {'first', amount, balance, now}
