-- Takes a shard's whole supply out, to be given back to the bank. What is on its way stays here until the bank has it.
--
-- KEYS 1 record   2 campaign   3 supply
--      4 returning   list of what is on its way
-- ARGV 1-4 run, epoch, shards, now
--      5 incarnation
--
-- Reply: {'giving', return, '<envelope> <amount>' …} · {'empty', in, out} · {'incarnation'} · {'fenced'}
local campaign = redis.call('HMGET', KEYS[2], 'inc', 'in', 'out')
if campaign[1] and campaign[1] ~= ARGV[5] then return {'incarnation'} end
if redis.call('EXISTS', KEYS[4]) == 0 then
  if redis.call('EXISTS', KEYS[3]) == 0 then return {'empty', campaign[2] or '0', campaign[3] or '0'} end
  redis.call('RENAME', KEYS[3], KEYS[4])
  campaign[3] = text(redis.call('HINCRBY', KEYS[2], 'out', 1))
end
local reply = redis.call('LRANGE', KEYS[4], 0, -1)
table.insert(reply, 1, campaign[3])
table.insert(reply, 1, 'giving')
return reply
