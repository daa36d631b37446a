-- The vectors of the whole project, tests/vectors, through the binding: luajit vectors.lua FOLDER-OF-BINDING LIBRARY
-- FOLDER-OF-VECTORS. Needs lua-cjson.
package.path = arg[1] .. "/?.lua;" .. package.path
local backstop = assert(require("backstop").load(arg[2]))
local json = require("cjson")
local DAY = 86400

local function hex(text)
    return (text:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

local function key(use, id, mac, days, secret_hex)
    return assert(backstop.keyring(("version 1\n%s %s %s %d - - * hex:%s\n"):format(use, id, mac, days, secret_hex)))
end

local function same(what, got, wanted)
    if got ~= wanted then
        error(what .. " is " .. tostring(got) .. " instead of " .. tostring(wanted), 2)
    end
end

-- Signing gives these octets, unless they leave no room for one SRS hop, and they verify.
local function signs(ring, row, output, now, id)
    local no_room = output:find("^bst1=") and 23 + 14 + #row.input - 1 > 64
    local sender, reason = ring:sign(row.input, now)
    same(row.input, sender, no_room and row.input or output)
    same(row.input .. ": reason", reason, no_room and "too-long" or nil)
    local v = ring:verify(output, now)
    same(output, v.verdict, "genuine")
    same(output .. ": mailbox", v.mailbox, row.input)
    same(output .. ": day", v.signed, now / DAY)
    same(output .. ": key", v.key, id)
end

local rows = {}

-- What Exim signs otherwise stands in tests/vectors/choices.md, which tests/vectors.rs reads.
function rows.exim_prvs(row)
    local input = row.input
    local at = input:find("@[^@]*$")
    if input:find('[" ]') or not at or at > 49 or #input > 238 or input:find("^prvs=") or input:find("^SRS")
        or input:find("^btv1==") then
        return false
    end
    local id = row.keynum ~= json.null and row.keynum or "0"
    signs(key("prvs", id, "sha1", 7, hex(row.secret)), row, row.output, row.unix_day * DAY, id)
    return true
end

function rows.prvs_sha256(row)
    signs(key("prvs", row.key, "sha256", row.days, row.secret_hex), row, row.output, row.day * DAY, row.key)
    return true
end

function rows.bst1(row)
    signs(key("bst1", row.id, "sha256", 10, row.secret_hex), row, row.output, row.day * DAY, row.id)
    return true
end

function rows.srs_classic(row)
    local domain = row.op == "forward" and row.alias or row.input:match("@([^@]*)$")
    if row.reference_status ~= "ok" or next(row.peers_differ) or not domain then
        return false
    end
    local forwarder = assert(backstop.srs(domain, {
        separator = row.separator, hash_length = row.hashlength, hash_min = row.hashmin, max_age = row.maxage,
        always_rewrite = row.alwaysrewrite,
    }))
    local ring = key("srs", "0", "sha1", 21, hex(row.secrets[1]))
    if row.op == "forward" then
        local sender, reason = forwarder:forward(ring, row.input, row.time)
        -- What is no address, or makes none, is left alone here and rewritten there.
        if not sender or reason then
            return false
        end
        same(row.id, sender, row.reference_output)
        return true
    end
    local v = forwarder:reverse(ring, row.input, row.time)
    if not v or v.verdict ~= "genuine" then
        return false
    end
    same(row.id, v.mailbox, row.reference_output)
    same(row.id .. ": use", v.use, "srs")
    return true
end

-- The octets of a nonce: 13 characters of 5 bits, of which the last bit stands for nothing; and that bit.
local function nonce(text)
    local bits = text:gsub(".", function(c)
        local five = c:find("%a") and c:byte() - 97 or c:byte() - 50 + 26
        local out = ""
        for place = 4, 0, -1 do
            out = out .. math.floor(five / 2 ^ place) % 2
        end
        return out
    end)
    return (bits:sub(1, 64):gsub("........", function(octet) return string.char(tonumber(octet, 2)) end)), bits:sub(65)
end

function rows.mark(row)
    local ring, now = key("mark", row.id, "sha256", 14, row.secret_hex), row.day * DAY
    local v
    if row.form == "header" then
        v = ring:mark_verify_header(row.output, row.from, now)
        local octets, spare = nonce(row.nonce)
        local made = assert(ring:mark_header(row.from, octets, now))
        if spare == "0" then
            same(row.from, made, row.output)
        end
    else
        v = ring:mark_verify_message_id(row.output, row.from, now)
        same(row.from, ring:mark_message_id(row.left, row.domain, row.from, now), row.output)
    end
    same(row.output, v.verdict, "genuine")
    same(row.output .. ": day", v.signed, row.day)
    same(row.output .. ": use", v.use, "mark")
    return true
end

for name, least in pairs({ exim_prvs = 70, prvs_sha256 = 9, bst1 = 10, srs_classic = 20, mark = 10 }) do
    local count = 0
    for line in io.lines(arg[3] .. "/" .. name .. ".jsonl") do
        if rows[name](json.decode(line)) then
            count = count + 1
        end
    end
    print(name .. ": " .. count .. " rows agree")
    assert(count >= least, name .. ": only " .. count .. " rows were compared")
end
