-- wrk: requests with a header, requests.lua NAME VALUE; a "*" at the end of
-- VALUE is another number in every request.

local name, value, numbered, n = "", "", false, 0

function init(args)
    name, value = args[1], args[2]
    numbered = value:sub(-1) == "*"

    if numbered then
        value = value:sub(1, -2)
    end
end

function request()
    n = n + 1
    return wrk.format(nil, nil, { [name] = numbered and value
                                           .. string.format("%010d", n)
                                           or value })
end
