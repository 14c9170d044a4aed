-- The head of every script: it is laid before each of the others when it is loaded.
--
-- KEYS 1 record   hash of the shard: run, epoch, shards, at, seq, sum, trimmed
-- ARGV 1 run      run id of the server, as the connection that sends this learned it
--      2 epoch    of the shard, as the caller knows it
--      3 shards   number of shards
--      4 now      the caller's time, Unix milliseconds
--
-- A connection lives and dies with its server's process, so that a run id that was learned on it says which process runs
-- this script. A server that was restarted, a promoted replica, an old file and an empty server all have another run id
-- than their record, or no record: they answer {'fenced'} and change nothing until the shard is adopted.
--
-- Time, sequence and sums are numbers of at most 14 digits, which Lua keeps exactly. Ids, uids, keys and amounts are not:
-- they stay the strings that Go made.
local record = redis.call('HMGET', KEYS[1], 'run', 'epoch', 'shards', 'at', 'seq', 'sum', 'trimmed')
if record[1] ~= ARGV[1] or record[2] ~= ARGV[2] or record[3] ~= ARGV[3] then return {'fenced'} end

local now = ARGV[4]
if tonumber(record[4]) > tonumber(now) then now = record[4] end

local function text(number) return string.format('%.0f', number) end

-- full tells whether the outbox has no room left below a limit in bytes.
local function full(limit) return tonumber(record[6]) - tonumber(record[7]) >= tonumber(limit) end

-- journal appends an event to the outbox, with its epoch before it, and moves the shard on. It is the last thing that a
-- script does.
local function journal(outbox, event)
  local seq = text(tonumber(record[5]) + 1)
  event = ARGV[2] .. ' ' .. event
  local sum = text(tonumber(record[6]) + #event + 40)
  redis.call('XADD', outbox, seq .. '-0', 'e', event, 'b', sum)
  redis.call('HSET', KEYS[1], 'seq', seq, 'at', now, 'sum', sum)
end
