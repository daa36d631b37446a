//! The policy: read from its TOML form, and its decisions about senders and recipients. Its numbers stand in
//! `policy_names.rs`.

use std::ffi::c_char;
use std::mem::offset_of;
use std::net::IpAddr;
use std::sync::Arc;

use backstop_core::policy::{Client, Incoming, Need, Origin, Outgoing, Policy};

use crate::gate::{Buffer, Grown, Place, day, fill, gate, known, object, slice, text};
use crate::inspection::backstop_inspection;
use crate::keyring::{backstop_keyring, diagnose, lend};
use crate::policy_names::{action_number, client_number, mode_number, need_number, origin_number, refuse_at_number};
use crate::rule::rule_number;
use crate::status::{BACKSTOP_ERR_IP, BACKSTOP_ERR_OPTION, BACKSTOP_OK, failed};
use crate::verdict::{BACKSTOP_NONE, BACKSTOP_REASON_NONE, reason_number, verdict_number};

/// What a site decides about its envelopes. It never changes, so any number of threads may use one at a time.
pub struct backstop_policy(pub(crate) Policy);

/// A text: where it begins and how many octets it has.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct backstop_text {
    /// Not NULL, also if the length is 0, but where a structure or function says that it may be.
    pub data: *const c_char,
    /// In octets.
    pub len: usize,
}

/// The decision about one recipient. Begin with BACKSTOP_DECISION_INIT, which sets the size.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct backstop_decision {
    /// The octets of this structure as the caller knows it.
    pub size: u32,
    /// BACKSTOP_ACTION_*: what to do.
    pub action: i32,
    /// BACKSTOP_ACTION_*: what mode enforce would do; differs from `action` only where that is to refuse.
    pub would: i32,
    /// BACKSTOP_RULE_*: why `would` is what it is.
    pub rule: i32,
    /// BACKSTOP_GENUINE to BACKSTOP_UNTAGGED, or BACKSTOP_NONE if it is no address or not for this site to judge.
    pub verdict: i32,
    /// BACKSTOP_REASON_* of the verdict.
    pub reason: i32,
    /// BACKSTOP_MODE_* in force for the recipient's domain on this day.
    pub mode: i32,
    /// BACKSTOP_REFUSE_AT_*: when to refuse, if `action` is to refuse.
    pub refuse_at: i32,
    /// 1 if this deserves a line in the log, else 0.
    pub log: i32,
    /// The octets of `address`, without its NUL.
    pub address_len: u32,
    /// The octets of `reply`, without its NUL.
    pub reply_len: u32,
    /// The recipient in place of the given one, ending in NUL; empty unless `action` is to strip or reverse.
    pub address: [c_char; 321],
    /// The SMTP reply such as "550 5.7.1 ...", one line, ending in NUL; empty unless `action` is to refuse.
    pub reply: [c_char; 255],
    /// 1 if the message is to be judged as well before this is final: wait for its end, give it to backstop_inspect,
    /// and ask backstop_policy_incoming_message. Else 0. Only under refuse-at = "message". Behind
    /// BACKSTOP_DECISION_SIZE_1.
    pub by_message: i32,
}

/// The sizes of backstop_decision that were ever published.
const PUBLISHED: [u32; 2] = [620, 624];

const _: () = assert!(size_of::<backstop_decision>() == 624);

/// # Policy: the decisions
///
/// Reads the table `[policy]` of a TOML text (UTF-8); other tables are left alone.
///
/// share/doc/backstop/policy.toml, installed beside the library, explains every key. BACKSTOP_ERR_POLICY:
/// backstop_policy_diagnose says why. On BACKSTOP_OK `*out` is a reference for backstop_policy_free.
///
/// @code
/// static int refuse(const backstop_policy *policy, const backstop_keyring *ring, const char *from, const char *rcpt,
///                   int user, const char *ip, uint16_t port, char *reply, size_t cap)
/// {
///     backstop_decision d = BACKSTOP_DECISION_INIT;
///     int32_t client;
///     if (backstop_policy_client(policy, user, ip, strlen(ip), port, &client) != BACKSTOP_OK ||
///         backstop_policy_incoming(policy, ring, from, strlen(from), rcpt, strlen(rcpt), client, -1, &d) !=
///             BACKSTOP_OK)
///         return 0;
///     snprintf(reply, cap, "%s", d.reply);
///     return d.action == BACKSTOP_ACTION_REFUSE;
/// }
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_policy_parse(text: *const c_char, len: usize, out: *mut *mut backstop_policy) -> i32 {
    gate(|| {
        let out = Place::new(out)?;
        // SAFETY: the caller keeps the rules of the manual.
        let policy = Policy::parse(unsafe { self::text(text, len) }?).map_err(|error| failed(&error))?;
        // SAFETY: as above.
        unsafe { out.put(lend(Arc::new(backstop_policy(policy)))) };
        Ok(BACKSTOP_OK)
    })
}

/// Says in one sentence why a text is no policy, and on which line (from 1).
///
/// BACKSTOP_OK also if it is one: then the length and the line are 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_policy_diagnose(
    text: *const c_char,
    len: usize,
    buf: *mut c_char,
    cap: usize,
    out_len: *mut usize,
    line: *mut usize,
) -> i32 {
    gate(|| {
        let (out, line) = (Buffer::new(buf, cap, out_len)?, Place::new(line)?);
        // SAFETY: the caller keeps the rules of the manual.
        let read = Policy::parse(unsafe { self::text(text, len) }?).map(drop);
        // SAFETY: as above.
        unsafe { diagnose(read, out, line) }
    })
}

/// Takes one more reference to the same policy, so that each holder frees its own; `*out` is `policy`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_policy_ref(policy: *const backstop_policy, out: *mut *mut backstop_policy) -> i32 {
    gate(|| {
        let (policy, out) = (known(policy)?, Place::new(out)?);
        // SAFETY: by the rules of the manual `policy` is a live reference, all of which came from an `Arc`.
        unsafe {
            Arc::increment_strong_count(policy.as_ptr());
            out.put(policy.as_ptr());
        }
        Ok(BACKSTOP_OK)
    })
}

/// Gives a reference back; the last one frees the policy. NULL is passed over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_policy_free(policy: *mut backstop_policy) {
    gate(|| {
        let policy = known(policy)?;
        // SAFETY: by the rules of the manual this is a live reference, which came from an `Arc`.
        unsafe { Arc::decrement_strong_count(policy.as_ptr()) };
        Ok(BACKSTOP_OK)
    });
}

/// Tells whether a policy needs something of the program that asks it, BACKSTOP_NEED_*: `*needed` is 1 or 0.
///
/// Nothing in a decision tells that a rule cannot be kept to: a program that sees no client never finds one exempt. So
/// look for what the program cannot do when a policy is read, and refuse the policy or say so; backstop_need_name is
/// the key to name. BACKSTOP_ERR_OPTION: `need` is no BACKSTOP_NEED_*.
///
/// @code
/// static void warn_of_needs(const backstop_policy *policy, const int32_t *unmet, size_t count)
/// {
///     int32_t needed;
///     while (count-- > 0)
///         if (backstop_policy_needs(policy, unmet[count], &needed) == BACKSTOP_OK && needed)
///             fprintf(stderr, "this program does not keep to %s\n", backstop_need_name(unmet[count]));
/// }
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_policy_needs(policy: *const backstop_policy, need: i32, needed: *mut i32) -> i32 {
    gate(|| {
        let needed = Place::new(needed)?;
        // SAFETY: the caller keeps the rules of the manual.
        let policy = unsafe { object(policy) }?;
        let need = Need::ALL.iter().find(|&&it| need_number(it) == need).ok_or(BACKSTOP_ERR_OPTION)?;
        // SAFETY: as above.
        unsafe { needed.put(i32::from(policy.0.needs(*need))) };
        Ok(BACKSTOP_OK)
    })
}

/// Tells the origin of a mail: whether its client authenticated (not 0), its IP address as text (empty if unknown) and
/// its port; `*origin` is a BACKSTOP_ORIGIN_*.
///
/// Port 0 with no address or one of the loopback is the mail system itself, whose mail is signed: give port 0 only
/// where the host says so, and any other for a client of which nothing is known, which is then BACKSTOP_ORIGIN_UNKNOWN.
/// BACKSTOP_ERR_IP: the text is no IP address.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_policy_origin(
    policy: *const backstop_policy,
    authenticated: i32,
    ip: *const c_char,
    ip_len: usize,
    port: u16,
    origin: *mut i32,
) -> i32 {
    gate(|| {
        let origin = Place::new(origin)?;
        // SAFETY: the caller keeps the rules of the manual.
        let (policy, ip) = unsafe { (object(policy)?, text(ip, ip_len)?) };
        let number = origin_number(policy.0.origin(authenticated != 0, address(ip)?, port));
        // SAFETY: as above.
        unsafe { origin.put(number) };
        Ok(BACKSTOP_OK)
    })
}

/// Tells the class of a client for backstop_policy_incoming, from the same as backstop_policy_origin; `*client` is a
/// BACKSTOP_CLIENT_*. The mail system itself and an exempt client stay what they are when they authenticate.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_policy_client(
    policy: *const backstop_policy,
    authenticated: i32,
    ip: *const c_char,
    ip_len: usize,
    port: u16,
    client: *mut i32,
) -> i32 {
    gate(|| {
        let client = Place::new(client)?;
        // SAFETY: the caller keeps the rules of the manual.
        let (policy, ip) = unsafe { (object(policy)?, text(ip, ip_len)?) };
        let number = client_number(policy.0.client(authenticated != 0, address(ip)?, port));
        // SAFETY: as above.
        unsafe { client.put(number) };
        Ok(BACKSTOP_OK)
    })
}

fn address(ip: &[u8]) -> Result<Option<IpAddr>, i32> {
    if ip.is_empty() {
        return Ok(None);
    }
    let ip = std::str::from_utf8(ip).ok().and_then(|ip| ip.parse().ok());
    ip.map(Some).ok_or(BACKSTOP_ERR_IP)
}

/// Decides about the sender of a mail that leaves, from its recipients (`count` of them) and its BACKSTOP_ORIGIN_*.
///
/// BACKSTOP_OK: `out` has the sender with which it is to leave, and `*rule` says why: BACKSTOP_RULE_SIGNED if it got a
/// tag, another if it stays as it is. `out` may be the sender itself. BACKSTOP_ERR_OPTION: `origin` is no
/// BACKSTOP_ORIGIN_*. Nothing is allocated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_policy_outgoing(
    policy: *const backstop_policy,
    ring: *const backstop_keyring,
    sender: *const c_char,
    sender_len: usize,
    recipients: *const backstop_text,
    count: usize,
    origin: i32,
    now: i64,
    out: *mut c_char,
    cap: usize,
    out_len: *mut usize,
    rule: *mut i32,
) -> i32 {
    gate(|| {
        let (out, rule) = (Buffer::new(out, cap, out_len)?, Place::new(rule)?);
        // SAFETY: the caller keeps the rules of the manual.
        let (policy, ring, sender, recipients) =
            unsafe { (object(policy)?, object(ring)?, text(sender, sender_len)?, slice(recipients, count)?) };
        // SAFETY: as above.
        let texts = recipients.iter().map(|it| unsafe { text(it.data, it.len) });
        for recipient in texts.clone() {
            recipient?;
        }
        let origin = Origin::ALL.iter().find(|&&it| origin_number(it) == origin).ok_or(BACKSTOP_ERR_OPTION)?;
        let decided = policy.0.outgoing(&ring.0, sender, texts.flatten(), *origin, day(now)?);
        // SAFETY: as above.
        unsafe { put_sender(&decided, sender, out, rule) }
    })
}

/// Decides about the sender of a mail that is forwarded; `recipient` is the address here that forwards it.
///
/// As backstop_policy_outgoing, with BACKSTOP_RULE_REWRITTEN. That the mail leaves this site again is for the caller to
/// know.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_policy_forward(
    policy: *const backstop_policy,
    ring: *const backstop_keyring,
    sender: *const c_char,
    sender_len: usize,
    recipient: *const c_char,
    recipient_len: usize,
    now: i64,
    out: *mut c_char,
    cap: usize,
    out_len: *mut usize,
    rule: *mut i32,
) -> i32 {
    gate(|| {
        let (out, rule) = (Buffer::new(out, cap, out_len)?, Place::new(rule)?);
        // SAFETY: the caller keeps the rules of the manual.
        let (policy, ring, sender, recipient) =
            unsafe { (object(policy)?, object(ring)?, text(sender, sender_len)?, text(recipient, recipient_len)?) };
        let decided = policy.0.forward(&ring.0, sender, recipient, day(now)?);
        // SAFETY: as above.
        unsafe { put_sender(&decided, sender, out, rule) }
    })
}

/// Writes the sender with which a mail leaves, and the rule.
///
/// # Safety
/// Both places can be written; the buffer may hold `sender`.
unsafe fn put_sender(decided: &Outgoing, sender: *const [u8], out: Buffer, rule: Place<i32>) -> Result<i32, i32> {
    let result = decided.rewrite.as_ref().map_or(sender, |address| &raw const *address.as_bytes());
    // SAFETY: promised by the caller.
    unsafe {
        out.put(result)?;
        rule.put(rule_number(decided.rule));
    }
    Ok(BACKSTOP_OK)
}

/// Decides about one recipient of a mail from `sender`, both exactly as MAIL and RCPT gave them, and a
/// BACKSTOP_CLIENT_*.
///
/// BACKSTOP_OK: `out` has the decision; with `by_message` it is not the last word. BACKSTOP_ERR_OPTION: `client` is no
/// BACKSTOP_CLIENT_*. What is no address passes unchanged, for the host to refuse. Nothing is allocated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_policy_incoming(
    policy: *const backstop_policy,
    ring: *const backstop_keyring,
    sender: *const c_char,
    sender_len: usize,
    recipient: *const c_char,
    recipient_len: usize,
    client: i32,
    now: i64,
    out: *mut backstop_decision,
) -> i32 {
    gate(|| {
        // SAFETY: the caller keeps the rules of the manual.
        let (policy, ring, sender, recipient, out) = unsafe {
            let (sender, recipient) = (text(sender, sender_len)?, text(recipient, recipient_len)?);
            (object(policy)?, object(ring)?, sender, recipient, Grown::new(out, &PUBLISHED)?)
        };
        let decided = policy.0.incoming(&ring.0, sender, recipient, class(client)?, day(now)?);
        // SAFETY: as above.
        unsafe { backstop_decision::put(&out, &decided) };
        Ok(BACKSTOP_OK)
    })
}

/// Decides about the recipient once more when the message is there: a signed mark inside it can save a bounce without a
/// tag, and it can show a bounce to be backscatter that the envelope could not.
///
/// For a decision of backstop_policy_incoming that has `by_message`; for any other it gives the same once more. Policy,
/// ring, sender, recipient, client and `now` are those of before: with -1 for the clock, midnight may come between the
/// two, and a key store may have a new ring. `inspection` is that of the message for this very recipient: each has its
/// own. The advice of an inspection is no substitute, since it knows no client: exempt ones and users are never refused.
///
/// BACKSTOP_OK: `out` has the decision, with `refuse_at` and `by_message` as before. BACKSTOP_ERR_OPTION: `client` is
/// no BACKSTOP_CLIENT_*. A message that is not there as a whole proves only what it proves: if some was cut off, which
/// may have held the mark, take this decision only with BACKSTOP_RULE_MARK_GENUINE, else keep that of
/// backstop_policy_incoming. The first MiB is enough for nearly all.
///
/// @code
/// static int32_t judge_with_message(const backstop_policy *policy, const backstop_keyring *ring, const char *from,
///                                   const char *rcpt, int32_t client, const char *message, size_t len, int64_t now,
///                                   backstop_decision *d)
/// {
///     backstop_envelope envelope = BACKSTOP_ENVELOPE_INIT;
///     backstop_inspection *seen;
///     int32_t status = backstop_policy_incoming(policy, ring, from, strlen(from), rcpt, strlen(rcpt), client, now, d);
///     if (status != BACKSTOP_OK || !d->by_message)
///         return status;
///     envelope.sender.data = from;
///     envelope.sender.len = strlen(from);
///     envelope.recipient.data = rcpt;
///     envelope.recipient.len = strlen(rcpt);
///     status = backstop_inspect(policy, ring, message, len, &envelope, now, &seen);
///     if (status != BACKSTOP_OK)
///         return status;
///     status = backstop_policy_incoming_message(policy, ring, from, strlen(from), rcpt, strlen(rcpt), client, seen,
///                                               now, d);
///     backstop_inspection_free(seen);
///     return status;
/// }
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_policy_incoming_message(
    policy: *const backstop_policy,
    ring: *const backstop_keyring,
    sender: *const c_char,
    sender_len: usize,
    recipient: *const c_char,
    recipient_len: usize,
    client: i32,
    inspection: *const backstop_inspection,
    now: i64,
    out: *mut backstop_decision,
) -> i32 {
    gate(|| {
        // SAFETY: the caller keeps the rules of the manual.
        let (policy, ring, sender, recipient, seen, out) = unsafe {
            let (sender, recipient) = (text(sender, sender_len)?, text(recipient, recipient_len)?);
            let (policy, ring, seen) = (object(policy)?, object(ring)?, object(inspection)?);
            (policy, ring, sender, recipient, seen, Grown::new(out, &PUBLISHED)?)
        };
        let decided = policy.0.incoming_message(&ring.0, sender, recipient, class(client)?, &seen.0, day(now)?);
        // SAFETY: as above.
        unsafe { backstop_decision::put(&out, &decided) };
        Ok(BACKSTOP_OK)
    })
}

/// The client of a number.
fn class(client: i32) -> Result<Client, i32> {
    Client::ALL.iter().copied().find(|&it| client_number(it) == client).ok_or(BACKSTOP_ERR_OPTION)
}

impl backstop_decision {
    /// Writes a decision, as much of it as the caller knows.
    ///
    /// # Safety
    /// `size` octets may be written there, and nothing that was decided about lies in them.
    unsafe fn put(place: &Grown<backstop_decision>, decided: &Incoming<'_>) {
        let to = place.at();
        // SAFETY: promised by the caller.
        unsafe {
            (*to).action = action_number(&decided.action);
            (*to).would = action_number(&decided.would);
            (*to).rule = rule_number(decided.rule);
            (*to).verdict = decided.verdict.as_ref().map_or(BACKSTOP_NONE, verdict_number);
            (*to).reason = decided.verdict.as_ref().map_or(BACKSTOP_REASON_NONE, reason_number);
            (*to).mode = mode_number(decided.mode);
            (*to).refuse_at = refuse_at_number(decided.refuse_at);
            (*to).log = i32::from(decided.log);
            let address = decided.action.address().map_or(&b""[..], |address| address.as_bytes());
            (*to).address_len = fill(&raw mut (*to).address, address);
            (*to).reply_len = fill(&raw mut (*to).reply, decided.reply.unwrap_or_default().as_bytes());
            if place.size as usize > offset_of!(backstop_decision, by_message) {
                (*to).by_message = i32::from(decided.by_message);
            }
        }
    }
}
