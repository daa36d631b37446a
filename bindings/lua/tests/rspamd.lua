-- A real rspamd with the rules: luajit rspamd.lua FOLDER-OF-BINDING LIBRARY KEYS RSPAMD-PORT REDIS-PORT WORK-FOLDER
-- Sends messages with rspamc and compares symbols and actions, then the keys that stand in Redis. Bounces are signed
-- here with the key ring that rspamd reads; days are those before today. Needs lua-cjson.
package.path = arg[1] .. "/?.lua;" .. package.path
local json = require("cjson")
local backstop = assert(require("backstop").load(arg[2]))
local keys, rspamd, redis, work = arg[3], arg[4], arg[5], arg[6]
local ring = assert(backstop.keyring_load(keys))
local now, DAY = os.time(), 86400

local function output(command)
    local pipe = assert(io.popen(command .. " 2>&1"))
    local text = pipe:read("*a")
    pipe:close()
    return text
end

local sent = 0

-- What rspamd says of a message: a table of weights and one of options by symbol, and the action. `mail` has from, rcpt
-- (one or a list), and if other than usual: ip, user, subject, and what of a returned mail it has. rspamc as a name would make the modules store nothing.
local function ask(mail)
    sent = sent + 1
    local path = work .. "/message.eml"
    local file = assert(io.open(path, "w"))
    file:write("From: Mail Delivery System <mailer-daemon@remote.example>\nTo: alice@example.com\nSubject: ",
        mail.subject or "Undelivered Mail Returned to Sender", os.date("!\nDate: %a, %d %b %Y %H:%M:%S +0000\nMessage-ID: <"),
        sent, "@remote.example>\n", mail.returned and "MIME-Version: 1.0\nContent-Type: message/rfc822\n\n" .. mail.returned or "",
        "\nText number ", sent, "\n")
    file:close()
    local command = { "rspamc --user-agent=test --json -h 127.0.0.1:" .. rspamd, "--ip " .. (mail.ip or "192.0.2.1") }
    command[#command + 1] = "--from '" .. mail.from .. "'"
    for _, rcpt in ipairs(type(mail.rcpt) == "table" and mail.rcpt or { mail.rcpt }) do
        command[#command + 1] = "--rcpt '" .. rcpt .. "'"
    end
    if mail.user then
        command[#command + 1] = "--user " .. mail.user
    end
    local text = output(table.concat(command, " ") .. " symbols " .. path)
    local fine, answer = pcall(json.decode, text)
    assert(fine, text)
    local weights, options = {}, {}
    for name, symbol in pairs(answer.symbols) do
        weights[name], options[name] = symbol.score, table.concat(symbol.options or {}, ",")
    end
    return weights, options, answer.action
end

-- The symbols of the rules with their weights and options, and the action: "BACKSTOP_FORGED(10){forged} reject".
local function symbols(mail)
    local weights, options, action = ask(mail)
    local found = {}
    for name, weight in pairs(weights) do
        if name:find("^BACKSTOP_") then
            found[#found + 1] = ("%s(%g){%s}"):format(name, weight, options[name])
        end
    end
    table.sort(found)
    return table.concat(found, " ") .. " " .. action
end

local function is(what, got, wanted)
    if got ~= wanted then
        error(("%s: %s\ninstead of %s"):format(what, got, wanted), 2)
    end
    print(what .. ": " .. got)
end

local function tagged(address, days_ago)
    local sender, reason = ring:sign(address, now - (days_ago or 0) * DAY)
    assert(sender and not reason, reason)
    return sender
end

local genuine = tagged("alice@example.com")
local forged = genuine:gsub("alice", "malice")
is("genuine bounce", symbols({ from = "<>", rcpt = genuine }), "BACKSTOP_GENUINE(-3){} no action")
is("forged bounce", symbols({ from = "<>", rcpt = forged }), "BACKSTOP_FORGED(10){forged} reject")
is("expired bounce", symbols({ from = "<>", rcpt = tagged("alice@example.com", 40) }),
    "BACKSTOP_EXPIRED(5){expired} reject")
is("untagged bounce", symbols({ from = "<>", rcpt = "alice@example.com" }), "BACKSTOP_UNTAGGED(8){untagged} reject")
is("untagged bounce behind quotes", symbols({ from = "<>", rcpt = "\"two words\"@example.com" }), "BACKSTOP_UNTAGGED(8){untagged} reject")
is("unknown key", symbols({ from = "<>", rcpt = "prvs=5785000000=alice@example.com" }),
    "BACKSTOP_UNKNOWN_KEY(8){unknown-key} reject")
is("malformed tag", symbols({ from = "<>", rcpt = "prvs=x=alice@example.com" }),
    "BACKSTOP_MALFORMED(8){malformed} reject")
is("foreign tag", symbols({ from = "<>", rcpt = "btv1==123456789ab==alice@example.com" }),
    "BACKSTOP_FOREIGN(8){foreign} reject")
is("within expired-grace", symbols({ from = "<>", rcpt = tagged("alice@example.com", 14) }),
    "BACKSTOP_TOLERATED(0){expired:expired-grace} no action")
is("mixed case under sha1", symbols({ from = "<>", rcpt = tagged("Carol@Sha1.Example.COM") }),
    "BACKSTOP_GENUINE(-3){} no action")
-- Of both rspamd itself makes alice, without the rest.
is("genuine bounce to a sub-address", symbols({ from = "<>", rcpt = tagged("alice+list@example.com") }),
    "BACKSTOP_GENUINE(-3){} no action")
is("untagged bounce to a sub-address and a mailbox",
    symbols({ from = "<>", rcpt = { "alice+list@example.com", tagged("alice@example.com", 1) } }),
    "BACKSTOP_TOLERATED(0){untagged:other-recipient} no action")
is("genuine bounces to two", symbols({ from = "<>", rcpt = { tagged("alice@example.com"), tagged("bob@example.com") } }),
    "BACKSTOP_GENUINE(-3){} no action")
is("normal message", symbols({ from = "dave@remote.example", rcpt = "alice@example.com" }), " no action")
is("normal message to a tagged recipient", symbols({ from = "dave@remote.example", rcpt = genuine }), " no action")
local forwarder = assert(backstop.srs("fwd.example"))
local forwarded = assert(forwarder:forward(ring, "bob@remote.example", now))
is("bounce to an SRS address", symbols({ from = "<>", rcpt = forwarded }), "BACKSTOP_GENUINE(-3){} no action")
is("SRS address from another sender", symbols({ from = "dave@remote.example", rcpt = forwarded }),
    "BACKSTOP_SRS_SENDER(8){srs-sender} reject")
is("SRS address from another sender, beside a mailbox",
    symbols({ from = "dave@remote.example", rcpt = { forwarded, "alice@example.com" } }), " no action")
is("expired tag from another sender", symbols({ from = "dave@remote.example", rcpt = tagged("alice@example.com", 40) }),
    "BACKSTOP_EXPIRED(5){expired} reject")
is("bounce to postmaster", symbols({ from = "<>", rcpt = "postmaster@example.com" }),
    "BACKSTOP_TOLERATED(0){untagged:exempt-recipient} no action")
is("bounce from the mail system itself", symbols({ from = "<>", rcpt = "alice@example.com", ip = "127.0.0.1" }),
    "BACKSTOP_TOLERATED(0){untagged:internal-client} no action")
is("bounce to another site", symbols({ from = "<>", rcpt = "alice@elsewhere.example" }), " no action")
is("bounce of a user who logged in", symbols({ from = "<>", rcpt = "alice@example.com", user = "alice" }), " no action")
is("domain in mode observe", symbols({ from = "<>", rcpt = "alice@observe.example.com" }),
    "BACKSTOP_TOLERATED(0){untagged:observe} no action")
-- Where the policy waits for the message, a mark in what came back is worth a tag, and the want of one tells backscatter.
local LATE = "alice@late.example.com"
local function returned(mark, from)
    return "Received: from a.example by b.example with SMTP;" .. os.date("!\n\t%a, %d %b %Y %H:%M:%S +0000\n") ..
        "From: " .. (from or LATE) .. "\nTo: bob@remote.example\nSubject: hello\n" ..
        (mark and "Backstop-Mark: " .. assert(ring:mark_header(from or LATE, "12345678", now - mark * DAY)) .. "\n" or "") ..
        os.date("!Date: %a, %d %b %Y %H:%M:%S +0000\n")
end
is("untagged bounce with a genuine mark", symbols({ from = "<>", rcpt = LATE, returned = returned(1) }),
    "BACKSTOP_GENUINE(-3){mark-genuine} no action")
is("untagged bounce with an expired mark", symbols({ from = "<>", rcpt = LATE, returned = returned(60) }),
    "BACKSTOP_UNTAGGED(8){mark-expired} reject")
is("untagged bounce without a mark", symbols({ from = "<>", rcpt = LATE, returned = returned() }),
    "BACKSTOP_UNTAGGED(8){backscatter} reject")
is("untagged bounce of which nothing came back", symbols({ from = "<>", rcpt = LATE }), "BACKSTOP_UNTAGGED(8){untagged} reject")
is("genuine mark, and a recipient without", symbols({ from = "<>", rcpt = { LATE, "bob@late.example.com" }, returned = returned(1) }),
    "BACKSTOP_TOLERATED(0){untagged:other-recipient} no action")
is("backscatter from the mail system itself",
    symbols({ from = "<>", rcpt = LATE, returned = returned(), ip = "127.0.0.1" }),
    "BACKSTOP_TOLERATED(0){untagged:internal-client} no action")
is("genuine mark where the policy does not wait",
    symbols({ from = "<>", rcpt = "alice@example.com", returned = returned(1, "alice@example.com") }),
    "BACKSTOP_UNTAGGED(8){untagged} reject")
is("forged and untagged", symbols({ from = "<>", rcpt = { forged, "bob@example.com" } }),
    "BACKSTOP_FORGED(10){forged} BACKSTOP_UNTAGGED(8){untagged} reject")
is("forged beside genuine", symbols({ from = "<>", rcpt = { forged, genuine } }),
    "BACKSTOP_TOLERATED(0){forged:other-recipient} no action")

-- BATV of another site: the tag of each day is another one.
local theirs = assert(backstop.keyring("version 1\nprvs 7 sha1 7 - - * text:the key of another site\n"))
local monday, tuesday = theirs:sign("Bob@remote.example", now - DAY), theirs:sign("Bob@remote.example", now)
assert(monday ~= tuesday)

for _, sender in ipairs({ monday, tuesday, "bob@remote.example" }) do
    local _, options = ask({ from = sender, rcpt = "alice@example.com" })
    is("allow-list for " .. sender, options.BACKSTOP_ALLOWED_SENDER, "bob@remote.example")
end
local _, options = ask({ from = theirs:sign("eve@remote.example", now), rcpt = "alice@example.com" })
is("allow-list for another sender", tostring(options.BACKSTOP_ALLOWED_SENDER), "nil")

local function stored(pattern)
    local found = {}
    for key in output(("redis-cli -p %d --scan --pattern '%s'"):format(redis, pattern)):gmatch("[^\n]+") do
        found[#found + 1] = key
    end
    table.sort(found)
    return table.concat(found, " ")
end

local function flush() assert(output("redis-cli -p " .. redis .. " flushall"):find("OK")) end

-- Modules write after they have answered.
local function soon(pattern)
    for _ = 1, 100 do
        local keys = stored(pattern)
        if keys ~= "" then
            return keys
        end
        os.execute("sleep 0.05")
    end
    error("no key " .. pattern .. " in Redis", 2)
end

for _, sender in ipairs({ monday, tuesday, "bob@remote.example" }) do
    flush()
    ask({ from = sender, rcpt = "alice@example.com" })
    is("reputation of " .. sender, soon("RR:*"), "RR:bob@remote.example")
end

-- The key of greylisting is a hash: it is the same if that of an untagged sender, as rspamd makes it, is the same.
local grey = { subject = "suspicious", ip = "192.0.2.77", rcpt = { "x@example.com", "alice@example.com" } }
local made = {}
for _, sender in ipairs({ monday, tuesday, "Bob@remote.example", theirs:sign("eve@remote.example", now) }) do
    flush()
    grey.from = sender
    local weights, _, action = ask(grey)
    assert(weights.GREYLIST and action == "soft reject", sender .. " was not greylisted")
    made[#made + 1] = soon("rgm*")
    print("greylisting of " .. sender .. ": " .. made[#made])
end
assert(made[1] == made[2] and made[1] == made[3] and made[1] ~= made[4])

-- One that is no address is greylisted as without the rules, and none of them fails.
flush()
grey.from = ("b"):rep(70) .. "@remote.example"
assert(ask(grey).GREYLIST, "what is no address was not greylisted")
local log = assert(io.open(work .. "/log")):read("*a")
assert(not log:find("(BACKSTOP_[A-Z]+) failed"), "a rule failed")

-- Greylisted on Monday, the sender is known on Tuesday.
flush()
grey.from = monday
ask(grey)
soon("rgm*")
os.execute("sleep 1.1")
grey.from = tuesday
local weights, why, action = ask(grey)
assert(weights.GREYLIST and why.GREYLIST:find("^pass"), "greylisted once more: " .. tostring(why.GREYLIST))
is("greylisting on the second day", why.GREYLIST .. " " .. action, "pass,meta no action")
