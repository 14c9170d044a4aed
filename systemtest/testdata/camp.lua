-- A crowd for wrk on the camp API that shares no code with the server: random players, all three routes, bodies as JSON
-- with numbers, JSON with strings and forms, now and then a bad one. Every answer must be one that docs/api.md has.
--
--   wrk -t4 -c4 -d30s -s camp.lua http://127.0.0.1:8080 -- SEED PLAYERS
--
-- Give as many connections as threads: a thread then knows which request an answer belongs to.

local threads = {}

function setup(thread)
  table.insert(threads, thread)
  thread:set("number", #threads)
end

local players, last, held

function init(args)
  math.randomseed(tonumber(args[1]) * 1000 + number)
  players = tonumber(args[2])
  held = {}
  counts, outside, example = {}, 0, ""
end

-- fields as a body of a random sort, and the headers for it
local function encode(fields)
  local sort, parts = math.random(3), {}
  for name, value in pairs(fields) do
    local pattern = ({'"%s":%s', '"%s":"%s"', "%s=%s"})[sort]
    table.insert(parts, string.format(pattern, name, value))
  end
  if sort == 3 then
    return table.concat(parts, "&"), {["Content-Type"] = "application/x-www-form-urlencoded"}
  end
  return "{" .. table.concat(parts, ",") .. "}", {["Content-Type"] = "application/json"}
end

local bad = {"", "{", '{"uid":-1}', '{"uid":1.5}', '{"uid":1,"uid":2}', '{"uid":9007199254740992}', "uid=x", "[1]"}

function request()
  local uid = string.format("%d", math.random(0, players - 1))
  local path, fields = "/snatch", {uid = uid}
  local choice = math.random(20)
  if choice == 1 then
    last = {path = "/snatch", bad = true}
    return wrk.format("POST", "/snatch", {}, bad[math.random(#bad)])
  elseif choice <= 4 then
    path = "/get_wallet_list"
  elseif choice <= 8 and #held > 0 then
    path, fields = "/open", held[math.random(#held)]
  elseif choice == 9 then
    path, fields = "/open", {uid = uid, envelope_id = string.format("%d", math.random(2 ^ 33))}
  end
  last = {path = path, uid = uid}
  local body, headers = encode(fields)
  return wrk.format("POST", path, headers, body)
end

-- data that code 0 comes with, by route
local success = {
  ["/snatch"] = '^{"envelope_id":%d+,"max_count":%d+,"cur_count":%d+}$',
  ["/open"] = '^{"value":%d+}$',
  ["/get_wallet_list"] = '^{"amount":%d+,"envelope_list":%[.*%]}$',
}

-- codes that a good request may get, by route
local allowed = {
  ["/snatch"] = {[0] = true, [2] = true, [3] = true, [4] = true, [5] = true, [9] = true, [10] = true, [12] = true},
  ["/open"] = {[0] = true, [7] = true, [8] = true, [9] = true, [12] = true},
  ["/get_wallet_list"] = {[0] = true, [9] = true},
}

-- documented tells whether the contract has the answer, and its code
local function documented(status, body)
  local code, rest = body:match('^{"code":(%d+),"msg":"[^"]+"(.*)}$')
  code = tonumber(code)
  if code == nil then return false, "none" end
  local data = rest:match("^,\"data\":(.*)$")
  if last.bad then return status == 400 and code == 1 and rest == "", code end
  if status ~= 200 or not allowed[last.path][code] then return false, code end
  if code == 0 then return data ~= nil and data:match(success[last.path]) ~= nil, code end
  if code == 2 then return data ~= nil and data:match('^{"cur_count":%d+,"max_count":%d+}$') ~= nil, code end
  return rest == "", code
end

function response(status, headers, body)
  local good, code = documented(status, body)
  local name = last.path .. " " .. tostring(code)
  counts[name] = (counts[name] or 0) + 1
  if not good then
    outside = outside + 1
    example = last.path .. " is answered " .. status .. " " .. body
  end
  local envelope = last.path == "/snatch" and body:match('"envelope_id":(%d+)')
  if envelope then
    held[#held < 1000 and #held + 1 or math.random(1000)] = {uid = last.uid, envelope_id = envelope}
  end
end

function done(summary, latency, requests)
  local total, sum = {}, 0
  for _, thread in ipairs(threads) do
    for name, count in pairs(thread:get("counts")) do
      total[name] = (total[name] or 0) + count
    end
    sum = sum + thread:get("outside")
    if thread:get("example") ~= "" then print(thread:get("example")) end
  end
  for name, count in pairs(total) do print("answers " .. name .. " " .. count) end
  print("outside " .. sum)
  print("broken " .. summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout)
end
