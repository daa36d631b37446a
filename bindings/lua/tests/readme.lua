-- The examples of README.md: luajit readme.lua FOLDER-OF-BINDING. What they print is what stands behind -->, with one
-- blank for a tab. $BACKSTOP_LIBRARY names the library.
package.path = arg[1] .. "/?.lua"
local code, wanted, inside = {}, {}, false
for line in io.lines(arg[1] .. "/README.md") do
    if line == "```lua" then
        inside = true
    elseif line == "```" then
        inside = false
    elseif inside then
        code[#code + 1] = line
        wanted[#wanted + 1] = line:match("%-%-> (.*)$")
    end
end
local printed = {}
function print(...)
    local words = {}
    for i = 1, select("#", ...) do
        words[i] = tostring((select(i, ...)))
    end
    printed[#printed + 1] = table.concat(words, " ")
end
assert(loadstring(table.concat(code, "\n"), "@README.md"))()
assert(#wanted >= 5 and #printed == #wanted, #printed .. " lines printed, " .. #wanted .. " told")
for i, line in ipairs(wanted) do
    assert(printed[i] == line, "README.md tells `" .. line .. "`, printed is `" .. printed[i] .. "`")
end
io.write(#wanted, " lines of the examples are as README.md tells\n")
