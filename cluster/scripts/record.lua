-- Journals a system event, and keeps it as the latest of its name, where that is still the one that the caller knows.
--
-- KEYS 1 record   2 outbox
--      3 recorded hash: name of a system event, the latest of that name
-- ARGV 1-4 run, epoch, shards, now: the event's time, which must not be behind the shard's
--      5 limit    bytes that the outbox may have
--      6 event    as the journal has it
--      7 name
--      8 latest   the event that must be the latest, as the journal has it; empty: there must be none; left out: whatever it is
--
-- Reply: {'ok', seq} · {'stale'} · {'time', at} · {'full'} · {'fenced'}
if ARGV[8] and (redis.call('HGET', KEYS[3], ARGV[7]) or '') ~= ARGV[8] then return {'stale'} end
if now ~= ARGV[4] then return {'time', now} end
if full(ARGV[5]) then return {'full'} end

redis.call('HSET', KEYS[3], ARGV[7], ARGV[6])
journal(KEYS[2], 'b ' .. ARGV[6])
return {'ok', text(tonumber(record[5]) + 1)}
