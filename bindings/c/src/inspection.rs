//! What a returned message is: inspected once, then asked. The words of its numbers stand in `inspection_names.rs`.

use std::ffi::c_char;

use backstop_core::Day;
use backstop_core::bounce::{self, Check, Envelope, Inspection, Outcome};

use crate::gate::{Buffer, Grown, Place, day, gate, known, object, slice, text};
use crate::inspection_names::{
    BACKSTOP_FAILURE_NONE, BACKSTOP_RESTRAINT_NONE, BACKSTOP_WHY_NONE, advice_number, failure_number, kind_number,
    message_number, place_number, restraint_number, why_number,
};
use crate::keyring::backstop_keyring;
use crate::policy::{backstop_policy, backstop_text};
use crate::status::{BACKSTOP_ERR_ADDRESS, BACKSTOP_ERR_DOMAIN, BACKSTOP_ERR_OPTION, BACKSTOP_OK};
use crate::verdict::{
    BACKSTOP_EXPIRED, BACKSTOP_FOREIGN, BACKSTOP_FORGED, BACKSTOP_GENUINE, BACKSTOP_MALFORMED, BACKSTOP_UNKNOWN_KEY,
};

/// # Returned messages
///
/// Text: the recipient without its tag; none under a tag that neither it nor a mark proves, since what that says is
/// nobody's address, and with BACKSTOP_KIND_NOT_A_BOUNCE, where nobody looked at it.
pub const BACKSTOP_TEXT_MAILBOX: i32 = 1;
/// Text: one sentence on the verdict, for people.
pub const BACKSTOP_TEXT_SENTENCE: i32 = 2;
/// Text: the SMTP reply such as "550 5.7.1 ...", where a policy may refuse after the message.
pub const BACKSTOP_TEXT_REPLY: i32 = 3;
/// Text: the host that reports, a reflector if this is backscatter.
pub const BACKSTOP_TEXT_REPORTING: i32 = 4;
/// Text: the IP address that gave the returned mail to that host.
pub const BACKSTOP_TEXT_INJECTOR: i32 = 5;
/// Text: the subject of the returned mail.
pub const BACKSTOP_TEXT_SUBJECT: i32 = 6;
/// Text: the address in the From of the returned mail.
pub const BACKSTOP_TEXT_RETURNED_FROM: i32 = 7;
/// Text: the Message-ID of the returned mail, without brackets.
pub const BACKSTOP_TEXT_RETURNED_MESSAGE_ID: i32 = 8;

/// What is known of one message. It never changes, so any number of threads may use one at a time.
pub struct backstop_inspection(pub(crate) Inspection);

/// What the mail system knows of a message beside its octets. Begin with BACKSTOP_ENVELOPE_INIT, which sets the size
/// and that nothing is known.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct backstop_envelope {
    /// The octets of this structure as the caller knows it.
    pub size: u32,
    /// Not 0 if someone vouches for the sender: SMTP authentication, the own network, SPF that passed. Only
    /// backstop_may_bounce and backstop_may_autorespond ask.
    pub authenticated: i32,
    /// MAIL, as it came; "" and "<>" are the null sender. Here data may be NULL: then Return-Path is read, by
    /// backstop_may_bounce and backstop_may_autorespond only above the first Received.
    pub sender: backstop_text,
    /// RCPT, as it came, tag and all. Here data may be NULL for a stored message: then X-Original-To, Envelope-To or
    /// Delivered-To above the first Received is read, never To. Give it for one that is just being received: the fields
    /// on top are then another host's, and without any nothing is proved.
    pub recipient: backstop_text,
}

/// What a message is, in numbers. Begin with BACKSTOP_FINDINGS_INIT, which sets the size.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct backstop_findings {
    /// The octets of this structure as the caller knows it.
    pub size: u32,
    /// BACKSTOP_KIND_*: what kind of message it is.
    pub kind: i32,
    /// BACKSTOP_MESSAGE_*: what it is to us.
    pub verdict: i32,
    /// BACKSTOP_WHY_*: why it is unproven; else BACKSTOP_WHY_NONE.
    pub why: i32,
    /// BACKSTOP_ADVICE_*: what to do with it, in the mode of the recipient's domain. It knows no client: who receives
    /// mail asks backstop_policy_incoming_message.
    pub advice: i32,
    /// BACKSTOP_FAILURE_*: why mail was not delivered, as far as a bounce tells.
    pub failure: i32,
    /// How much speaks for the kind; from 50 on it is one.
    pub score: i32,
    /// How much weak evidence says that the mail it answers was not ours (above 0) or was (below). It never decides.
    pub lean: i32,
    /// The index of the tag or mark that proves it, for backstop_inspection_check; -1 unless it is genuine.
    pub proof: i32,
    /// How many items of evidence there are.
    pub evidence: u32,
    /// How many tags and marks were checked.
    pub checks: u32,
    /// BACKSTOP_ADVICE_*: what mode enforce would do with it. Behind BACKSTOP_FINDINGS_SIZE_1.
    pub would: i32,
}

/// One tag or mark that was checked. Begin with BACKSTOP_CHECK_INIT, which sets the size.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct backstop_check {
    /// The octets of this structure as the caller knows it.
    pub size: u32,
    /// BACKSTOP_PLACE_*: where it stood.
    pub place: i32,
    /// BACKSTOP_GENUINE to BACKSTOP_FOREIGN. Three outcomes of a mark have no number here and are given as the nearest:
    /// one for another own address is BACKSTOP_FORGED, one of days ahead BACKSTOP_EXPIRED, a damaged one
    /// BACKSTOP_MALFORMED. The JSON object has the exact one as the id of its evidence ("returned-mark-future"), and
    /// where it makes the message unproven, so has `why` of the findings.
    pub verdict: i32,
    /// With BACKSTOP_UNKNOWN_KEY: 1 if keys of the ring signed on that day, for prvs on each day that it may be, so that
    /// it is none of ours. Else 0.
    pub covered: i32,
    /// The character of the key that it names; 0 if it names none.
    pub key: i32,
    /// The day of signing, in days since 1970-01-01; -1 if unknown.
    pub signed_day: i32,
    /// The last day of validity, in days since 1970-01-01; -1 if unknown.
    pub expires_day: i32,
}

/// The sizes that were ever published.
const FINDINGS: [u32; 2] = [44, 48];
const CHECK: [u32; 1] = [28];
/// A pointer and a length have eight octets each on most systems, and four on some.
const ENVELOPE: [u32; 1] = if cfg!(target_pointer_width = "64") { [40] } else { [24] };

const _: () = assert!(size_of::<backstop_findings>() == 48 && size_of::<backstop_check>() == 28);
const _: () = assert!(size_of::<backstop_envelope>() == if cfg!(target_pointer_width = "64") { 40 } else { 24 });

/// Judges one message for one recipient: what kind it is, whether it answers mail that left here, and where it came
/// from.
///
/// `message` is the whole message, its lines ending in CR LF or LF. What a message is is no error: `*out` can be asked
/// for all, and is for backstop_inspection_free. Nothing is looked up. It needs 256 KiB of stack at most.
///
/// @code
/// static int is_backscatter(const backstop_policy *policy, const backstop_keyring *ring, const char *message,
///                           size_t len, const char *recipient, int64_t now, char *host, size_t cap, size_t *host_len)
/// {
///     backstop_envelope envelope = BACKSTOP_ENVELOPE_INIT;
///     backstop_findings findings = BACKSTOP_FINDINGS_INIT;
///     backstop_inspection *it;
///     int32_t status;
///     envelope.recipient.data = recipient;
///     envelope.recipient.len = strlen(recipient);
///     status = backstop_inspect(policy, ring, message, len, &envelope, now, &it);
///     if (status != BACKSTOP_OK)
///         return status;
///     status = backstop_inspection_findings(it, &findings);
///     if (status == BACKSTOP_OK)
///         status = backstop_inspection_text(it, BACKSTOP_TEXT_REPORTING, host, cap, host_len);
///     backstop_inspection_free(it);
///     return status == BACKSTOP_OK ? findings.verdict == BACKSTOP_MESSAGE_BACKSCATTER : status;
/// }
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_inspect(
    policy: *const backstop_policy,
    ring: *const backstop_keyring,
    message: *const c_char,
    message_len: usize,
    envelope: *const backstop_envelope,
    now: i64,
    out: *mut *mut backstop_inspection,
) -> i32 {
    gate(|| {
        let out = Place::new(out)?;
        // SAFETY: the caller keeps the rules of the manual.
        let (policy, ring, message, (envelope, _)) =
            unsafe { (object(policy)?, object(ring)?, text(message, message_len)?, read(envelope)?) };
        let seen = bounce::inspect(message, &envelope, &ring.0, &policy.0, day(now)?);
        // SAFETY: as above.
        unsafe { out.put(Box::into_raw(Box::new(backstop_inspection(seen)))) };
        Ok(BACKSTOP_OK)
    })
}

/// The envelope, and whether someone vouches for the sender.
///
/// # Safety
/// The caller keeps the rules of the manual.
unsafe fn read<'a>(pointer: *const backstop_envelope) -> Result<(Envelope<'a>, bool), i32> {
    const UNKNOWN: backstop_text = backstop_text { data: std::ptr::null(), len: 0 };
    let nothing = backstop_envelope { size: 0, authenticated: 0, sender: UNKNOWN, recipient: UNKNOWN };
    // SAFETY: promised by the caller.
    let given = unsafe { Grown::new(pointer, &ENVELOPE)?.get(nothing) };
    let given_text = |it: backstop_text| match it.data.is_null() {
        true => Ok(None),
        // SAFETY: promised by the caller.
        false => unsafe { text(it.data, it.len) }.map(Some),
    };
    let envelope = Envelope { sender: given_text(given.sender)?, recipient: given_text(given.recipient)? };
    Ok((envelope, given.authenticated != 0))
}

/// Frees it. NULL is passed over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_inspection_free(inspection: *mut backstop_inspection) {
    gate(|| {
        let inspection = known(inspection)?;
        // SAFETY: by the rules of the manual it is alive, and `backstop_inspect` made it from a `Box`.
        drop(unsafe { Box::from_raw(inspection.as_ptr()) });
        Ok(BACKSTOP_OK)
    });
}

/// Gives all that are numbers. Nothing is allocated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_inspection_findings(
    inspection: *const backstop_inspection,
    out: *mut backstop_findings,
) -> i32 {
    gate(|| {
        // SAFETY: the caller keeps the rules of the manual.
        let (it, out) = unsafe { (&object(inspection)?.0, Grown::new(out, &FINDINGS)?) };
        let proof = it.proof().and_then(|proof| it.checks.iter().position(|check| check == proof));
        let findings = backstop_findings {
            size: out.size,
            kind: kind_number(it.kind),
            verdict: message_number(it.verdict),
            why: it.verdict.why().map_or(BACKSTOP_WHY_NONE, why_number),
            advice: advice_number(it.advice),
            failure: it.reason.map_or(BACKSTOP_FAILURE_NONE, failure_number),
            score: it.score,
            lean: it.lean,
            proof: proof.and_then(|index| i32::try_from(index).ok()).unwrap_or(-1),
            evidence: count(it.evidence.len()),
            checks: count(it.checks.len()),
            would: advice_number(it.would),
        };
        // SAFETY: as above.
        unsafe { out.put(findings) };
        Ok(BACKSTOP_OK)
    })
}

fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// Gives one of the texts, BACKSTOP_TEXT_*; the length is 0 if there is none. What came out of a message is as its
/// sender wrote it, without control characters being looked for. BACKSTOP_ERR_OPTION: no such text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_inspection_text(
    inspection: *const backstop_inspection,
    which: i32,
    buf: *mut c_char,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    gate(|| {
        let out = Buffer::new(buf, cap, out_len)?;
        // SAFETY: the caller keeps the rules of the manual.
        let it = unsafe { &object(inspection)?.0 };
        let (source, returned) = (&it.source, it.returned.first());
        let injector = source.injector.as_ref().map(|it| it.ip.to_string());
        let text = match which {
            BACKSTOP_TEXT_MAILBOX => it.mailbox.as_deref(),
            BACKSTOP_TEXT_SENTENCE => Some(it.verdict.sentence()),
            BACKSTOP_TEXT_REPLY => it.verdict.reply(),
            BACKSTOP_TEXT_REPORTING => source.reporting.as_deref(),
            BACKSTOP_TEXT_INJECTOR => injector.as_deref(),
            BACKSTOP_TEXT_SUBJECT => source.subject.as_deref(),
            BACKSTOP_TEXT_RETURNED_FROM => returned.and_then(|it| it.from.as_deref()),
            BACKSTOP_TEXT_RETURNED_MESSAGE_ID => returned.and_then(|it| it.message_id.as_deref()),
            _ => return Err(BACKSTOP_ERR_OPTION),
        };
        // SAFETY: as above.
        unsafe { out.put(text.unwrap_or_default().as_bytes()) }?;
        Ok(BACKSTOP_OK)
    })
}

/// Gives the word that stands for an item of evidence, such as "null-sender", and its weight. Indices begin with 0;
/// BACKSTOP_ERR_OPTION: there are not so many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_inspection_evidence(
    inspection: *const backstop_inspection,
    index: u32,
    buf: *mut c_char,
    cap: usize,
    out_len: *mut usize,
    weight: *mut i32,
) -> i32 {
    gate(|| {
        let (out, weight) = (Buffer::new(buf, cap, out_len)?, Place::new(weight)?);
        // SAFETY: the caller keeps the rules of the manual.
        let item = nth(&unsafe { object(inspection) }?.0.evidence, index)?;
        // SAFETY: as above.
        unsafe {
            out.put(item.id.as_bytes())?;
            weight.put(item.weight);
        }
        Ok(BACKSTOP_OK)
    })
}

/// Gives the sentence of an item of evidence, as backstop_inspection_evidence gives its word.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_inspection_evidence_why(
    inspection: *const backstop_inspection,
    index: u32,
    buf: *mut c_char,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    gate(|| {
        let out = Buffer::new(buf, cap, out_len)?;
        // SAFETY: the caller keeps the rules of the manual.
        let item = nth(&unsafe { object(inspection) }?.0.evidence, index)?;
        // SAFETY: as above.
        unsafe { out.put(item.why.as_bytes()) }?;
        Ok(BACKSTOP_OK)
    })
}

/// Gives a tag or mark that was checked, good or bad: the text of it, so that its uses can be counted, and what it is.
/// Indices begin with 0; BACKSTOP_ERR_OPTION: there are not so many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_inspection_check(
    inspection: *const backstop_inspection,
    index: u32,
    buf: *mut c_char,
    cap: usize,
    out_len: *mut usize,
    out: *mut backstop_check,
) -> i32 {
    gate(|| {
        let buffer = Buffer::new(buf, cap, out_len)?;
        // SAFETY: the caller keeps the rules of the manual.
        let (it, out) = unsafe { (&object(inspection)?.0, Grown::new(out, &CHECK)?) };
        let check: &Check = nth(&it.checks, index)?;
        let (verdict, covered) = match check.outcome {
            Outcome::Genuine => (BACKSTOP_GENUINE, 0),
            Outcome::Expired | Outcome::Future => (BACKSTOP_EXPIRED, 0),
            // A mark of ours for another own address; BACKSTOP_WHY_OTHER_ADDRESS says so of the message.
            Outcome::Forged | Outcome::OtherAddress => (BACKSTOP_FORGED, 0),
            Outcome::UnknownKey => (BACKSTOP_UNKNOWN_KEY, 1),
            Outcome::NotCovered => (BACKSTOP_UNKNOWN_KEY, 0),
            Outcome::Malformed | Outcome::Damaged => (BACKSTOP_MALFORMED, 0),
            Outcome::Foreign => (BACKSTOP_FOREIGN, 0),
        };
        let number = |day: Option<Day>| day.and_then(|day| i32::try_from(day.number()).ok()).unwrap_or(-1);
        let written = backstop_check {
            size: out.size,
            place: place_number(check.place),
            verdict,
            covered,
            key: check.key.and_then(|key| u8::try_from(key).ok()).map_or(0, i32::from),
            signed_day: number(check.signed),
            expires_day: number(check.expires),
        };
        // SAFETY: as above; there is one published size, which is that of all fields.
        unsafe {
            buffer.put(check.token.as_bytes())?;
            out.at().write(written);
        }
        Ok(BACKSTOP_OK)
    })
}

/// Gives all that is known as one JSON object on one line, the same that `backstop inspect --json` prints:
/// {"file","kind","verdict","proof","reason","score","evidence":[...],"returned":{...},"source":{...},
/// "mailbox","advice","would"}.
///
/// `file` says where the message stands; data NULL: null. `zones` are names of DNS lists in UTF-8, `count` of them
/// (NULL with 0): what to ask them about the host that injected the mail stands in "dnsbl". Nothing is asked. The text
/// is UTF-8 without control characters, which are escaped, also in what came out of a message; octets that are not
/// UTF-8 become U+FFFD. Call it with capacity 0 for the length. BACKSTOP_ERR_DOMAIN: a zone is not UTF-8.
///
/// @code
/// static char *json_of(const backstop_inspection *it, size_t *len)
/// {
///     char none, *buf;
///     if (backstop_inspection_json(it, NULL, 0, NULL, 0, &none, 0, len) != BACKSTOP_ERR_TOO_SMALL)
///         return NULL;
///     buf = malloc(*len);
///     if (buf != NULL && backstop_inspection_json(it, NULL, 0, NULL, 0, buf, *len, len) == BACKSTOP_OK)
///         return buf;
///     free(buf);
///     return NULL;
/// }
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_inspection_json(
    inspection: *const backstop_inspection,
    file: *const c_char,
    file_len: usize,
    zones: *const backstop_text,
    count: usize,
    buf: *mut c_char,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    gate(|| {
        let out = Buffer::new(buf, cap, out_len)?;
        // SAFETY: the caller keeps the rules of the manual.
        let it = unsafe { &object(inspection)?.0 };
        // SAFETY: as above.
        let file = if file.is_null() { None } else { Some(unsafe { text(file, file_len) }?) };
        // SAFETY: as above.
        let zones = if count == 0 { &[] } else { unsafe { slice(zones, count) }? };
        let zones: Result<Vec<&str>, i32> = zones
            .iter()
            // SAFETY: as above.
            .map(|it| std::str::from_utf8(unsafe { text(it.data, it.len) }?).map_err(|_| BACKSTOP_ERR_DOMAIN))
            .collect();
        let mut json = Vec::new();
        it.json(file, &zones?, &mut json);
        // SAFETY: as above.
        unsafe { out.put(&raw const *json) }?;
        Ok(BACKSTOP_OK)
    })
}

fn nth<T>(items: &[T], index: u32) -> Result<&T, i32> {
    usize::try_from(index).ok().and_then(|index| items.get(index)).ok_or(BACKSTOP_ERR_OPTION)
}

/// Tells whether a bounce may be sent for a message that was taken in, so that this host is no reflector: `*restraint`
/// is BACKSTOP_RESTRAINT_NONE, or why not. `envelope.authenticated` says whether someone vouches for the sender.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_may_bounce(
    message: *const c_char,
    message_len: usize,
    envelope: *const backstop_envelope,
    restraint: *mut i32,
) -> i32 {
    gate(|| {
        let restraint = Place::new(restraint)?;
        // SAFETY: the caller keeps the rules of the manual.
        let (message, (envelope, authenticated)) = unsafe { (text(message, message_len)?, read(envelope)?) };
        let may = bounce::may_bounce(message, &envelope, authenticated);
        // SAFETY: as above.
        unsafe { restraint.put(may.err().map_or(BACKSTOP_RESTRAINT_NONE, restraint_number)) };
        Ok(BACKSTOP_OK)
    })
}

/// Tells whether an automatic reply (vacation, receipt) may be sent in the name of these own addresses, `count` of
/// them, in UTF-8 and without tags (RFC 3834). How often one sender is answered is for the caller to keep.
///
/// As backstop_may_bounce. BACKSTOP_ERR_ADDRESS: an own address is not UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_may_autorespond(
    message: *const c_char,
    message_len: usize,
    envelope: *const backstop_envelope,
    own: *const backstop_text,
    count: usize,
    restraint: *mut i32,
) -> i32 {
    gate(|| {
        let restraint = Place::new(restraint)?;
        // SAFETY: the caller keeps the rules of the manual.
        let (message, (envelope, authenticated), own) =
            unsafe { (text(message, message_len)?, read(envelope)?, slice(own, count)?) };
        let own: Result<Vec<&str>, i32> = own
            .iter()
            // SAFETY: as above.
            .map(|it| std::str::from_utf8(unsafe { text(it.data, it.len) }?).map_err(|_| BACKSTOP_ERR_ADDRESS))
            .collect();
        let may = bounce::may_autorespond(message, &envelope, &own?, authenticated);
        // SAFETY: as above.
        unsafe { restraint.put(may.err().map_or(BACKSTOP_RESTRAINT_NONE, restraint_number)) };
        Ok(BACKSTOP_OK)
    })
}
