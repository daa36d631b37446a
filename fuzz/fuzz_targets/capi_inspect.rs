//! The functions of libbackstop that look into messages, called as C would; `call.rs` has what is asserted of all.
//!
//! ```text
//! input = function now cap spoil size option index LF sender LF recipient LF message      as `bodies::messages` has it
//! ```
//!
//! Of every `unsafe` block here: as in `capi.rs`.

#![no_main]

#[path = "../call.rs"]
mod call;

use std::cell::Cell;
use std::ptr;
use std::sync::OnceLock;

use call::{Call, Input, NUMBER};
use capi::*;

libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));

const RING: &str = "version 1\nprvs 4 sha256 10 - - * text:prvs\nmark m sha256 14 - - * text:secret\n";
const POLICY: &str = "[policy]\nown-domains = [\"example.com\"]\nmode = \"enforce\"\nrefuse-at = \"message\"\nmarks-since = 2020-01-01\n\
    own-relays = [\"mail.example.com\"]\ndisplay-names = [\"Alice\"]\n";

/// Handles that live as long as the process.
struct Kept(*mut backstop_keyring, *mut backstop_policy);
// SAFETY: the manual allows any number of threads.
unsafe impl Send for Kept {}
// SAFETY: as above.
unsafe impl Sync for Kept {}

fn kept() -> &'static Kept {
    static KEPT: OnceLock<Kept> = OnceLock::new();
    KEPT.get_or_init(|| {
        let (mut ring, mut policy) = (ptr::null_mut(), ptr::null_mut());
        let codes = unsafe {
            [
                backstop_keyring_parse(RING.as_ptr().cast(), RING.len(), &raw mut ring),
                backstop_policy_parse(POLICY.as_ptr().cast(), POLICY.len(), &raw mut policy),
            ]
        };
        assert_eq!(codes, [BACKSTOP_OK; 2]);
        Kept(ring, policy)
    })
}

fn run(data: &[u8]) {
    let mut input = Input(data);
    let function = input.octet();
    let now = input.now();
    let (cap, spoil, size) = (input.octet(), input.octet(), input.octet());
    let spoil = if spoil < 0xc0 { 0 } else { spoil & 0x1f };
    // One mistake at a time, or either may be told.
    let size = if spoil == 0 { size } else { 0 };
    let any_size = if size < 0xc0 { 0 } else { input.option() };
    let call = Call { now, cap, spoil, spoiled: Cell::new(false), size, any_size };
    let index = input.option();
    input.line();
    let (sender, recipient) = (input.line(), input.line());
    let message: Box<[u8]> = bodies::messages::expanded(input.0).into();
    match function % 4 {
        0 => restraint(&call, index, &sender, &recipient, &message),
        _ => inspect(&call, index, (function & 4 == 0).then_some(&*sender), &recipient, &message),
    }
}

/// NULL for what is not known: of these texts that is no mistake.
fn known(text: Option<&[u8]>) -> backstop_text {
    text.map_or(backstop_text { data: ptr::null(), len: 0 }, |text| backstop_text {
        data: text.as_ptr().cast(),
        len: text.len(),
    })
}

/// The envelope in heap of exactly its size.
fn envelope(
    call: &Call,
    authenticated: i32,
    sender: Option<&[u8]>,
    recipient: Option<&[u8]>,
) -> Box<backstop_envelope> {
    let size = if call.size < 0xc0 { 40 } else { call.any_size };
    Box::new(backstop_envelope { size, authenticated, sender: known(sender), recipient: known(recipient) })
}

fn restraint(call: &Call, authenticated: u32, sender: &[u8], own: &[u8], message: &[u8]) {
    let envelope = envelope(call, authenticated.cast_signed(), Some(sender), None);
    let (text, len) = call.text(2, message);
    call.value(NUMBER, |out| unsafe { backstop_may_bounce(text, len, call.at(3, &raw const *envelope), out) });
    call.spoiled.set(false);
    let own: Box<[backstop_text]> = [known(Some(own))].into();
    let (text, len) = call.text(2, message);
    call.value(NUMBER, |out| unsafe {
        let (envelope, own) = (call.at(3, &raw const *envelope), call.at(4, own.as_ptr()));
        backstop_may_autorespond(text, len, envelope, own, 1, out)
    });
}

/// All that an inspection tells; an index and a number of text that are not there are errors.
fn inspect(call: &Call, index: u32, sender: Option<&[u8]>, recipient: &[u8], message: &[u8]) {
    let envelope = envelope(call, 0, sender, Some(recipient));
    let Kept(ring, policy) = kept();
    let (text, len) = call.text(2, message);
    let made = call.handle(|out| unsafe {
        let (policy, ring) = (call.at(3, *policy), call.at(4, *ring));
        backstop_inspect(policy, ring, text, len, call.at(5, &raw const *envelope), call.now, out)
    });
    let Some(it) = made else { return };
    call.spoiled.set(false);
    let findings: Option<backstop_findings> =
        call.structure(&[44, 48], |out| unsafe { backstop_inspection_findings(call.at(3, it), out) });
    call.spoiled.set(false);
    let which = index.cast_signed();
    call.written((), |data, cap, len, _| unsafe { backstop_inspection_text(call.at(4, it), which, data, cap, len) });
    call.spoiled.set(false);
    let weight = call.written(NUMBER, |data, cap, len, weight| unsafe {
        backstop_inspection_evidence(call.at(4, it), index, data, cap, len, weight)
    });
    call.spoiled.set(false);
    let why = call.written((), |data, cap, len, _| unsafe {
        backstop_inspection_evidence_why(call.at(4, it), index, data, cap, len)
    });
    if let (Some(findings), 0) = (findings, call.spoil) {
        assert_eq!(findings.verdict == BACKSTOP_MESSAGE_GENUINE, findings.proof >= 0);
        assert!(call.now == -1 || weight.is_some() == (index < findings.evidence));
        assert!(call.now == -1 || why.is_some() == (index < findings.evidence));
    }
    call.spoiled.set(false);
    json(call, it, sender, recipient);
    call.spoiled.set(false);
    check(call, it, index);
    call.spoiled.set(false);
    decide(call, it, sender.unwrap_or_default(), recipient, (1 + index % 5).cast_signed());
    unsafe { backstop_inspection_free(it) };
}

/// The recipient once more, with what the message showed.
fn decide(call: &Call, it: *const backstop_inspection, sender: &[u8], recipient: &[u8], class: i32) {
    let Kept(ring, policy) = kept();
    let ((sender, sender_len), (text, len)) = (call.text(2, sender), call.text(3, recipient));
    let (policy, ring, it) = (call.at(4, *policy), call.at(5, *ring), call.at(6, it));
    let decision: Option<backstop_decision> = call.structure(&[620, 624], |out| unsafe {
        backstop_policy_incoming_message(policy, ring, sender, sender_len, text, len, class, it, call.now, out)
    });
    let Some(decision) = decision else { return };
    assert_eq!(decision.reply_len > 0, decision.action == BACKSTOP_ACTION_REFUSE);
    assert!(decision.action != BACKSTOP_ACTION_REFUSE || class == BACKSTOP_CLIENT_OTHER);
}

/// The object is one line of text without control characters; the sender is its file, the recipient a zone.
fn json(call: &Call, it: *const backstop_inspection, file: Option<&[u8]>, zone: &[u8]) {
    let zones: Box<[backstop_text]> = [known(Some(zone))].into();
    let written = call.written((), |data, cap, len, _| unsafe {
        let (file, file_len) = file.map_or((ptr::null(), 0), |file| (file.as_ptr().cast(), file.len()));
        backstop_inspection_json(call.at(4, it), file, file_len, call.at(5, zones.as_ptr()), 1, data, cap, len)
    });
    if let Some((_, text)) = written {
        let text = std::str::from_utf8(&text).unwrap();
        assert!(text.starts_with("{\"file\":") && text.ends_with('}') && !text.chars().any(char::is_control), "{text}");
    }
}

/// A tag or mark, which is a text and a structure at once.
fn check(call: &Call, it: *const backstop_inspection, index: u32) {
    let cap = usize::from(call.cap);
    let mut buffer = vec![0x5a_u8; cap].into_boxed_slice();
    let (mut len, mut text_len) = (usize::MAX, 0);
    call.structure(&[28], |out: *mut backstop_check| {
        let code = unsafe {
            backstop_inspection_check(
                call.at(4, it),
                index,
                call.at(2, buffer.as_mut_ptr()).cast(),
                cap,
                call.at(3, &raw mut len),
                out,
            )
        };
        text_len = if code == BACKSTOP_OK { len } else { 0 };
        code
    });
    assert!(buffer[text_len..].iter().all(|&octet| octet == 0x5a));
}
