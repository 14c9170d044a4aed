-- Journals a system event.
--
-- KEYS 1 record   2 outbox
-- ARGV 1-4 run, epoch, shards, now: the event's time, which must not be behind the shard's
--      5 limit    bytes that the outbox may have
--      6 event    as the journal has it
--
-- Reply: {'ok', seq} · {'time', at} · {'full'} · {'fenced'}
if now ~= ARGV[4] then return {'time', now} end
if full(ARGV[5]) then return {'full'} end
journal(KEYS[2], 'b ' .. ARGV[6])
return {'ok', text(tonumber(record[5]) + 1)}
