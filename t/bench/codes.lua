-- wrk: a new code in every request

local prefix = "good-" .. os.time() .. "-" .. math.random(1000000000) .. "-"
local n = 0

function request()
    n = n + 1
    return wrk.format(nil, nil, { ["X-WX-Code"] = prefix .. n })
end
