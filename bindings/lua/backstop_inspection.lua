-- backstop_inspection.lua: returned messages for LuaJIT; backstop.lua takes it in, and says what holds for all functions.
--
--     local found = assert(policy:inspect(ring, message, { sender = "<>", recipient = "prvs=..." }))
--     local json = assert(policy:inspect_json(ring, message, { sender = "<>", recipient = "prvs=..." }))
--     if backstop.may_autorespond(message, { "alice@example.com" }, { sender = "bob@example.org" }) then ... end
--
-- Everything that C tells of an inspection is taken out at once, so that no handle is left for the caller. The output
-- buffer is made once for each load(); what came out of a message may be long, so that it is another than that of addresses.
-- It is no module for itself: add() gives the functions to the tables of one loaded library.
local ffi = require("ffi")

local constants = require("backstop_abi").constants

-- How many octets the output buffer has at first: most texts fit, and more is asked for when needed.
local FIRST_CAPACITY = 1024

-- Adds inspect, inspect_json and incoming_message to Policy, may_bounce and may_autorespond to backstop. `with` has the library, and what
-- backstop.lua has for all: check, time, word, words, failure, policy_of, ring_of, client_of, decision, decided.
local function add(backstop, Policy, with)
    local lib, check, failure, word = with.lib, with.check, with.failure, with.word
    local text_words = with.words("TEXT")
    local capacity, buffer = FIRST_CAPACITY, ffi.new("char[?]", FIRST_CAPACITY)
    local length, number = ffi.new("size_t[1]"), ffi.new("int32_t[1]")
    local made = ffi.new("backstop_inspection *[1]")
    local findings = ffi.new("backstop_findings", { size = ffi.sizeof("backstop_findings") })
    local checked = ffi.new("backstop_check", { size = ffi.sizeof("backstop_check") })

    -- Whether a function had room for its text. If not, the next call has: repeat ... until had_room(status).
    local function had_room(status)
        if status ~= constants.ERR_TOO_SMALL then
            return true
        end
        capacity = tonumber(length[0])
        buffer = ffi.new("char[?]", capacity)
        return false
    end

    -- The envelope as C has it; the caller keeps `envelope` until the call is over, and its strings with it.
    local function envelope_of(envelope)
        local given = ffi.new("backstop_envelope", { size = ffi.sizeof("backstop_envelope") })
        for name, value in pairs(envelope or {}) do
            if name == "sender" or name == "recipient" then
                check("the " .. name, value, "string")
                given[name].data, given[name].len = value, #value
            elseif name == "authenticated" then
                given.authenticated = value and 1 or 0
            else
                error("there is no " .. tostring(name) .. " in an envelope", 3)
            end
        end
        return given
    end

    -- The texts of an inspection by their slugs; the second value is nil unless one failed.
    local function inspection_texts(it, found)
        for number, slug in pairs(text_words) do
            local status
            repeat
                status = lib.backstop_inspection_text(it, number, buffer, capacity, length)
            until had_room(status)
            if status ~= constants.OK then
                return status
            end
            found[slug:gsub("-", "_")] = length[0] > 0 and ffi.string(buffer, length[0]) or nil
        end
    end

    local function inspection_check(it, index)
        local status
        repeat
            status = lib.backstop_inspection_check(it, index, buffer, capacity, length, checked)
        until had_room(status)
        return {
            place = ffi.string(lib.backstop_place_name(checked.place)),
            verdict = ffi.string(lib.backstop_verdict_name(checked.verdict)),
            covered = checked.covered ~= 0,
            key = checked.key ~= 0 and string.char(checked.key) or nil,
            signed = checked.signed_day >= 0 and checked.signed_day or nil,
            expires = checked.expires_day >= 0 and checked.expires_day or nil,
            token = ffi.string(buffer, length[0]),
        }
    end

    local function inspection_evidence(it, index)
        local status
        repeat
            status = lib.backstop_inspection_evidence(it, index, buffer, capacity, length, number)
        until had_room(status)
        local id, weight = ffi.string(buffer, length[0]), number[0]
        repeat
            status = lib.backstop_inspection_evidence_why(it, index, buffer, capacity, length)
        until had_room(status)
        return { id = id, weight = weight, why = ffi.string(buffer, length[0]) }
    end

    -- An array of texts, with room for one where there is none; the caller keeps the strings until the call is over.
    local function texts_of(list, name)
        local texts = ffi.new("backstop_text[?]", math.max(#list, 1))
        for index, text in ipairs(list) do
            check(name, text, "string")
            texts[index - 1].data, texts[index - 1].len = text, #text
        end
        return texts
    end

    -- Inspects, hands the handle to `take`, which gives a status and what it took, and frees it, also after an error().
    local function inspected(policy, ring, message, envelope, now, take)
        local keys, at = with.ring_of(ring), with.time(now)
        check("the message", message, "string")
        local status = lib.backstop_inspect(policy, keys, message, #message, envelope_of(envelope), at, made)
        if status ~= constants.OK then
            return failure(status)
        end
        local it = ffi.gc(made[0], lib.backstop_inspection_free)
        made[0] = nil
        local taken
        status, taken = take(it)
        lib.backstop_inspection_free(ffi.gc(it, nil))
        if status ~= constants.OK then
            return failure(status)
        end
        return taken
    end

    local function table_of(it)
        local status = lib.backstop_inspection_findings(it, findings)
        local found = {
            kind = ffi.string(lib.backstop_kind_name(findings.kind)),
            verdict = ffi.string(lib.backstop_message_name(findings.verdict)),
            why = word(lib.backstop_why_name, findings.why, constants.WHY_NONE),
            advice = ffi.string(lib.backstop_advice_name(findings.advice)),
            failure = word(lib.backstop_failure_name, findings.failure, constants.FAILURE_NONE),
            would = ffi.string(lib.backstop_advice_name(findings.would)),
            score = findings.score, lean = findings.lean, evidence = {}, checks = {},
        }
        status = status ~= constants.OK and status or inspection_texts(it, found) or status
        for index = 1, status == constants.OK and findings.evidence or 0 do
            found.evidence[index] = inspection_evidence(it, index - 1)
        end
        for index = 1, status == constants.OK and findings.checks or 0 do
            found.checks[index] = inspection_check(it, index - 1)
        end
        found.proof = findings.proof >= 0 and found.checks[findings.proof + 1] or nil
        return status, found
    end

    -- policy:inspect(ring, message, { sender = "<>", recipient = "prvs=..." }, now) -> what a returned message is:
    -- { kind =, verdict =, why =, advice =, would =, failure =, score =, lean =, proof = one of checks or nil,
    -- evidence = { { id =, weight =, why = }, ... },
    -- checks = { { place =, verdict =, covered =, key =, signed =, expires =, token = }, ... },
    -- mailbox =, sentence =, reply =, reporting =, injector =, subject =, returned_from =, returned_message_id = };
    -- there is no mailbox under a tag that nothing proves, nor where the kind is not-a-bounce: nobody looked then;
    -- what the envelope does not name is read from the message, as stored mail wants it: the sender from Return-Path, the
    -- recipient from X-Original-To, Envelope-To or Delivered-To above the first Received, never from To. For a message that is
    -- just being received name the recipient: the fields on top are another host's, and without any nothing is proved
    function Policy:inspect(ring, message, envelope, now)
        return inspected(with.policy_of(self), ring, message, envelope, now, table_of)
    end

    -- policy:inspect_json(ring, message, envelope, now, { file = "mail/1", dnsbl = { "zen.example" } }) -> all that is
    -- known as one JSON object, as `backstop inspect --json` prints it; both options may be left out
    function Policy:inspect_json(ring, message, envelope, now, options)
        options = options or {}
        check("the options", options, "table")
        for name in pairs(options) do
            if name ~= "file" and name ~= "dnsbl" then
                error("there is no option " .. tostring(name), 2)
            end
        end
        local file, zones = options.file, check("dnsbl", options.dnsbl or {}, "table")
        if file ~= nil then
            check("the file", file, "string")
        end
        local texts = texts_of(zones, "a zone of dnsbl")
        return inspected(with.policy_of(self), ring, message, envelope, now, function(it)
            local status
            repeat
                status = lib.backstop_inspection_json(it, file, file and #file or 0, texts, #zones, buffer, capacity,
                    length)
            until had_room(status)
            return status, status == constants.OK and ffi.string(buffer, length[0]) or nil
        end)
    end

    -- policy:incoming_message(ring, sender, recipient, client, message, now) -> as policy:incoming, for a recipient whose
    -- decision has `by_message`: what the message shows has the last word. The rest is what policy:incoming was given, `now`
    -- too: midnight may have passed since
    function Policy:incoming_message(ring, sender, recipient, client, message, now)
        local policy, keys, from, at = with.policy_of(self), with.ring_of(ring), with.client_of(client), with.time(now)
        check("the sender", sender, "string")
        check("the recipient", recipient, "string")
        return inspected(policy, ring, message, { sender = sender, recipient = recipient }, now, function(it)
            local status = lib.backstop_policy_incoming_message(policy, keys, sender, #sender, recipient, #recipient,
                from, it, at, with.decision)
            return status, with.decided(status)
        end)
    end

    local function restraint(status)
        if status ~= constants.OK then
            return failure(status)
        elseif number[0] == constants.RESTRAINT_NONE then
            return true
        end
        return false, ffi.string(lib.backstop_restraint_text(number[0])),
            ffi.string(lib.backstop_restraint_name(number[0]))
    end

    -- may_bounce(message, { sender =, authenticated = }), may_autorespond(message, { own addresses }, the same envelope)
    -- -> true; or false, a sentence and the slug of the reason
    function backstop.may_bounce(message, envelope)
        check("the message", message, "string")
        return restraint(lib.backstop_may_bounce(message, #message, envelope_of(envelope), number))
    end

    function backstop.may_autorespond(message, own, envelope)
        check("the message", message, "string")
        check("own", own, "table")
        local texts = texts_of(own, "an own address")
        return restraint(lib.backstop_may_autorespond(message, #message, envelope_of(envelope), texts, #own, number))
    end
end

return { add = add }
