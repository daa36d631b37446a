-- backstop.lua: libbackstop for LuaJIT, over its ffi. Signs and verifies envelope senders, rewrites forwarded ones,
-- makes and checks marks, asks a policy, judges returned messages. Licence: MIT OR Apache-2.0.
--
--     local backstop = assert(require("backstop").load())
--     local ring = assert(backstop.keyring_load("/etc/backstop/keys"))
--     local sender = ring:sign("alice@example.com")
--
-- include/backstop.h is the manual; the verbs here are those of C. What holds for every function here:
--
-- load([path]) takes the path of the library, or $BACKSTOP_LIBRARY, or libbackstop.so.0 as the linker finds it.
-- Failure is nil, a sentence, and the slug of the code ("address", "keyring"). A wrong type is an error(), as in Lua's
-- own functions. An address left as it is comes back with the slug of the reason behind it ("already", "not-own").
-- Verdicts and decisions are new tables; words in them are slugs, and what there is not is nil.
-- Texts are Lua strings of any octets, NUL included; only a path can hold none. `now` is unix seconds, nil the clock.
-- Handles (ring, store, forwarder, policy) are freed when they are collected, or at once by :free(); an error() if used
-- after that. They hold for one Lua state, but also after a fork. Output buffers are made once for each load() and used
-- again. What it needs beside itself is backstop_abi.lua and backstop_inspection.lua, which judges returned messages.
local ffi = require("ffi")

local abi = require("backstop_abi")
local inspection = require("backstop_inspection")
local constants = abi.constants

-- How many octets the output buffer has at first: every address that is made fits, and more is asked for when needed.
local FIRST_CAPACITY = 256

-- The slugs of all constants with one prefix, by number, and the numbers by slug.
local function words(prefix)
    local by_number, by_slug = {}, {}
    for name, number in pairs(constants) do
        local rest = name:match("^" .. prefix .. "_(.+)$")
        if rest then
            local slug = rest:lower():gsub("_", "-")
            by_number[number], by_slug[slug] = slug, number
        end
    end
    return by_number, by_slug
end

local unsigned_words, error_words, needs = words("UNSIGNED"), words("ERR"), words("NEED")
local _, origins = words("ORIGIN")
local _, clients = words("CLIENT")
local _, alphabets = words("ALPHABET")
local _, over_longs = words("OVER_LONG")

local function check(name, value, wanted)
    if type(value) ~= wanted then
        error(name .. " is a " .. type(value) .. "; give a " .. wanted, 3)
    end
    return value
end

local function time(now)
    if now == nil then
        return -1
    end
    if type(now) ~= "number" and not ffi.istype("int64_t", now) then
        error("now is a " .. type(now) .. "; give unix seconds or nil", 3)
    end
    -- One that is refused stands for what no int64_t holds, which would become any number, and for what is below 0, since
    -- -1 is the clock in C.
    if type(now) == "number" and not (now >= 0 and now < 2 ^ 53) or now < 0 then
        return -2
    end
    return now
end

-- Declares the types and functions once for a Lua state, however often this file is read.
local function declare()
    if not pcall(ffi.typeof, "backstop_decision") then
        ffi.cdef(abi.declarations)
    end
end

local function load(path)
    path = path or os.getenv("BACKSTOP_LIBRARY") or "libbackstop.so.0"
    check("the path of the library", path, "string")
    declare()
    local loaded, lib = pcall(ffi.load, path)
    if not loaded then
        return nil, "the library cannot be loaded: " .. tostring(lib), "library"
    end
    for name in abi.declarations:gmatch("(backstop_[%w_]+)%(") do
        if not pcall(function() return lib[name] end) then
            return nil, path .. " has no " .. name .. ": it is no libbackstop, or an older one", "library"
        end
    end

    -- LuaJIT unloads a library that is garbage before it frees the handles that are garbage with it. So it never is.
    debug.getregistry()[lib] = true

    local capacity, buffer = FIRST_CAPACITY, ffi.new("char[?]", FIRST_CAPACITY)
    local length, line, number = ffi.new("size_t[1]"), ffi.new("size_t[1]"), ffi.new("int32_t[1]")
    local verdict = ffi.new("backstop_verdict", { size = ffi.sizeof("backstop_verdict") })
    local decision = ffi.new("backstop_decision", { size = ffi.sizeof("backstop_decision") })
    local made = {
        keyring = ffi.new("backstop_keyring *[1]"), keystore = ffi.new("backstop_keystore *[1]"),
        policy = ffi.new("backstop_policy *[1]"), srs = ffi.new("backstop_srs *[1]"),
    }
    local backstop = { path = path }
    local Ring, Store, Forwarder, Policy = {}, {}, {}, {}

    local function failure(status, sentence)
        return nil, sentence or ffi.string(lib.backstop_strerror(status)), error_words[status] or tostring(status)
    end

    -- Whether a function had room for its text. If not, the next call has: repeat ... until had_room(status).
    local function had_room(status)
        if status ~= constants.ERR_TOO_SMALL then
            return true
        end
        capacity = tonumber(length[0])
        buffer = ffi.new("char[?]", capacity)
        return false
    end

    -- The text that was written; if it is one that was left as it is, the reason behind it.
    local function text_or_reason(status)
        if status < 0 then
            return failure(status)
        end
        return ffi.string(buffer, length[0]), unsigned_words[status]
    end

    -- The sentence of a diagnose function, nil if it found nothing.
    local function sentence(status)
        return status == constants.OK and length[0] > 0 and ffi.string(buffer, length[0]) or nil
    end

    local function path_of(value)
        check("the path", value, "string")
        return not value:find("\0", 1, true)
    end

    local function handle(class, kind)
        local pointer = ffi.gc(made[kind][0], lib["backstop_" .. kind .. "_free"])
        made[kind][0] = nil
        return setmetatable({ pointer = pointer }, class)
    end

    -- Gives a class its :free(), and the function that takes the pointer out of one of its handles.
    local function class(methods, kind, name)
        methods.__index = methods
        local free = lib["backstop_" .. kind .. "_free"]
        function methods:free()
            if self.pointer then
                free(ffi.gc(self.pointer, nil))
                self.pointer = nil
            end
        end
        return function(it)
            if type(it) ~= "table" or getmetatable(it) ~= methods then
                error(name .. " is none that this library made", 3)
            end
            return it.pointer or error(name .. " is freed", 3)
        end
    end
    local ring_of = class(Ring, "keyring", "the key ring")
    local store_of = class(Store, "keystore", "the key store")
    local forwarder_of = class(Forwarder, "srs", "the forwarder")
    local policy_of = class(Policy, "policy", "the policy")

    local function word(name_of, value, none)
        if value ~= none then
            return ffi.string(name_of(value))
        end
    end

    local function verdict_of(status)
        if status ~= constants.OK then
            return failure(status)
        end
        return {
            verdict = ffi.string(lib.backstop_verdict_name(verdict.verdict)),
            reason = word(lib.backstop_reason_name, verdict.reason, constants.REASON_NONE),
            mailbox = verdict.mailbox_len > 0 and ffi.string(verdict.mailbox, verdict.mailbox_len) or nil,
            signed = verdict.signed_day >= 0 and verdict.signed_day or nil,
            expires = verdict.expires_day >= 0 and verdict.expires_day or nil,
            key = verdict.key ~= 0 and string.char(verdict.key) or nil,
            use = word(lib.backstop_use_name, verdict.key_use, constants.USE_NONE),
            covered = verdict.covered ~= 0,
        }
    end

    -- version() -> "0.1.0", 1000
    function backstop.version()
        return ffi.string(lib.backstop_version()), tonumber(lib.backstop_version_number())
    end

    -- mark_address_of_from(field) -> the bare address for which a message with this From has a mark, or "" and the reason
    function backstop.mark_address_of_from(field)
        check("the From", field, "string")
        local status
        repeat
            status = lib.backstop_mark_address_of_from(field, #field, buffer, capacity, length)
        until had_room(status)
        return text_or_reason(status)
    end

    -- strip(address) -> the address without a tag of any known system, the slug of the tag or nil
    function backstop.strip(address)
        check("the address", address, "string")
        local status
        repeat
            status = lib.backstop_strip(address, #address, buffer, capacity, length, number)
        until had_room(status)
        if status < 0 then
            return failure(status)
        end
        return ffi.string(buffer, length[0]), word(lib.backstop_tag_name, number[0], constants.TAG_NONE)
    end

    -- keyring(text), keyring_load(path) -> ring
    function backstop.keyring(text)
        check("the key ring", text, "string")
        local status = lib.backstop_keyring_parse(text, #text, made.keyring)
        if status == constants.OK then
            return handle(Ring, "keyring")
        end
        local why
        repeat
            why = lib.backstop_keyring_diagnose(text, #text, buffer, capacity, length, line)
        until had_room(why)
        return failure(status, sentence(why))
    end

    local function diagnosed(by, path)
        local status
        repeat
            status = lib[by](path, buffer, capacity, length)
        until had_room(status)
        return sentence(status)
    end

    function backstop.keyring_load(path)
        if not path_of(path) then
            return failure(constants.ERR_FILE, "the path of the key file holds a NUL")
        end
        local status = lib.backstop_keyring_load(path, made.keyring)
        if status == constants.OK then
            return handle(Ring, "keyring")
        end
        return failure(status, diagnosed("backstop_keyring_diagnose_file", path))
    end

    -- keystore(path) -> store; store:get() -> ring, looked at once a second at most; store:reload() -> true;
    -- store:report() -> why an older ring is given, nil if none is
    function backstop.keystore(path)
        if not path_of(path) then
            return failure(constants.ERR_FILE, "the path of the key file holds a NUL")
        end
        local status = lib.backstop_keystore_open(path, made.keystore)
        if status == constants.OK then
            return handle(Store, "keystore")
        end
        return failure(status, diagnosed("backstop_keystore_diagnose", path))
    end

    function Store:get()
        local status = lib.backstop_keystore_get(store_of(self), made.keyring)
        if status ~= constants.OK then
            return failure(status)
        end
        return handle(Ring, "keyring")
    end

    function Store:reload()
        local status = lib.backstop_keystore_reload(store_of(self))
        if status ~= constants.OK then
            return failure(status, self:report())
        end
        return true
    end

    function Store:report()
        local store = store_of(self)
        local status
        repeat
            status = lib.backstop_keystore_report(store, buffer, capacity, length)
        until had_room(status)
        return sentence(status)
    end

    -- ring:sign(address, now), ring:sign_subaddress(address, now) -> sender, reason if it is left as it is
    -- ring:explain(address, now) -> lines for people
    for _, verb in ipairs({ "sign", "sign_subaddress", "explain" }) do
        local call = lib["backstop_" .. verb]
        Ring[verb] = function(self, address, now)
            local ring, at = ring_of(self), time(now)
            check("the address", address, "string")
            local status
            repeat
                status = call(ring, address, #address, at, buffer, capacity, length)
            until had_room(status)
            return text_or_reason(status)
        end
    end

    -- ring:verify(address, now) -> { verdict =, mailbox =, reason =, signed =, expires =, key =, use =, covered = };
    -- the days are unix days
    function Ring:verify(address, now)
        local ring, at = ring_of(self), time(now)
        check("the address", address, "string")
        return verdict_of(lib.backstop_verify(ring, address, #address, at, verdict))
    end

    -- ring:fingerprint() -> eight characters
    function Ring:fingerprint()
        local ring = ring_of(self)
        local status
        repeat
            status = lib.backstop_keyring_fingerprint(ring, buffer, capacity, length)
        until had_room(status)
        return text_or_reason(status)
    end

    -- ring:mark_header(from, nonce, now) -> value, or "" and the reason; the nonce is 8 random octets
    function Ring:mark_header(from, nonce, now)
        local ring, at = ring_of(self), time(now)
        check("the From", from, "string")
        if #check("the nonce", nonce, "string") ~= constants.NONCE_SIZE then
            error("the nonce has " .. #nonce .. " octets; give " .. constants.NONCE_SIZE, 2)
        end
        local status
        repeat
            status = lib.backstop_mark_header(ring, from, #from, nonce, at, buffer, capacity, length)
        until had_room(status)
        return text_or_reason(status)
    end

    -- ring:mark_message_id(left, domain, from, now) -> Message-ID, or "" and the reason
    function Ring:mark_message_id(left, domain, from, now)
        local ring, at = ring_of(self), time(now)
        check("the left side", left, "string")
        check("the domain", domain, "string")
        check("the From", from, "string")
        local status
        repeat
            status = lib.backstop_mark_message_id(ring, left, #left, domain, #domain, from, #from, at,
                buffer, capacity, length)
        until had_room(status)
        return text_or_reason(status)
    end

    -- ring:mark_verify_header(value, recipient, now), ring:mark_verify_message_id(id, recipient, now) -> as verify
    for _, verb in ipairs({ "mark_verify_header", "mark_verify_message_id" }) do
        local call = lib["backstop_" .. verb]
        Ring[verb] = function(self, value, recipient, now)
            local ring, at = ring_of(self), time(now)
            check("the mark", value, "string")
            check("the recipient", recipient, "string")
            return verdict_of(call(ring, value, #value, recipient, #recipient, at, verdict))
        end
    end

    -- srs(domain, { own = "a.example,*.b.example", separator = "=", hash_length = 4, hash_min = 4, max_age = 21,
    -- always_rewrite = false, alphabet = "classic", over_long = "leave" }) -> forwarder; all options may be left out
    function backstop.srs(domain, options)
        check("the domain", domain, "string")
        options = options or {}
        local own = options.own or ""
        check("own", own, "string")
        local given = ffi.new("backstop_srs_options", ffi.sizeof("backstop_srs_options"), ("="):byte(), 4, 4, 0, 0,
            constants.ALPHABET_CLASSIC, constants.OVER_LONG_LEAVE)
        local known = { own = true }
        local function option(name, convert)
            known[name] = true
            if options[name] ~= nil then
                given[name] = convert(options[name])
            end
        end
        local function count(value)
            -- What no uint32_t holds is as far out of range as 0xffffffff.
            return type(value) == "number" and value >= 0 and value < 2 ^ 32 and value % 1 == 0 and value or 2 ^ 32 - 1
        end
        option("separator", function(value) return type(value) == "string" and #value == 1 and value:byte() or -1 end)
        option("hash_length", count)
        option("hash_min", count)
        option("max_age", count)
        option("always_rewrite", function(value) return value and 1 or 0 end)
        option("alphabet", function(value) return alphabets[value] or -1 end)
        option("over_long", function(value) return over_longs[value] or -1 end)
        for name in pairs(options) do
            if not known[name] then
                error("there is no option " .. tostring(name), 2)
            end
        end
        local status = lib.backstop_srs_new(domain, #domain, own, #own, given, made.srs)
        if status ~= constants.OK then
            return failure(status)
        end
        return handle(Forwarder, "srs")
    end

    -- forwarder:forward(ring, sender, now) -> sender, reason if it is left as it is
    function Forwarder:forward(ring, sender, now)
        local srs, keys, at = forwarder_of(self), ring_of(ring), time(now)
        check("the sender", sender, "string")
        local status
        repeat
            status = lib.backstop_srs_forward(keys, srs, sender, #sender, at, buffer, capacity, length)
        until had_room(status)
        return text_or_reason(status)
    end

    -- forwarder:reverse(ring, address, now) -> as verify
    function Forwarder:reverse(ring, address, now)
        local srs, keys, at = forwarder_of(self), ring_of(ring), time(now)
        check("the address", address, "string")
        return verdict_of(lib.backstop_srs_reverse(keys, srs, address, #address, at, verdict))
    end

    -- policy(text of TOML) -> policy
    function backstop.policy(text)
        check("the policy", text, "string")
        local status = lib.backstop_policy_parse(text, #text, made.policy)
        if status == constants.OK then
            return handle(Policy, "policy")
        end
        local why
        repeat
            why = lib.backstop_policy_diagnose(text, #text, buffer, capacity, length, line)
        until had_room(why)
        return failure(status, sentence(why))
    end

    -- policy:needs() -> { "refuse-at = \"data\"", "exempt-clients", ... }: the keys of the policy by which it asks something of
    -- the program around it, so that one that cannot give it says so; `Need` of the Rust crate tells what each wants
    function Policy:needs()
        local policy, keys = policy_of(self), {}
        for need in ipairs(needs) do
            local status = lib.backstop_policy_needs(policy, need, number)
            if status ~= constants.OK then
                return failure(status)
            end
            if number[0] ~= 0 then
                keys[#keys + 1] = ffi.string(lib.backstop_need_name(need))
            end
        end
        return keys
    end

    local function port_of(port)
        if type(port) ~= "number" or port < 0 or port > 65535 or port % 1 ~= 0 then
            error("the port is none; give a number of 0 to 65535", 3)
        end
        return port
    end

    -- policy:origin(authenticated, ip, port) -> "submitted", "internal", "inbound", "unknown"
    function Policy:origin(authenticated, ip, port)
        local policy = policy_of(self)
        check("the IP address", ip, "string")
        local status = lib.backstop_policy_origin(policy, authenticated and 1 or 0, ip, #ip, port_of(port), number)
        if status ~= constants.OK then
            return failure(status)
        end
        return ffi.string(lib.backstop_origin_name(number[0]))
    end

    -- policy:client(authenticated, ip, port) -> "internal", "exempt", "submitted", "other"
    function Policy:client(authenticated, ip, port)
        local policy = policy_of(self)
        check("the IP address", ip, "string")
        local status = lib.backstop_policy_client(policy, authenticated and 1 or 0, ip, #ip, port_of(port), number)
        if status ~= constants.OK then
            return failure(status)
        end
        return ffi.string(lib.backstop_client_name(number[0]))
    end

    local function sender_and_rule(status)
        if status < 0 then
            return failure(status)
        end
        return ffi.string(buffer, length[0]), ffi.string(lib.backstop_rule_name(number[0]))
    end

    -- policy:outgoing(ring, sender, { recipients }, origin, now) -> sender, the slug of the rule ("signed", "no-sign")
    function Policy:outgoing(ring, sender, recipients, origin, now)
        local policy, keys, at = policy_of(self), ring_of(ring), time(now)
        check("the sender", sender, "string")
        check("recipients", recipients, "table")
        local from = origins[origin] or error("there is no origin " .. tostring(origin), 2)
        local count = #recipients
        local texts = ffi.new("backstop_text[?]", count > 0 and count or 1)
        for i = 1, count do
            texts[i - 1].data, texts[i - 1].len = check("a recipient", recipients[i], "string"), #recipients[i]
        end
        local status
        repeat
            status = lib.backstop_policy_outgoing(policy, keys, sender, #sender, texts, count, from, at,
                buffer, capacity, length, number)
        until had_room(status)
        return sender_and_rule(status)
    end

    -- policy:forward(ring, sender, recipient, now) -> sender, the slug of the rule ("rewritten", "own-sender")
    function Policy:forward(ring, sender, recipient, now)
        local policy, keys, at = policy_of(self), ring_of(ring), time(now)
        check("the sender", sender, "string")
        check("the recipient", recipient, "string")
        local status
        repeat
            status = lib.backstop_policy_forward(policy, keys, sender, #sender, recipient, #recipient, at,
                buffer, capacity, length, number)
        until had_room(status)
        return sender_and_rule(status)
    end

    local function client_of(client)
        return clients[client] or error("there is no client " .. tostring(client), 3)
    end

    -- What was decided, as a table.
    local function decided(status)
        if status ~= constants.OK then
            return failure(status)
        end
        return {
            action = ffi.string(lib.backstop_action_name(decision.action)),
            would = ffi.string(lib.backstop_action_name(decision.would)),
            rule = ffi.string(lib.backstop_rule_name(decision.rule)),
            text = ffi.string(lib.backstop_rule_text(decision.rule)),
            verdict = word(lib.backstop_verdict_name, decision.verdict, constants.NONE),
            reason = word(lib.backstop_reason_name, decision.reason, constants.REASON_NONE),
            mode = ffi.string(lib.backstop_mode_name(decision.mode)),
            refuse_at = ffi.string(lib.backstop_refuse_at_name(decision.refuse_at)),
            by_message = decision.by_message ~= 0,
            log = decision.log ~= 0,
            address = decision.address_len > 0 and ffi.string(decision.address, decision.address_len) or nil,
            reply = decision.reply_len > 0 and ffi.string(decision.reply, decision.reply_len) or nil,
        }
    end

    -- policy:incoming(ring, sender, recipient, client, now) -> { action =, would =, rule =, text =, verdict =,
    -- reason =, mode =, refuse_at =, by_message =, log =, address =, reply = }; `text` is a sentence about the rule; with
    -- `by_message` ask policy:incoming_message as well, when the message is there
    function Policy:incoming(ring, sender, recipient, client, now)
        local policy, keys, at = policy_of(self), ring_of(ring), time(now)
        check("the sender", sender, "string")
        check("the recipient", recipient, "string")
        return decided(lib.backstop_policy_incoming(policy, keys, sender, #sender, recipient, #recipient,
            client_of(client), at, decision))
    end

    inspection.add(backstop, Policy, {
        lib = lib, check = check, time = time, word = word, words = words, failure = failure,
        policy_of = policy_of, ring_of = ring_of, client_of = client_of, decision = decision, decided = decided,
    })

    return backstop
end

return { load = load }
