-- wrk: requests with a header, requests.lua NAME VALUE; a "*" at the end of
-- VALUE is another number in every request, and "@FILE" the lines of FILE in
-- turn.

local name, value, numbered, lines, n = "", "", false, nil, 0

function init(args)
    name, value = args[1], args[2]
    numbered = value:sub(-1) == "*"

    if numbered then
        value = value:sub(1, -2)
    end

    if value:sub(1, 1) == "@" then
        lines = {}

        for line in io.lines(value:sub(2)) do
            lines[#lines + 1] = line
        end
    end
end

local function next_value()
    if lines then
        return lines[n % #lines + 1]
    end

    return numbered and value .. string.format("%010d", n) or value
end

function request()
    n = n + 1
    return wrk.format(nil, nil, { [name] = next_value() })
end
