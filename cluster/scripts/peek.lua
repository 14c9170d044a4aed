-- Reads a shard's outbox while its fence is held. Loaded without the common head.
--
-- KEYS 1 record   2 outbox
-- ARGV 1 run     of the server
--      2 after   sequence
--      3 count   at most
--
-- Reply: {sequence, event, …}
local reply = {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '(' .. ARGV[2] .. '-0', '+', 'COUNT', ARGV[3])) do
  reply[#reply + 1] = string.match(entry[1], '^%d+')
  reply[#reply + 1] = entry[2][2]
end
return reply
