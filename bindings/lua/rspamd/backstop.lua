-- backstop.lua: the rule file for rspamd 3.4. Judges bounces by their SMTP recipients and gives greylisting, reputation
-- and allow-lists a sender that stays the same from day to day. Licence: MIT OR Apache-2.0.
--
-- Load it from rspamd.local.lua; ../README.md has the steps. It needs the binding (require "backstop") and the section
--     backstop { keys = "/etc/backstop/keys"; policy = "/etc/backstop/policy.toml"; library = "libbackstop.so.0"; }
--
-- Symbols, of the group backstop, for mail from outside (no authenticated user):
--     BACKSTOP_GENUINE      the bounce answers mail that was signed here; the option is mark-genuine if a mark inside it
--                           says so, and no tag
--     BACKSTOP_FORGED, BACKSTOP_EXPIRED, BACKSTOP_UNTAGGED, BACKSTOP_UNKNOWN_KEY, BACKSTOP_MALFORMED, BACKSTOP_FOREIGN
--                           what the policy refuses, by the verdict; the option is its rule
--     BACKSTOP_SRS_SENDER   mail to an SRS address of ours from others than the null sender, which the policy refuses too,
--                           genuine or not: whoever got forwarded mail has seen one
--     BACKSTOP_TOLERATED    a bounce that is not genuine and that the policy lets pass; the option is the verdict and
--                           why: the rule, a mode that refuses nothing, or another recipient who is not refused
-- The selector backstop_from gives the SMTP sender without a tag of any system; BACKSTOP_SENDER sets the key of
-- greylisting.
--
-- Where the policy has refuse-at = "message", the message is judged as well, for each recipient whose answer waits for it.
-- rspamd decides about a whole message, so it gets a weight only if every recipient is refused. Rules see no port:
-- clients on the loopback count as the mail system itself. No recipient is stripped and no sender signed here: that is
-- the MTA's. A faulty section, policy or key file is an error when rspamd starts; later a bad key file keeps the ring
-- that was read.
local logger = require("rspamd_logger")
local lua_selectors = require("lua_selectors")
local lua_util = require("lua_util")
local hash = require("rspamd_cryptobox_hash")

-- Weights beside rspamd's thresholds: 6 add a header, 15 reject. See README.md for why they are these.
local WEIGHTS = {
    GENUINE = { -3, "A bounce to a sender that was signed here" },
    FORGED = { 10, "A bounce to a signed sender that was not made with our key" },
    EXPIRED = { 5, "A bounce to a signed sender that is out of date" },
    UNTAGGED = { 8, "A bounce to a mailbox whose mail has long been signed, without a tag" },
    UNKNOWN_KEY = { 8, "A bounce to a signed sender whose key is none of ours" },
    MALFORMED = { 8, "A bounce to a sender with a damaged tag" },
    FOREIGN = { 8, "A bounce to our mailbox with a tag of another system" },
    SRS_SENDER = { 8, "Mail to an address that takes bounces only, from a sender that is not the null sender" },
    TOLERATED = { 0, "A bounce that is not genuine, but not to be refused by the policy" },
}

local options = rspamd_config:get_all_opt("backstop") or {}

local function setting(name)
    if type(options[name]) ~= "string" then
        error("backstop: the section has no `" .. name .. "`; give the path of the file", 0)
    end
    return options[name]
end

local function needed(value, sentence)
    return value or error("backstop: " .. sentence, 0)
end

local backstop = needed(require("backstop").load(options.library))

local function policy_of(path)
    local file, why = io.open(path)
    needed(file, why)
    local text = file:read("*a")
    file:close()
    local made, sentence = backstop.policy(text)
    return made or needed(nil, path .. ": " .. sentence)
end

local store, policy = needed(backstop.keystore(setting("keys"))), policy_of(setting("policy"))

local last_report = 0

-- The ring as it is now. A file that went bad is told once a minute.
local function current_ring()
    local ring, sentence = store:get()
    local report = sentence or store:report()
    if report and os.time() - last_report >= 60 then
        last_report = os.time()
        logger.errx(rspamd_config, "backstop: %s", report)
    end
    return ring
end

-- An address as SMTP has it: rspamd takes the quotes off a local part, and keeps the whole beside it.
local function as_in_smtp(address)
    return address.flags and address.flags.quoted and address.raw or address.addr
end

-- The SMTP sender as MAIL FROM gave it, "" for the null sender; nil if the host did not tell it.
local function sender_of(task)
    local from = task:get_from({ "smtp", "orig" })
    if from and from[1] then
        return as_in_smtp(from[1]) or ""
    end
    return task:has_from("smtp") and "" or nil
end

-- The recipients as RCPT gave them. Where a rule made others of them, as rspamd's own EMAIL_PLUS_ALIASES takes off what
-- stands behind a `+`, "orig" gives those too, behind the true ones.
local function recipients_of(task)
    local all, made = task:get_recipients({ "smtp", "orig" }), task:get_recipients("smtp")
    if not all or not made or #all == #made then
        return all
    end
    return { unpack(all, 1, #all - #made) }
end

local function client_of(task)
    local ip = task:get_ip()
    if not ip or not ip:is_valid() then
        return policy:client(false, "", 1)
    end
    local text = ip:to_string()
    local loopback = text:find("^127%.") or text == "::1"
    return policy:client(false, text, loopback and 0 or 1)
end

-- What the policy says of a recipient: by the envelope, and by the message where the policy waits for it.
local function decide(task, ring, sender, recipient, client)
    -- One time for both: between them a day may begin.
    local now = os.time()
    local decision = policy:incoming(ring, sender, recipient, client, now)
    if decision and decision.by_message then
        return policy:incoming_message(ring, sender, recipient, client, tostring(task:get_content()), now)
    end
    return decision
end

local function judge(task)
    if task:get_user() then
        return
    end
    local sender, recipients = sender_of(task), recipients_of(task)
    local client, ring = client_of(task), current_ring()
    if not sender or not recipients or not client or not ring then
        return
    end
    local refused, passed = {}, {}
    local genuine
    local all = true
    for _, recipient in ipairs(recipients) do
        local d = decide(task, ring, sender, as_in_smtp(recipient), client)
        local proof = d and (d.verdict == "genuine" and "tag" or d.rule == "mark-genuine" and d.rule)
        genuine, all = genuine or proof, all and proof
        if not d or not d.verdict then
            passed[#passed + 1] = false
        elseif d.action == "refuse" then
            refused[#refused + 1] = d
        else
            passed[#passed + 1] = d
        end
    end
    ring:free()
    if #passed == 0 then
        for _, d in ipairs(refused) do
            local why = d.rule == "srs-sender" and d.rule or d.verdict
            task:insert_result("BACKSTOP_" .. why:upper():gsub("-", "_"), 1.0, d.rule)
        end
        return
    end
    -- From others than the null sender a tag proves nothing: whoever got our mail has seen one.
    if sender ~= "" then
        return
    end
    -- All recipients share the score, so one who was bounced to speaks for none of the others.
    if all and genuine == "tag" then
        task:insert_result("BACKSTOP_GENUINE", 1.0)
    elseif all then
        task:insert_result("BACKSTOP_GENUINE", 1.0, genuine)
    end
    for _, d in ipairs(refused) do
        task:insert_result("BACKSTOP_TOLERATED", 1.0, d.verdict .. ":other-recipient")
    end
    for _, d in ipairs(passed) do
        if d and d.verdict ~= "genuine" and d.rule ~= "mark-genuine" then
            local why = d.would == "refuse" and d.mode or d.rule
            task:insert_result("BACKSTOP_TOLERATED", 1.0, d.verdict .. ":" .. why)
        end
    end
end

-- The SMTP sender without a tag of any system, and whether one came off; nil for the null sender and for no address.
local function stripped_sender(task)
    local sender = sender_of(task)
    if not sender or sender == "" then
        return nil
    end
    local address, tag = backstop.strip(sender)
    -- Of no address the second is what is wrong with it.
    return address, address and tag ~= nil
end

lua_selectors.register_extractor(rspamd_config, "backstop_from", {
    get_value = function(task)
        local address = stripped_sender(task)
        if address then
            return address, "string"
        end
        return nil
    end,
    description = "The SMTP sender without a tag of any known system (BATV and the like); nothing for the null sender",
})

-- The greylist module asks no selector. It keeps its key in the variable grey_metahash and makes it only if there is
-- none, so a key that is there before is used: the one that the module makes for the sender without the tag
-- (envelope_key in rspamd 3.4's greylist.lua).
local function set_greylist_key(task)
    local address, tagged = stripped_sender(task)
    if not tagged then
        return
    end
    local settings = rspamd_config:get_all_opt("greylist") or {}
    local key = hash.create()
    key:update(address)
    local addresses = {}
    for _, recipient in ipairs(task:get_recipients("smtp") or {}) do
        addresses[#addresses + 1] = recipient.addr
    end
    table.sort(addresses)
    for _, recipient in ipairs(addresses) do
        key:update(recipient)
    end
    local ip = task:get_ip()
    if ip and ip:is_valid() then
        local bits = ip:get_version() == 4 and (settings.ipv4_mask or 19) or (settings.ipv6_mask or 64)
        key:update(tostring(ip:apply_mask(bits)))
    end
    task:get_mempool():set_variable("grey_metahash", (settings.key_prefix or "rg") .. "m" .. key:base32():sub(1, 20))
end

local parent = rspamd_config:register_symbol({
    name = "BACKSTOP_CHECK",
    type = "callback",
    callback = judge,
    flags = "empty",
    group = "backstop",
})
for name, weight in pairs(WEIGHTS) do
    rspamd_config:register_symbol({
        name = "BACKSTOP_" .. name,
        type = "virtual",
        parent = parent,
        score = weight[1],
        description = weight[2],
        group = "backstop",
    })
end
rspamd_config:register_symbol({
    name = "BACKSTOP_SENDER",
    type = "prefilter",
    callback = set_greylist_key,
    -- Before the greylist module, which is medium.
    priority = lua_util.symbols_priorities.high,
    group = "backstop",
})
