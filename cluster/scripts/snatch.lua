-- Decides a snatch and, when it wins, takes the next envelope that the shard has.
--
-- KEYS 1 record
--      2 outbox         stream
--      3 campaign       hash: rev, seal (x cancelled, c closed), taken, taken_fen, in …
--      4 supply         list of '<envelope> <amount>' that the shard has leased
--      5 player         hash: w:<campaign> wins, d:<kind> '<day> <wins>', s:<campaign> signed up,
--                       k:<campaign>:<key> envelope, e:<envelope> '<amount> <won at> <expires at> <day> <revision> <key>',
--                       o:<envelope> 'o <opened at>' or 'r <refunded at>', b balance
-- ARGV 1-4 run, epoch, shards, now
--      5 limit          bytes that the outbox may have
--      6 campaign       7 uid        8 key
--      9 new            1: the key can't have been used before
--     10 revision      that the rules below are of
--     11 opens_at      12 closes_at
--     13 paused        1 or 0
--     14 signup        1: only who has signed up
--     15 wins_max      16 daily_wins_max      0: no limit
--     17 kind          18 day         19 day_until: the first millisecond of another day
--     20 draw          1: the lucky draw wins
--     21 expires_at    of an envelope that is won
--     22 sold          1: the bank is dry, and what this shard has is all there is
--
-- Reply: {'won', envelope, amount, at, expires_at, wins, left, in} · {'replayed', envelope, what was won, wins} ·
-- {refusal, wins} · {'dry', wins, in} the supply is empty · {'stale', revision} the shard knows a later revision ·
-- {'time', at} the shard is in another day · {'full'} · {'fenced'}
--
-- Keeps G1, G2, G3 and G7: one script sees and changes all that they rest on. The order is that of Decide.
local campaign = redis.call('HMGET', KEYS[3], 'rev', 'seal', 'in')
local day = 'd:' .. ARGV[17]
local wins, held = 'w:' .. ARGV[6], 'k:' .. ARGV[6] .. ':' .. ARGV[8]
local player = redis.call('HMGET', KEYS[5], wins, day, 's:' .. ARGV[6], held)
local won = player[1] or '0'

if player[4] and ARGV[9] ~= '1' then
  return {'replayed', player[4], redis.call('HGET', KEYS[5], 'e:' .. player[4]), won}
end
if campaign[1] and tonumber(campaign[1]) > tonumber(ARGV[10]) then return {'stale', campaign[1]} end
if tonumber(now) >= tonumber(ARGV[19]) then return {'time', now} end
if campaign[2] == 'x' then return {'cancelled', won} end
if tonumber(now) < tonumber(ARGV[11]) and not campaign[2] then return {'not_open', won} end
if campaign[2] or tonumber(now) >= tonumber(ARGV[12]) then return {'closed', won} end
if ARGV[13] == '1' then return {'paused', won} end
if ARGV[14] == '1' and not player[3] then return {'not_signed_up', won} end
if ARGV[15] ~= '0' and tonumber(won) >= tonumber(ARGV[15]) then return {'limit_reached', won} end
local today = player[2] and string.match(player[2], '^' .. ARGV[18] .. ' (%d+)$') or '0'
if ARGV[16] ~= '0' and tonumber(today) >= tonumber(ARGV[16]) then return {'daily_limit_reached', won} end

local received = campaign[3] or '0'
if ARGV[20] ~= '1' or full(ARGV[5]) then
  if redis.call('EXISTS', KEYS[4]) == 0 then
    if ARGV[22] == '1' then return {'sold_out', won} end
    return {'dry', won, received}
  end
  if ARGV[20] ~= '1' then return {'missed', won} end
  return {'full'}
end
local taken = redis.call('LPOP', KEYS[4])
if not taken then
  if ARGV[22] == '1' then return {'sold_out', won} end
  return {'dry', won, received}
end

local envelope, amount = string.match(taken, '^(%d+) (%d+)$')
won, today = text(tonumber(won) + 1), text(tonumber(today) + 1)
redis.call('HSET', KEYS[5], 'e:' .. envelope, amount .. ' ' .. now .. ' ' .. ARGV[21] .. ' ' .. ARGV[18] .. ' ' .. ARGV[10] .. ' ' .. ARGV[8],
  held, envelope, wins, won, day, ARGV[18] .. ' ' .. today)
if campaign[1] ~= ARGV[10] then redis.call('HSET', KEYS[3], 'rev', ARGV[10]) end
redis.call('HINCRBY', KEYS[3], 'taken', 1)
redis.call('HINCRBY', KEYS[3], 'taken_fen', amount)
journal(KEYS[2], 'w ' .. now .. ' ' .. envelope .. ' ' .. ARGV[7] .. ' ' .. amount .. ' ' .. ARGV[10] .. ' ' .. won .. ' ' .. ARGV[15]
  .. ' ' .. today .. ' ' .. ARGV[16] .. ' ' .. ARGV[18] .. ' ' .. ARGV[21] .. ' ' .. ARGV[8])
return {'won', envelope, amount, now, ARGV[21], won, text(redis.call('LLEN', KEYS[4])), received}
