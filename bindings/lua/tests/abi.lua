-- backstop_abi.lua against the header: luajit abi.lua FOLDER-OF-BINDING include/backstop.h
local folder, header = arg[1], arg[2]
package.path = folder .. "/?.lua"
local abi = require("backstop_abi")

local file = assert(io.open(header))
local text = file:read("*a")
file:close()

-- Declarations as single lines with one blank between words, without comments and directives.
local function normal(c)
    c = c:gsub("/%*.-%*/", " "):gsub("//[^\n]*", ""):gsub("\\\n", " "):gsub("\n%s*#[^\n]*", "\n")
    return (c:gsub("%s+", " "):gsub("%s*([{};(),%[%]])%s*", "%1"):gsub("^ ", ""))
end

-- Structures hold semicolons of their own, so they are cut out before functions are.
local function declarations(c)
    local found = {}
    local rest = normal(c):gsub("typedef struct [%w_]+%b{}[%w_]+;", function(it) found[it] = true return "" end)
    for it in rest:gmatch("[^;{}]+;") do
        found[it:gsub('^ *extern "C" *', "")] = true
    end
    return found
end

local ours, theirs = declarations(abi.declarations), declarations(text)
local functions, structures = 0, 0
for it in pairs(ours) do
    assert(theirs[it], "the header has another declaration than: " .. it)
    if it:find("%(") then functions = functions + 1 end
    if it:find("{", 1, true) then structures = structures + 1 end
end
for it in pairs(theirs) do
    local name = it:match("(backstop_[%w_]+)%(")
    local absent = name and (name:find("_ref$") or name:find("^backstop_exim_") or name:find("_many$"))
    assert(not name or ours[it] or absent, "the header has what backstop_abi.lua has not: " .. it)
end
assert(structures == 7, structures .. " structures were found")

local numbers, count = {}, 0
for name, number in text:gmatch("#define BACKSTOP_([%w_]+) %(?(%-?%d+)%)?\n") do
    numbers[name] = tonumber(number)
end
for name, number in pairs(abi.constants) do
    assert(numbers[name] == number, name .. " is " .. tostring(numbers[name]) .. " in the header, not " .. number)
    count = count + 1
end
-- A new code or word of these groups would have no slug in Lua.
for name in pairs(numbers) do
    for prefix in ("UNSIGNED ERR ORIGIN CLIENT NEED ALPHABET OVER_LONG TEXT"):gmatch("%S+") do
        local missing = name:find("^" .. prefix .. "_") and not abi.constants[name]
        assert(not missing, "the header has what backstop_abi.lua has not: " .. name)
    end
end
print(functions .. " functions, " .. structures .. " structures and " .. count .. " numbers are those of the header")
