-- Revises a campaign, or seals it once every shard has stopped. The event was decided in Go on what it names here; when
-- any of it has changed since, nothing happens and Go decides again.
--
-- KEYS 1 record   2 outbox   3 bank   4 campaigns   5 changes
--      6 stopping    set of campaigns that are being sealed
-- ARGV 1-4 run, epoch, shards, now: the event's time, which must not be behind the shard's
--      5 limit       bytes that the outbox may have
--      6 campaign
--      7 event       as the journal has it
--      8 revision    in force when it was decided
--      9 cursor      of the bank when it was decided
--     10 next        revision after it
--     11 seal        x or c: it seals; empty: it revises
--     12 budget      1: a new segment begins at the cursor
--
-- Reply: {'ok'} · {'moved'} · {'over'} the campaign is being sealed, or is · {'time', at} · {'full'} · {'fenced'}
--
-- Keeps G1: a new segment begins where the numbers that were leased end.
if now ~= ARGV[4] then return {'time', now} end
local bank = redis.call('HMGET', KEYS[3], 'rev', 'cursor', 'stopping', 'seal')
if bank[4] then return {'over'} end
if ARGV[11] == '' and bank[3] then return {'over'} end
if bank[1] ~= ARGV[8] or ARGV[11] == '' and bank[2] ~= ARGV[9] then return {'moved'} end
if full(ARGV[5]) then return {'full'} end

local events = redis.call('HGET', KEYS[4], ARGV[6])
redis.call('HSET', KEYS[4], ARGV[6], events .. struct.pack('>I4', #ARGV[7]) .. ARGV[7])
redis.call('HSET', KEYS[3], 'rev', ARGV[10])
redis.call('HDEL', KEYS[3], 'hold')
if ARGV[12] == '1' then redis.call('HDEL', KEYS[3], 'dry') end
if ARGV[11] ~= '' then
  redis.call('HSET', KEYS[3], 'seal', ARGV[11])
  redis.call('SREM', KEYS[6], ARGV[6])
end
redis.call('ZADD', KEYS[5], redis.call('HINCRBY', KEYS[1], 'changes', 1), ARGV[6])
journal(KEYS[2], 'b ' .. ARGV[7])
return {'ok'}
