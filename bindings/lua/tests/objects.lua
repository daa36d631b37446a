-- The JSON objects of messages are those of the command: luajit objects.lua FOLDER-OF-BINDING LIBRARY FOLDER
-- FOLDER is what tests/objects wrote. Run it where the paths in FOLDER/files hold.
local folder, library, objects = arg[1], arg[2], arg[3]
package.path = folder .. "/?.lua"
local backstop = assert(require("backstop").load(library))

local function read(path)
    local file = assert(io.open(path, "rb"))
    local text = file:read("*a")
    file:close()
    return text
end

local ring = assert(backstop.keyring_load(objects .. "/keys"))
local policy = assert(backstop.policy(read(objects .. "/policy.toml")))
local envelope = { recipient = read(objects .. "/recipient"):gsub("\n", "") }
local next_line, count = io.lines(objects .. "/objects.jsonl"), 0
for path in io.lines(objects .. "/files") do
    local options = { file = path, dnsbl = { "dnsbl.example" } }
    local object = assert(policy:inspect_json(ring, read(path), envelope, 1795305600, options))
    local wanted = assert(next_line(), "the command has fewer lines")
    assert(object == wanted, path .. ": the command says\n" .. wanted .. "\nand Lua\n" .. object)
    count = count + 1
end
assert(count > 70 and not next_line(), count .. " objects")
print(count .. " objects are those of the command")
