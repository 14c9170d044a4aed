-- Registers a player for a campaign.
--
-- KEYS 1 record   2 outbox   3 campaign   4 player
-- ARGV 1-4 run, epoch, shards, now
--      5 limit      bytes that the outbox may have
--      6 campaign   7 uid
--      8 revision   9 closes_at of that revision
--     10 actor      administrator who invites, or empty
--
-- Reply: {'added'} · {'known'} · {'over'} · {'stale', revision} · {'full'} · {'fenced'}
local campaign = redis.call('HMGET', KEYS[3], 'rev', 'seal')
if campaign[1] and tonumber(campaign[1]) > tonumber(ARGV[8]) then return {'stale', campaign[1]} end
if campaign[2] or tonumber(now) >= tonumber(ARGV[9]) then return {'over'} end
if redis.call('HEXISTS', KEYS[4], 's:' .. ARGV[6]) == 1 then return {'known'} end
if full(ARGV[5]) then return {'full'} end

redis.call('HSET', KEYS[4], 's:' .. ARGV[6], '1')
redis.call('HINCRBY', KEYS[3], 'signed', 1)
journal(KEYS[2], 's ' .. now .. ' ' .. ARGV[6] .. ' ' .. ARGV[7] .. ' ' .. ARGV[8] .. ' ' .. ARGV[10])
return {'added'}
