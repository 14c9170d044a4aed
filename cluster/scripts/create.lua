-- Makes a campaign, and the bank that its numbers are leased from, on the first shard.
--
-- KEYS 1 record   2 outbox   3 bank
--      4 names       hash: name of a campaign, its id
--      5 campaigns   hash: id, its events
--      6 changes     sorted set: id by the number of the last change of any campaign
-- ARGV 1-4 run, epoch, shards, now: the event's time, which must not be behind the shard's
--      5 limit       bytes that the outbox may have
--      6 campaign    id, the next one
--      7 name
--      8 event       as the journal has it
--      9 incarnation of the leases
--
-- Reply: {'ok'} · {'taken'} the name · {'moved'} another campaign was made meanwhile · {'time', at} · {'full'} · {'fenced'}
if now ~= ARGV[4] then return {'time', now} end
if redis.call('HEXISTS', KEYS[4], ARGV[7]) == 1 then return {'taken'} end
if text(redis.call('HLEN', KEYS[5]) + 1) ~= ARGV[6] then return {'moved'} end
if full(ARGV[5]) then return {'full'} end

redis.call('HSET', KEYS[4], ARGV[7], ARGV[6])
redis.call('HSET', KEYS[5], ARGV[6], struct.pack('>I4', #ARGV[8]) .. ARGV[8])
redis.call('HSET', KEYS[3], 'cursor', '0', 'fen', '0', 'mark', '0', 'rev', '1', 'inc', ARGV[9])
redis.call('ZADD', KEYS[6], redis.call('HINCRBY', KEYS[1], 'changes', 1), ARGV[6])
journal(KEYS[2], 'b ' .. ARGV[8])
return {'ok'}
