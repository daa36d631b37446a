-- What the binding adds to the library: Lua's manners, buffers, handles. luajit api.lua FOLDER-OF-BINDING LIBRARY
-- Writes key files into the current folder and removes them. What addresses are is for vectors.lua and the tests in C.
package.path = arg[1] .. "/?.lua;" .. package.path
local ffi = require("ffi")
local backstop = assert(require("backstop").load(arg[2]))

local NOW, DAY = 1795280400, 86400
local RING = "version 1\nprvs 0 sha1 7 - - * text:secret\nbst1 k sha256 10 2026-11-01 - bst1.example text:bst1\n"
    .. "srs 0 sha1 21 - - * text:tops3cr3t\nmark m sha256 14 - - * text:mark\n"
local POLICY = '[policy]\nown-domains = ["example.com"]\nmode = "enforce"\nno-sign = ["news"]\n'
    .. 'exempt-clients = ["192.0.2.9"]\ninternal-hosts = ["192.0.2.8"]\n[policy.srs]\ndomain = "fwd.example.net"\n'

local ring = assert(backstop.keyring(RING))
local tests = {}

-- The slug of the failure; there must be one.
local function slug(value, sentence, code)
    assert(value == nil and type(sentence) == "string" and #sentence > 8, "no failure: " .. tostring(value))
    return code
end

local function raises(pattern, call, ...)
    local fine, message = pcall(call, ...)
    assert(not fine and tostring(message):find(pattern, 1, true), "not `" .. pattern .. "` but " .. tostring(message))
end

local function write(path, text)
    local file = assert(io.open(path .. ".new", "w"))
    file:write(text)
    file:close()
    assert(os.execute("chmod 600 " .. path .. ".new && mv " .. path .. ".new " .. path) == 0)
end

ffi.cdef("int usleep(unsigned int);")
local function wait_a_second() ffi.C.usleep(1050000) end

function tests.the_version_is_text_and_number()
    local text, number = backstop.version()
    local major, minor, patch = text:match("^(%d+)%.(%d+)%.(%d+)$")
    assert(number == major * 1000000 + minor * 1000 + patch)
end

function tests.what_is_signed_verifies()
    local sender, reason = ring:sign("alice@example.com", NOW)
    assert(sender:find("^prvs=0785%x%x%x%x%x%x=alice@example%.com$") and reason == nil)
    local v = ring:verify(sender, NOW)
    assert(v.verdict == "genuine" and v.mailbox == "alice@example.com" and v.reason == nil and v.key == "0")
    assert(v.signed == 20778 and v.expires == 20785 and v.use == "prvs" and v.covered == false)
    v = ring:verify(sender, NOW + 30 * DAY)
    assert(v.verdict == "expired" and v.reason == "lifetime" and v.mailbox == "alice@example.com")
    v = ring:verify(sender:gsub("=alice", "=malice"), NOW)
    assert(v.verdict == "forged" and v.mailbox == nil and v.signed == nil and v.use == nil)
    v = ring:verify("prvs=5785000000=alice@example.com", NOW)
    assert(v.verdict == "unknown-key" and v.key == "5" and v.covered == true)
    assert(ring:verify("alice@example.com", NOW).verdict == "untagged")
    assert(ring:verify("prvs=x=alice@example.com", NOW).verdict == "malformed")
    assert(ring:verify("btv1==123456789ab==alice@example.com", NOW).reason == "btv1")
end

function tests.both_forms_are_made()
    assert(ring:sign("a@bst1.example", NOW):find("^bst1=k"))
    local sender = ring:sign_subaddress("alice@example.com", NOW)
    assert(sender:find("^alice%+prvs=0785%x+@example%.com$"))
    assert(ring:verify(sender, NOW).mailbox == "alice@example.com")
end

function tests.without_a_time_the_clock_is_asked()
    local v = ring:verify(ring:sign("alice@example.com"))
    assert(v.verdict == "genuine" and math.abs(v.signed - os.time() / DAY) < 2)
end

function tests.what_is_left_as_it_is_has_a_reason()
    local narrow = backstop.keyring("version 1\nprvs 0 sha1 7 2026-01-01 2026-02-01 example.com text:secret\n")
    local function left(address, with)
        local sender, reason = (with or ring):sign(address, NOW)
        assert(sender == address)
        return reason
    end
    assert(left("") == "null" and left("<>") == "null")
    assert(left("prvs=0123abcdef=a@b") == "already" and left(("a"):rep(60) .. "@b") == "too-long")
    assert(left("a@example.org", narrow) == "not-own" and left("a@example.com", narrow) == "no-key")
    local forwarder = assert(backstop.srs("fwd.example"))
    assert(select(2, forwarder:forward(ring, "a@fwd.example", NOW)) == "own-domain")
    assert(select(2, forwarder:forward(ring, "SRS1=@first.example", NOW)) == "shape")
    local value, reason = narrow:mark_header("a@b", "01234567", NOW)
    assert(value == "" and reason == "not-own")
end

function tests.errors_are_nil_a_sentence_and_a_slug()
    assert(slug(ring:sign("a b", NOW)) == "address")
    assert(slug(ring:verify("<>", NOW)) == "null-recipient")
    assert(slug(backstop.keyring("version 2\n")) == "keyring")
    assert(select(2, backstop.keyring("version 1\nprvs 0 sha1 7\n")):find("line 2"))
    assert(slug(backstop.keyring_load("nowhere")) == "file" and slug(backstop.keystore("nowhere")) == "file")
    assert(select(2, backstop.keystore("nowhere")):find("nowhere: is not there", 1, true))
    local empty = assert(io.open("none.keys", "w"))
    assert(empty:write("version 1\n") and empty:close() and os.execute("chmod 600 none.keys") == 0)
    assert(select(2, backstop.keystore("none.keys")):find("none.keys: has no key", 1, true))
    assert(os.remove("none.keys"))
    assert(slug(backstop.policy("[policy]\n")) == "policy")
    assert(select(2, backstop.policy("[policy]\nown-domains = 1\n")):find("line 2"))
    assert(slug(backstop.srs("no domain")) == "domain" and slug(backstop.srs("a.example", { own = "," })) == "domain")
    assert(slug(ring:mark_message_id('"', "a.example", "a@b", NOW)) == "message-id")
    assert(slug(assert(backstop.policy(POLICY)):client(false, "no IP", 25)) == "ip")
    local missing = select(2, require("backstop").load("/nowhere/libbackstop.so.0"))
    assert(missing:find("/nowhere/libbackstop.so.0", 1, true))
    assert(select(2, require("backstop").load("libc.so.6")):find("it is no libbackstop", 1, true))
end

function tests.times_out_of_range_are_errors()
    for _, now in ipairs({ -1, -1.5, -0.5, -1LL, -2, 253402300800, NOW * 1000, 2 ^ 63, 2 ^ 64, 1 / 0, -1 / 0, 0 / 0 }) do
        assert(slug(ring:sign("a@b", now)) == "time", tostring(now))
        assert(slug(ring:verify("a@b", now)) == "time", tostring(now))
    end
    assert(ring:sign("a@b", NOW + 0.75) == ring:sign("a@b", ffi.new("int64_t", NOW)))
    assert(ring:sign("a@b", 0) and ring:sign("a@b", 253402300799))
end

function tests.a_wrong_type_is_an_error_that_names_it()
    raises("the address is a nil; give a string", ring.sign, ring)
    raises("the address is a number", ring.verify, ring, 7)
    raises("now is a string", ring.sign, ring, "a@b", "today")
    raises("the key ring is none that this library made", ring.sign, {}, "a@b")
    raises("the key ring is none", backstop.srs("a.example").forward, backstop.srs("a.example"), {}, "a@b")
    raises("the key ring is a table", backstop.keyring, {})
    raises("the path is a nil", backstop.keystore)
    raises("there is no option days", backstop.srs, "a.example", { days = 3 })
    raises("the nonce has 3 octets; give 8", ring.mark_header, ring, "a@b", "abc")
    local policy = assert(backstop.policy(POLICY))
    raises("there is no client friend", policy.incoming, policy, ring, "", "a@b", "friend")
    raises("there is no origin nil", policy.outgoing, policy, ring, "a@b", {})
    raises("a recipient is a boolean", policy.outgoing, policy, ring, "a@b", { "c@d", true }, "inbound")
    raises("the port is none", policy.client, policy, false, "192.0.2.1", 65536)
    raises("the path of the library is a number", require("backstop").load, 7)
end

-- A text that ends at its first NUL would be an address, a ring, a path that is there.
function tests.a_nul_ends_no_text()
    assert(slug(ring:sign("alice@example.com\0", NOW)) == "address")
    assert(slug(ring:verify("alice@example.com\0x", NOW)) == "address")
    assert(slug(backstop.strip("prvs=0123abcdef=a@b\0")) == "address")
    assert(slug(backstop.srs("a.example\0")) == "domain" and slug(backstop.policy(POLICY .. "\0")) == "policy")
    assert(ring:explain("a\0b@c", NOW):find("b@c", 1, true))
    write("nul.keys", RING)
    assert(backstop.keyring_load("nul.keys"))
    assert(slug(backstop.keyring_load("nul.keys\0x")) == "file" and slug(backstop.keystore("nul.keys\0")) == "file")
    assert(os.remove("nul.keys"))
end

-- Each load() has a buffer of its own, which begins small: so every length meets one that has not grown yet.
function tests.texts_of_every_length_come_out_whole()
    local longest = 0
    for length = 1, 900 do
        local fresh = assert(require("backstop").load(arg[2]))
        local lines = assert(fresh.keyring(RING):explain(("x"):rep(length), NOW))
        assert(lines:sub(-1) == "\n" and lines == ring:explain(("x"):rep(length), NOW))
        longest = math.max(longest, #lines)
        assert(fresh.strip("prvs=0123abcdef=a@b") == "a@b")
    end
    assert(longest > 512, "the buffer never grew")
    for length = 1, 251 do
        local fresh = assert(require("backstop").load(arg[2]))
        local address = "a@" .. ("b"):rep(length)
        assert(fresh.strip(address) == address)
    end
end

-- Results are strings and tables of their own: the next call changes none of them.
function tests.a_result_outlives_the_next_call()
    local first, tagged = ring:sign("alice@example.com", NOW), ring:sign("bob@example.com", NOW)
    local a, b = ring:verify(first, NOW), ring:verify(tagged, NOW)
    assert(first:find("alice") and a.mailbox == "alice@example.com" and b.mailbox == "bob@example.com")
end

function tests.strip_takes_tags_of_any_system_off()
    local address, tag = backstop.strip("prvs=0123abcdef=bob@example.org")
    assert(address == "bob@example.org" and tag == "prvs")
    address, tag = backstop.strip("btv1==123456789ab==bob@example.org")
    assert(address == "bob@example.org" and tag == "btv1")
    address, tag = backstop.strip("list-owner+a=b.example@example.org")
    assert(address == "list-owner+a=b.example@example.org" and tag == nil)
    assert(backstop.strip("") == "")
end

function tests.srs_goes_there_and_back()
    local forwarder = assert(backstop.srs("fwd.example", { own = "old.example", separator = "+", hash_length = 8 }))
    local sender = forwarder:forward(ring, "bob@example.org", NOW)
    assert(sender:find("^SRS0%+........=JK=example%.org=bob@fwd%.example$"), sender)
    local v = forwarder:reverse(ring, sender, NOW)
    assert(v.verdict == "genuine" and v.mailbox == "bob@example.org" and v.use == "srs")
    assert(forwarder:reverse(ring, sender:gsub("fwd", "old"), NOW).verdict == "genuine")
    assert(forwarder:reverse(ring, sender:gsub("fwd", "other"), NOW).reason == "not-own")
    for _, options in ipairs({ { separator = "x" }, { separator = "" }, { hash_length = 0 }, { hash_length = 28 },
        { hash_min = 9 }, { hash_length = 2 ^ 32 + 4 }, { max_age = 501 }, { max_age = -1 }, { alphabet = "none" },
        { over_long = 1 } }) do
        assert(slug(backstop.srs("fwd.example", options)) == "option")
    end
    local url = assert(backstop.srs("fwd.example", { alphabet = "url", over_long = "emit", always_rewrite = true }))
    assert(url:forward(ring, ("x"):rep(60) .. "@fwd.example", NOW):find("^SRS0="))
end

function tests.the_address_of_a_from_is_told_if_it_has_one()
    assert(backstop.mark_address_of_from('"Alice, a@b" <alice@example.com>\n (home)') == "alice@example.com")
    local none, reason = backstop.mark_address_of_from("bob@example.com, alice@example.com")
    assert(none == "" and reason == "shape")
    raises("the From is a nil", backstop.mark_address_of_from)
end

function tests.marks_are_made_and_checked()
    local value = assert(ring:mark_header("alice@example.com", "\0\1\2\3\4\5\6\7", NOW))
    assert(value:find("^v=1; i=example%.com; k=m; d=20778; n=aaaqeayeaudao; t="))
    assert(ring:mark_verify_header(value, "alice@example.com", NOW).verdict == "genuine")
    assert(ring:mark_verify_header(value, "bob@example.com", NOW).verdict == "forged")
    local id = assert(ring:mark_message_id("1.2", "example.com", "alice@example.com", NOW))
    assert(ring:mark_verify_message_id(id, "alice@example.com", NOW).verdict == "genuine")
    assert(ring:mark_verify_message_id("<1.2@example.com>", "alice@example.com", NOW).verdict == "untagged")
end

function tests.a_policy_decides()
    local policy = assert(backstop.policy(POLICY))
    assert(policy:origin(true, "192.0.2.1", 1024) == "submitted" and policy:origin(false, "", 0) == "internal")
    assert(policy:origin(false, "192.0.2.8", 1024) == "submitted" and policy:origin(false, "192.0.2.1", 1) == "inbound")
    assert(policy:client(false, "192.0.2.9", 1024) == "exempt" and policy:client(false, "192.0.2.1", 1024) == "other")
    assert(policy:client(false, "127.0.0.1", 0) == "internal" and policy:client(false, "", 0) == "internal")
    assert(policy:client(false, "192.0.2.8", 1024) == "submitted" and policy:client(true, "192.0.2.1", 1024) == "submitted")
    assert(policy:client(true, "192.0.2.9", 1024) == "exempt" and policy:client(true, "", 0) == "internal")

    assert(table.concat(policy:needs(), " ") == 'mode = "enforce" refuse-at = "data" exempt-clients internal-hosts')
    assert(#assert(backstop.policy('[policy]\nown-domains = ["a.example"]\nrefuse-at = "rcpt"\n')):needs() == 0)

    local sender, rule = policy:outgoing(ring, "alice@example.com", { "x@example.org" }, "submitted", NOW)
    assert(sender == ring:sign("alice@example.com", NOW) and rule == "signed")
    sender, rule = policy:outgoing(ring, "news@example.com", {}, "submitted", NOW)
    assert(sender == "news@example.com" and rule == "no-sign")
    assert(select(2, policy:outgoing(ring, "alice@example.com", {}, "inbound", NOW)) == "not-vouched")
    sender, rule = policy:forward(ring, "bob@example.org", "alice@example.com", NOW)
    assert(sender:find("^SRS0=") and rule == "rewritten")

    local d = policy:incoming(ring, "", "alice@example.com", "other", NOW)
    assert(d.action == "refuse" and d.would == "refuse" and d.rule == "untagged" and d.verdict == "untagged")
    assert(d.mode == "enforce" and d.refuse_at == "data" and d.log == true and d.address == nil)
    assert(d.text:find("bounce") and d.reply:find("^550 5%.7%.1 "))
    d = policy:incoming(ring, "", ring:sign("alice@example.com", NOW), "other", NOW)
    assert(d.action == "strip" and d.address == "alice@example.com" and d.verdict == "genuine" and d.reply == nil)
    d = policy:incoming(ring, "", "alice@example.org", "other", NOW)
    assert(d.action == "unchanged" and d.rule == "not-own" and d.verdict == nil)
end

function tests.a_store_follows_its_file()
    write("store.keys", "version 1\nprvs 0 sha1 7 - - * text:secret\n")
    local store = assert(backstop.keystore("store.keys"))
    local kept = assert(store:get())
    assert(kept:sign("a@b", NOW):find("^prvs=0") and store:report() == nil)
    write("store.keys", "version 1\nprvs 1 sha1 7 - - * text:secret\n")
    wait_a_second()
    local new = assert(store:get())
    assert(new:sign("a@b", NOW):find("^prvs=1") and kept:sign("a@b", NOW):find("^prvs=0"))
    assert(new:fingerprint() ~= kept:fingerprint() and #new:fingerprint() == 8)

    write("store.keys", "version 7\n")
    assert(slug(store:reload()) == "file" and select(2, store:reload()):find("version 7", 1, true))
    assert(store:get():sign("a@b", NOW):find("^prvs=1") and store:report():find("version 7", 1, true))

    write("store.keys", "version 1\nprvs 2 sha1 7 - - * text:secret\n")
    assert(store:reload() == true and store:report() == nil)
    store:free()
    raises("the key store is freed", store.get, store)
    assert(new:sign("a@b", NOW):find("^prvs=1"))
    assert(os.remove("store.keys"))
end

function tests.a_freed_handle_is_refused()
    for _, handle in ipairs({ assert(backstop.keyring(RING)), assert(backstop.policy(POLICY)),
        assert(backstop.srs("a.example")) }) do
        handle:free()
        handle:free()
        raises("is freed", handle.sign or handle.client or handle.reverse, handle, "", 0)
    end
end

-- Resident memory in pages. A ring with its policy is some kilobytes: what is never freed would show.
local function resident()
    local file = assert(io.open("/proc/self/statm"))
    local pages = file:read("*l"):match("^%d+ (%d+)")
    file:close()
    return tonumber(pages)
end

local function grows(round)
    round(1000)
    local before = resident()
    round(4000)
    return resident() - before
end

function tests.what_is_collected_is_freed()
    local pages = grows(function(count)
        for i = 1, count do
            assert(backstop.keyring(RING) and backstop.policy(POLICY) and backstop.srs("a.example"))
            -- Lua does not see the memory behind a handle, and so collects late.
            if i % 100 == 0 then
                collectgarbage()
            end
        end
        collectgarbage()
    end)
    assert(pages < 500, "grew by " .. pages .. " pages")
end

function tests.what_is_freed_is_not_left_to_the_collector()
    collectgarbage("stop")
    local pages = grows(function(count)
        for _ = 1, count do
            assert(backstop.keyring(RING)):free()
        end
    end)
    collectgarbage("restart")
    assert(pages < 1000, "grew by " .. pages .. " pages")
end

function tests.calls_leave_nothing_but_their_result()
    local sender = ring:sign("alice@example.com", NOW)
    for _ = 1, 200 do ring:sign("alice@example.com", NOW) end
    collectgarbage()
    collectgarbage("stop")
    local before = collectgarbage("count")
    for _ = 1, 10000 do
        -- The same text each time, which Lua holds once.
        assert(ring:sign("alice@example.com", NOW) == sender)
    end
    local octets = (collectgarbage("count") - before) * 1024 / 10000
    collectgarbage("restart")
    assert(octets < 64, octets .. " octets of garbage for each call")
end

local BOUNCE_POLICY = "[policy]\nown-domains = [\"example.com\"]\nmode = \"enforce\"\nmarks-since = 2026-09-01\n"
local BOUNCE = table.concat({
    "From: Mail Delivery System <MAILER-DAEMON@mx.reflector.example>", "Subject: Undelivered Mail Returned to Sender",
    "MIME-Version: 1.0", "Content-Type: multipart/report; report-type=delivery-status; boundary=b", "", "--b", "",
    "user unknown", "--b", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mx.reflector.example", "",
    "Final-Recipient: rfc822; x@reflector.example", "Action: failed", "Status: 5.1.1", "", "--b",
    "Content-Type: text/rfc822-headers", "",
    "Received: from zombie.isp.example ([198.51.100.17]) by mx.reflector.example with SMTP;",
    "\tFri, 20 Nov 2026 10:11:12 +0000", "From: Cheap Pills <user@example.com>", "To: x@reflector.example",
    "Subject: You won", "Date: Fri, 20 Nov 2026 10:11:10 +0000", "Message-ID: <1@zombie>", "", "--b--", "",
}, "\r\n")

function tests.a_returned_message_tells_what_it_is_and_why()
    local policy = assert(backstop.policy(BOUNCE_POLICY))
    local ring = assert(backstop.keyring("version 1\nprvs 0 sha1 7 - - * text:secret\nmark m sha256 14 - - * text:mark\n"))
    local it = assert(policy:inspect(ring, BOUNCE, { sender = "<>", recipient = "user@example.com" }, 1795280400))
    assert(it.kind == "dsn-failed" and it.verdict == "backscatter" and it.advice == "refuse" and it.why == nil)
    local observing = assert(backstop.policy((BOUNCE_POLICY:gsub("enforce", "observe"))))
    it = assert(observing:inspect(ring, BOUNCE, { sender = "<>", recipient = "user@example.com" }, 1795280400))
    assert(it.advice == "flag" and it.would == "refuse")
    assert(it.failure == "bad-address" and it.reporting == "mx.reflector.example" and it.injector == "198.51.100.17")
    assert(it.returned_message_id == "1@zombie" and it.reply:find("^550 ") and it.proof == nil and #it.checks == 0)
    assert(#it.evidence > 2 and it.evidence[1].id and it.evidence[1].weight ~= 0 and it.evidence[1].why:find("%.$"))
    it = assert(policy:inspect(ring, BOUNCE, { sender = "", recipient = "prvs=07853508f8=user@example.com" }, 1795280400))
    assert(it.verdict == "genuine" and it.proof == it.checks[1] and it.proof.place == "recipient-tag")
    assert(it.proof.key == "0" and it.proof.signed == 20778 and it.mailbox == "user@example.com" and it.reply == nil)
    local function unnamed(field)
        local head = "Return-Path: <>\n" .. field .. ": prvs=07853508f8=user@example.com\n"
        return assert(policy:inspect(ring, head .. BOUNCE, {}, 1795280400)).verdict
    end
    assert(unnamed("Delivered-To") == "genuine" and unnamed("To") == "unproven")
    it = assert(policy:inspect(ring, "Return-Path: <bob@example.org>\n\nhello\n"))
    assert(it.kind == "not-a-bounce" and it.verdict == "not-a-bounce")
    local none, _, slug = policy:inspect(ring, "", {}, 2 ^ 60)
    assert(none == nil and slug == "time")
    assert(not pcall(policy.inspect, policy, ring, "", { from = "a@b" }) and not pcall(policy.inspect, policy, ring, 7))
end

function tests.a_message_has_the_last_word_where_the_policy_says_so()
    local policy = assert(backstop.policy(BOUNCE_POLICY .. 'refuse-at = "message"\n'))
    local ring = assert(backstop.keyring("version 1\nprvs 0 sha1 7 - - * text:secret\nmark m sha256 14 - - * text:mark\n"))
    local mark = assert(ring:mark_header("user@example.com", "12345678", 1795280400))
    local marked = "From: MAILER-DAEMON@mx.example.net\nSubject: Undelivered Mail Returned to Sender\n" ..
        "Content-Type: message/rfc822\n\nFrom: user@example.com\nBackstop-Mark: " .. mark .. "\n\nhello\n"
    local function judged(client, message)
        return assert(policy:incoming_message(ring, "<>", "user@example.com", client, message, 1795280400))
    end
    local d = assert(policy:incoming(ring, "<>", "user@example.com", "other", 1795280400))
    assert(d.action == "refuse" and d.rule == "untagged" and d.refuse_at == "message" and d.by_message == true)
    d = judged("other", marked)
    assert(d.action == "unchanged" and d.rule == "mark-genuine" and d.reply == nil and d.by_message == true)
    d = judged("other", BOUNCE)
    assert(d.action == "refuse" and d.rule == "backscatter" and d.reply:find("^550 "))
    d = judged("exempt", BOUNCE)
    assert(d.action == "unchanged" and d.by_message == false)
    assert(not pcall(judged, "nobody", BOUNCE) and not pcall(judged, "other", 7))
    local none, _, slug = policy:incoming_message(ring, "<>", "user@example.com", "other", BOUNCE, 2 ^ 60)
    assert(none == nil and slug == "time")
end

function tests.a_returned_message_is_told_as_one_json_object()
    local policy = assert(backstop.policy(BOUNCE_POLICY))
    local ring = assert(backstop.keyring("version 1\nmark m sha256 14 - - * text:mark\n"))
    local envelope = { sender = "<>", recipient = "user@example.com" }
    local function json(...)
        return policy:inspect_json(ring, BOUNCE, envelope, 1795280400, ...)
    end
    local text = assert(json({ file = 'a "b"\27', dnsbl = { "zen.example", "b.example" } }))
    assert(text:find('^{"file":"a \\"b\\"\\u001b","kind":"dsn%-failed","verdict":"backscatter","proof":null,'))
    assert(text:find('"dnsbl":["17.100.51.198.zen.example","17.100.51.198.b.example"]},"mailbox":', 1, true))
    text = assert(json())
    assert(text:find('^{"file":null,') and text:find('"dnsbl":[]},"mailbox":', 1, true) and not text:find("%c"))
    local none, _, slug = json({ dnsbl = { "\255" } })
    assert(none == nil and slug == "domain")
    assert(not pcall(json, { zones = {} }) and not pcall(json, { file = 7 }) and not pcall(json, { dnsbl = { 7 } }))
    assert(not pcall(json, { dnsbl = "zen.example" }) and not pcall(json, "a file"))
end

function tests.a_host_is_told_whom_it_may_answer()
    local mail = "From: bob@example.org\r\nTo: alice@example.com\r\n\r\nhello\r\n"
    local bob = { sender = "bob@example.org", authenticated = true }
    assert(backstop.may_bounce(mail, bob) == true)
    local may, sentence, slug = backstop.may_bounce(mail, { sender = "bob@example.org" })
    assert(may == false and slug == "unauthenticated" and sentence:find("%.$"))
    assert(select(3, backstop.may_bounce(mail, { sender = "<>", authenticated = true })) == "null-sender")
    assert(backstop.may_autorespond(mail, { "carol@example.com", "alice@example.com" }, bob) == true)
    assert(select(3, backstop.may_autorespond(mail, {}, bob)) == "not-addressed")
end

function tests.a_library_that_is_loaded_twice_works_twice()
    local second = assert(require("backstop").load(arg[2]))
    assert(second.keyring(RING):sign("a@b", NOW) == ring:sign("a@b", NOW))
    raises("the key ring is none", second.srs("a.example").forward, second.srs("a.example"), ring, "a@b")
    package.loaded.backstop, package.loaded.backstop_abi, package.loaded.backstop_inspection = nil, nil, nil
    assert(assert(require("backstop").load(arg[2])).strip("a@b") == "a@b")
end

local count, names = 0, {}
for name in pairs(tests) do
    names[#names + 1] = name
end
table.sort(names)
for _, name in ipairs(names) do
    local fine, message = xpcall(tests[name], debug.traceback)
    if not fine then
        io.stderr:write(name, ": ", message, "\n")
        os.exit(1)
    end
    count = count + 1
end
-- The handles that are still there now are freed when the state closes.
print(count .. " tests of the binding")
