-- Leases numbers of a campaign to a shard: first what other shards gave back, then from the cursor. A lease is
-- outstanding until the shard's record confirms it; one that was left half done is told again.
--
-- KEYS 1 record   2 bank   3 free
--      4 leases     hash: shard, '<lease> <what>' while it is outstanding
-- ARGV 1-4 run, epoch, shards, now
--      5 shard
--      6 received   number of the last lease that the shard has, final
--      7 incarnation
--      8 want       how many
--      9 revision   that the next three were decided on
--     10 cursor     11 count   12 fen: the numbers from the cursor on, and what they sum to
--
-- Reply: {'leased', lease, what}, what being 'r <revision> <first> <count>' or 'f <revision> <envelope> <amount> …' ·
-- {'none'} nothing is free, and count is 0 · {'held'} · {'moved'} · {'over'} · {'dry'} · {'incarnation'} · {'fenced'}
--
-- Keeps G1 and G2: each number is leased to one shard at a time.
local bank = redis.call('HMGET', KEYS[2], 'inc', 'rev', 'cursor', 'stopping', 'hold', 'last:' .. ARGV[5], 'dry', 'mark')
if bank[1] ~= ARGV[7] then return {'incarnation'} end
if bank[4] then return {'over'} end
local outstanding = redis.call('HGET', KEYS[4], ARGV[5])
if outstanding then
  local lease, what = string.match(outstanding, '^(%d+) (.*)$')
  if tonumber(lease) > tonumber(ARGV[6]) then return {'leased', lease, what} end
  redis.call('HDEL', KEYS[4], ARGV[5])
end
if (bank[6] or '0') ~= ARGV[6] then return {'moved'} end
if bank[7] then return {'dry'} end
if bank[5] then
  local clock = redis.call('TIME')
  if clock[1] * 1000 + math.floor(clock[2] / 1000) < tonumber(bank[5]) then return {'held'} end
end

local what
local free = redis.call('LPOP', KEYS[3], ARGV[8])
if free then
  what = 'f ' .. bank[2] .. ' ' .. table.concat(free, ' ')
else
  if ARGV[11] == '0' then return {'none'} end
  if bank[2] ~= ARGV[9] or bank[3] ~= ARGV[10] then return {'moved'} end
  local cursor = tonumber(bank[3]) + tonumber(ARGV[11])
  if cursor > tonumber(bank[8]) then return {'moved'} end
  what = 'r ' .. bank[2] .. ' ' .. ARGV[10] .. ' ' .. ARGV[11]
  redis.call('HSET', KEYS[2], 'cursor', text(cursor))
  redis.call('HINCRBY', KEYS[2], 'fen', ARGV[12])
end
local lease = text(tonumber(ARGV[6]) + 1)
redis.call('HSET', KEYS[2], 'last:' .. ARGV[5], lease)
redis.call('HSET', KEYS[4], ARGV[5], lease .. ' ' .. what)
return {'leased', lease, what}
