-- Reads the campaigns that have changed.
--
-- KEYS 1 record   2 campaigns   3 changes
-- ARGV 1-4 run, epoch, shards, now
--      5 since    number of the last change that the caller knows
--
-- Reply: {'ok', known, at, more, id, events, …} by the number of the change: what the caller knows now, and whether there is
-- more · {'fenced'}
local page = 500
local reply = {'ok', redis.call('HGET', KEYS[1], 'changes') or '0', now, '0'}
local ids = redis.call('ZRANGE', KEYS[3], '(' .. ARGV[5], '+inf', 'BYSCORE', 'LIMIT', 0, page)
for _, id in ipairs(ids) do
  reply[#reply + 1] = id
  reply[#reply + 1] = redis.call('HGET', KEYS[2], id)
end
if #ids == page then
  reply[2] = redis.call('ZSCORE', KEYS[3], ids[page])
  reply[4] = '1'
end
return reply
