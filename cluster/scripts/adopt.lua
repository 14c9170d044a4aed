-- Makes a shard work again on the server that has it now. Not fenced: it is what lifts the fence, so that it is loaded
-- without the common head.
--
-- KEYS 1 record
-- ARGV 1 run      of the server, as the connection that sends this learned it
--      2 epoch    3 seq: of the record as it was looked at
--      4 next     epoch, higher than any before
--
-- Reply: {'ok'} · {'moved'} the record is another
local record = redis.call('HMGET', KEYS[1], 'epoch', 'seq')
if record[1] ~= ARGV[2] or record[2] ~= ARGV[3] then return {'moved'} end
redis.call('HSET', KEYS[1], 'run', ARGV[1], 'epoch', ARGV[4])
return {'ok'}
