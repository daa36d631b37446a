//! The functions of libbackstop, called as C would: arbitrary octets, lengths, capacities, times, options, sizes of
//! structures, and pointers that are NULL. What the manual (`include/backstop.h`) promises of all functions is asserted.
//!
//! ```text
//! input = function now cap spoil size *octet       one octet each; what more a function asks for is read as it goes
//!         *(text LF) text                          as in `bodies::text`; the last text has all the rest
//! ```
//!
//! Many addresses in one call stand in `many.rs`. `call.rs` says how each is called and what is asserted of all. A panic
//! inside the library ends the run too: libFuzzer's hook aborts before the gate has it. Not here: what the answers should be
//! (`bodies.rs`, `bindings/c/tests/vectors.c`), threads and forks. Of every `unsafe` block here: each pointer is NULL or
//! leads to as many octets as the function is told, unless it is told of so many that it must refuse them; handles live
//! until they are freed.

#![no_main]

#[path = "../call.rs"]
mod call;
#[path = "../call_address.rs"]
mod call_address;
#[path = "../many.rs"]
mod many;

use std::cell::Cell;
use std::ffi::{CStr, CString};
use std::fs::{File, OpenOptions, remove_file};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::ptr;
use std::sync::OnceLock;

use call::{Call, Input, LENGTH, NUMBER};
use call_address::ends;
use capi::*;

libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));

const RING: &str = "version 1\n\
    prvs 0 sha1 7 - - * text:secret\n\
    prvs 4 sha256 10 2026-11-01 2027-02-01 example.com,*.example.net text:secret too\n\
    bst1 k sha256 10 1990-01-01 - bst1.example text:bst1\n\
    srs 0 sha1 21 - - * text:tops3cr3t\n\
    srs 1 sha1 21 2026-11-01 - fwd.example.net text:tops3cr3t too\n\
    mark m sha256 14 - - * text:mark\n";

const POLICY: &str = "[policy]\nown-domains = [\"example.com\", \"*.example.net\"]\nmode = \"enforce\"\nexpired-grace = 3\n\
    internal-hosts = [\"192.0.2.0/24\", \"2001:db8::/32\"]\nexempt-clients = [\"198.51.100.7\"]\n\
    no-sign = [\"list@example.com\"]\nno-sign-recipients = [\"@ezmlm.example.org\"]\nnever-send = [\"info\"]\n\
    exempt-recipients = [\"postmaster\", \"abuse\"]\nexempt-senders = [\"monitor@example.org\"]\n\
    [policy.srs]\ndomain = \"fwd.example.net\"\n[policy.domains.\"mail.example.net\"]\nmode = \"observe\"\n";

/// A handle that lives as long as the process.
struct Kept<T>(*mut T);
// SAFETY: the manual allows any number of threads.
unsafe impl<T> Send for Kept<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Kept<T> {}

fn ring() -> *mut backstop_keyring {
    static KEPT: OnceLock<Kept<backstop_keyring>> = OnceLock::new();
    KEPT.get_or_init(|| {
        let mut ring = ptr::null_mut();
        let code = unsafe { backstop_keyring_parse(RING.as_ptr().cast(), RING.len(), &raw mut ring) };
        assert_eq!(code, BACKSTOP_OK);
        Kept(ring)
    })
    .0
}

fn policy() -> *mut backstop_policy {
    static KEPT: OnceLock<Kept<backstop_policy>> = OnceLock::new();
    KEPT.get_or_init(|| {
        let mut policy = ptr::null_mut();
        let code = unsafe { backstop_policy_parse(POLICY.as_ptr().cast(), POLICY.len(), &raw mut policy) };
        assert_eq!(code, BACKSTOP_OK);
        Kept(policy)
    })
    .0
}

/// A file that is nowhere but open, with this content; and its path.
fn file(content: &[u8]) -> CString {
    static KEPT: OnceLock<File> = OnceLock::new();
    file_of(&KEPT, content)
}

fn file_of(kept: &'static OnceLock<File>, content: &[u8]) -> CString {
    let file = kept.get_or_init(|| {
        let path = std::env::temp_dir().join(format!("backstop-fuzz-{}", std::process::id()));
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path).unwrap();
        remove_file(path).unwrap();
        file
    });
    file.set_len(0).unwrap();
    file.write_all_at(content, 0).unwrap();
    CString::new(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap()
}

fn run(data: &[u8]) {
    let mut input = Input(data);
    let function = input.octet();
    let now = input.now();
    let (cap, spoil, size) = (input.octet(), input.octet(), input.octet());
    let spoil = if spoil < 0xc0 { 0 } else { spoil & 0x1f };
    let any_size = if size < 0xc0 { 0 } else { input.option() };
    let call = Call { now, cap, spoil, spoiled: Cell::new(false), size, any_size };
    match function % 16 {
        0 => tag(&call, &mut input),
        1 => verify(&call, &input.rest()),
        2 => strip(&call, &input.rest()),
        3 => explain(&call, &input.rest()),
        4 | 5 => srs(&call, &mut input),
        6 => make_mark(&call, &mut input),
        7 => verify_mark(&call, &mut input),
        8 => keyring(&call, &input.rest()),
        9 => keystore(&call, &mut input),
        10 => policy_text(&call, &input.rest()),
        11 => policy_senders(&call, &mut input),
        12 => policy_recipients(&call, &mut input),
        13 => exim(&mut input),
        _ => many::many(&call, &mut input),
    }
    names(call.any_size);
}

fn tag(call: &Call, input: &mut Input<'_>) {
    let function = if input.octet() % 2 == 0 { backstop_sign } else { backstop_sign_subaddress };
    let address = input.rest();
    let signed = call.changed(&address, (), |(text, text_len), data, cap, len, _| unsafe {
        function(call.at(5, ring()), text, text_len, call.now, data, cap, len)
    });
    if let Some((BACKSTOP_OK, signed)) = signed {
        assert!(signed.len() <= 254);
        let (data, len) = (signed.as_ptr().cast(), signed.len());
        let verdict = call.verdict(|out| unsafe { backstop_verify(ring(), data, len, call.now, out) });
        assert!(verdict.is_none_or(|verdict| verdict.verdict == BACKSTOP_GENUINE), "{}", signed.escape_ascii());
    }
}

fn verify(call: &Call, address: &[u8]) {
    let (text, len) = call.text(2, address);
    call.verdict(|out| unsafe { backstop_verify(call.at(3, ring()), text, len, call.now, out) });
}

fn strip(call: &Call, address: &[u8]) {
    call.changed(address, NUMBER, |(text, text_len), data, cap, len, tag| unsafe {
        backstop_strip(text, text_len, data, cap, len, tag)
    });
}

fn explain(call: &Call, address: &[u8]) {
    let (text, text_len) = call.text(4, address);
    call.written((), |data, cap, len, _| unsafe {
        backstop_explain(call.at(5, ring()), text, text_len, call.now, data, cap, len)
    });
}

/// A forwarder with any options, and both of its functions.
fn srs(call: &Call, input: &mut Input<'_>) {
    let (both, options) = (input.octet(), [(); 7].map(|()| input.option()));
    let usual =
        [u32::from(b"=+-"[usize::from(both) % 3]), 1 + options[1] % 27, 1, 21, options[4] % 2, options[5] % 3, 1];
    let size = if both < 0xf0 { 32 } else { call.any_size };
    let words: Vec<u32> = [size].into_iter().chain(if both < 0xc0 { usual } else { options }).collect();
    let words = words.get(..if size == 32 { 8 } else { 1 }).unwrap().to_vec().into_boxed_slice();
    let (domain, own) =
        if both & 0x20 == 0 { (b"fwd.example.net"[..].into(), [][..].into()) } else { (input.line(), input.line()) };
    let address = input.rest();
    let srs = call.handle(|out| {
        let ((domain, domain_len), (own, own_len)) = (call.text(2, &domain), call.text(3, &own));
        unsafe { backstop_srs_new(domain, domain_len, own, own_len, call.at(4, words.as_ptr()).cast(), out) }
    });
    let Some(srs) = srs else { return };
    call.changed(&address, (), |(text, text_len), data, cap, len, _| unsafe {
        backstop_srs_forward(call.at(5, ring()), call.at(6, srs), text, text_len, call.now, data, cap, len)
    });
    call.spoiled.set(false);
    call.verdict(|out| {
        let (text, len) = call.text(2, &address);
        unsafe { backstop_srs_reverse(call.at(5, ring()), call.at(6, srs), text, len, call.now, out) }
    });
    unsafe { backstop_srs_free(srs) };
}

fn make_mark(call: &Call, input: &mut Input<'_>) {
    let (kind, nonce) = (input.octet(), Box::new([(); 8].map(|()| input.octet())));
    if kind % 2 == 0 {
        let from = input.rest();
        call.written((), |data, cap, len, _| {
            let (field, field_len) = call.text(4, &from);
            unsafe { backstop_mark_address_of_from(field, field_len, data, cap, len) }
        });
        call.spoiled.set(false);
        call.written((), |data, cap, len, _| {
            let (from, from_len) = call.text(4, &from);
            let nonce = call.at(6, nonce.as_ptr());
            unsafe { backstop_mark_header(call.at(5, ring()), from, from_len, nonce, call.now, data, cap, len) }
        });
    } else {
        let (left, domain, from) = (input.line(), input.line(), input.rest());
        call.written((), |data, cap, len, _| {
            let ((left, left_len), (domain, domain_len)) = (call.text(4, &left), call.text(5, &domain));
            let ((from, from_len), ring) = (call.text(6, &from), call.at(7, ring()));
            unsafe {
                backstop_mark_message_id(
                    ring, left, left_len, domain, domain_len, from, from_len, call.now, data, cap, len,
                )
            }
        });
    }
}

fn verify_mark(call: &Call, input: &mut Input<'_>) {
    let kind = input.octet();
    let function = if kind % 2 == 0 { backstop_mark_verify_header } else { backstop_mark_verify_message_id };
    let (recipient, mark) = (input.line(), input.rest());
    let ((mark, mark_len), (recipient, recipient_len)) = (call.text(2, &mark), call.text(3, &recipient));
    call.verdict(|out| unsafe {
        function(call.at(4, ring()), mark, mark_len, recipient, recipient_len, call.now, out)
    });
}

/// Any text as a ring, and a ring out of it in use.
fn keyring(call: &Call, text: &[u8]) {
    let reason = call.written(LENGTH, |data, cap, len, line| {
        let (text, text_len) = call.text(4, text);
        unsafe { backstop_keyring_diagnose(text, text_len, data, cap, len, line) }
    });
    call.spoiled.set(false);
    let (data, len) = call.text(4, text);
    let Some(ring) = call.handle(|out| unsafe { backstop_keyring_parse(data, len, out) }) else { return };
    assert!(reason.is_none_or(|(_, reason)| reason.is_empty()));
    let other = call.handle(|out| unsafe { backstop_keyring_ref(call.at(2, ring), out) });
    call.spoiled.set(false);
    call.written((), |data, cap, len, _| unsafe { backstop_keyring_fingerprint(call.at(4, ring), data, cap, len) });
    if let Some(other) = other {
        assert_eq!(other, ring);
        unsafe { backstop_keyring_free(other) };
    }
    let mut out = [0; 254];
    let mut len = 0;
    let address = c"user@example.com";
    // Some reference is left.
    let code =
        unsafe { backstop_sign(ring, address.as_ptr(), 16, 1_795_280_400, out.as_mut_ptr(), out.len(), &raw mut len) };
    assert!(code >= 0);
    unsafe { backstop_keyring_free(ring) };
}

/// A file with any text, loaded and followed.
fn keystore(call: &Call, input: &mut Input<'_>) {
    let kind = input.octet();
    let text = input.rest();
    // Exactly as long as its NUL allows.
    let path = if kind & 1 == 0 { file(&text) } else { file(RING.as_bytes()) };
    let path = if kind & 6 == 6 {
        CString::new([b"/nowhere/", &*text.split(|&octet| octet == 0).next().unwrap()].concat()).unwrap()
    } else {
        path
    };
    let reason = call.written((), |data, cap, len, _| unsafe {
        backstop_keyring_diagnose_file(call.at(4, path.as_ptr()), data, cap, len)
    });
    call.spoiled.set(false);
    if let Some(ring) = call.handle(|out| unsafe { backstop_keyring_load(call.at(4, path.as_ptr()), out) }) {
        assert!(reason.is_none_or(|(_, reason)| reason.is_empty()));
        unsafe { backstop_keyring_free(ring) };
    }
    call.spoiled.set(false);
    let reason = call.written((), |data, cap, len, _| unsafe {
        backstop_keystore_diagnose(call.at(4, path.as_ptr()), data, cap, len)
    });
    call.spoiled.set(false);
    let Some(store) = call.handle(|out| unsafe { backstop_keystore_open(call.at(4, path.as_ptr()), out) }) else {
        return;
    };
    assert!(reason.is_none_or(|(_, reason)| reason.is_empty()));
    drop(path);
    file(&text);
    let reload = unsafe { backstop_keystore_reload(store) };
    assert!([BACKSTOP_OK, BACKSTOP_ERR_FILE].contains(&reload), "{reload}");
    let report =
        call.written((), |data, cap, len, _| unsafe { backstop_keystore_report(call.at(4, store), data, cap, len) });
    assert!(report.is_none_or(|(_, report)| report.is_empty() == (reload == BACKSTOP_OK)));
    call.spoiled.set(false);
    let ring = call.handle(|out| unsafe { backstop_keystore_get(call.at(4, store), out) });
    unsafe { backstop_keystore_free(store) };
    if let Some(ring) = ring {
        call.spoiled.set(false);
        call.written((), |data, cap, len, _| unsafe { backstop_keyring_fingerprint(call.at(4, ring), data, cap, len) });
        unsafe { backstop_keyring_free(ring) };
    }
}

/// Any text as a policy.
fn policy_text(call: &Call, text: &[u8]) {
    let reason = call.written(LENGTH, |data, cap, len, line| {
        let (text, text_len) = call.text(4, text);
        unsafe { backstop_policy_diagnose(text, text_len, data, cap, len, line) }
    });
    call.spoiled.set(false);
    let (data, len) = call.text(4, text);
    let Some(policy) = call.handle(|out| unsafe { backstop_policy_parse(data, len, out) }) else { return };
    assert!(reason.is_none_or(|(_, reason)| reason.is_empty()));
    let other = call.handle(|out| unsafe { backstop_policy_ref(call.at(2, policy), out) });
    for need in BACKSTOP_NEED_REFUSE..=BACKSTOP_NEED_FORWARDER {
        call.spoiled.set(false);
        let needed = call.value(NUMBER, |out| unsafe { backstop_policy_needs(call.at(3, policy), need, out) });
        assert!(needed.is_none_or(|needed| [0, 1].contains(&needed)));
    }
    unsafe { backstop_policy_free(policy) };
    if let Some(other) = other {
        assert_eq!(other, policy);
        unsafe { backstop_policy_free(other) };
    }
}

fn policy_senders(call: &Call, input: &mut Input<'_>) {
    let (kind, origin, count) = (input.octet(), input.option(), input.octet() % 4);
    let recipients: Vec<Box<[u8]>> = (0..count).map(|_| input.line()).collect();
    let recipient = input.line();
    let sender = input.rest();
    let rule = |number| unsafe { CStr::from_ptr(backstop_rule_name(number)) } != c"unknown";
    let named = |code: i32, number: *const i32| {
        assert!(code != BACKSTOP_OK || rule(unsafe { number.read() }));
        code
    };
    if kind % 2 == 0 {
        call.changed(&sender, NUMBER, |(text, text_len), data, cap, len, number| {
            let texts: Box<[backstop_text]> = recipients
                .iter()
                .zip(7..)
                .map(|(text, place)| call.text(place, text))
                .map(|(data, len)| backstop_text { data, len })
                .collect();
            let (policy, ring, to) = (call.at(5, policy()), call.at(6, ring()), call.at(12, texts.as_ptr()));
            let origin = origin.cast_signed();
            let code = unsafe {
                backstop_policy_outgoing(
                    policy,
                    ring,
                    text,
                    text_len,
                    to,
                    texts.len(),
                    origin,
                    call.now,
                    data,
                    cap,
                    len,
                    number,
                )
            };
            named(code, number)
        });
    } else {
        call.changed(&sender, NUMBER, |(text, text_len), data, cap, len, number| {
            let (policy, ring, (to, to_len)) = (call.at(5, policy()), call.at(6, ring()), call.text(7, &recipient));
            let code = unsafe {
                backstop_policy_forward(policy, ring, text, text_len, to, to_len, call.now, data, cap, len, number)
            };
            named(code, number)
        });
    }
}

fn policy_recipients(call: &Call, input: &mut Input<'_>) {
    let (kind, class, port) = (input.octet(), input.option().cast_signed(), input.number() as u16);
    let (first, recipient) = (input.line(), input.rest());
    if kind % 4 == 0 {
        let ((ip, ip_len), policy) = (call.text(2, &first), call.at(3, policy()));
        call.value(NUMBER, |out| unsafe { backstop_policy_origin(policy, class, ip, ip_len, port, out) });
        call.value(NUMBER, |out| unsafe { backstop_policy_client(policy, class, ip, ip_len, port, out) });
        // The text is no part of this one.
        call.spoiled.set(false);
        let policy = call.at(3, self::policy());
        call.value(NUMBER, |out| unsafe { backstop_policy_needs(policy, class, out) });
        return;
    }
    let ((sender, sender_len), (text, len)) = (call.text(2, &first), call.text(3, &recipient));
    let (policy, ring) = (call.at(4, policy()), call.at(5, ring()));
    let decision: Option<backstop_decision> = call.structure(&[620, 624], |out| unsafe {
        backstop_policy_incoming(policy, ring, sender, sender_len, text, len, class, call.now, out)
    });
    let Some(decision) = decision else { return };
    for action in [decision.action, decision.would] {
        assert!((BACKSTOP_ACTION_UNCHANGED..=BACKSTOP_ACTION_REFUSE).contains(&action));
    }
    ends(&decision.address, decision.address_len);
    ends(&decision.reply, decision.reply_len);
    assert_eq!(decision.reply_len > 0, decision.action == BACKSTOP_ACTION_REFUSE);
    let other = [BACKSTOP_ACTION_STRIP, BACKSTOP_ACTION_REVERSE].contains(&decision.action);
    assert_eq!(decision.address_len > 0, other);
}

/// A function as Exim calls it: the right files for most, any other arguments, one of them NULL for some.
fn exim(input: &mut Input<'_>) {
    static RING_FILE: OnceLock<File> = OnceLock::new();
    static POLICY_FILE: OnceLock<File> = OnceLock::new();
    let functions = [
        backstop_exim_sign,
        backstop_exim_verify,
        backstop_exim_strip,
        backstop_exim_srs_forward,
        backstop_exim_srs_reverse,
        backstop_exim_policy_outgoing,
        backstop_exim_policy_forward,
        backstop_exim_policy_incoming,
    ];
    let (function, kind, count) = (usize::from(input.octet()), input.octet(), input.octet() % 9);
    let mut texts: Vec<CString> = (0..count)
        .map(|_| CString::new(input.line().split(|&octet| octet == 0).next().unwrap_or_default()).unwrap())
        .collect();
    if kind & 3 != 0 {
        let paths = [file_of(&RING_FILE, RING.as_bytes()), file_of(&POLICY_FILE, POLICY.as_bytes())];
        for (text, path) in texts.iter_mut().zip(paths).take(if function % 8 < 5 { 1 } else { 2 }) {
            *text = path;
        }
    }
    let mut pointers: Box<[*mut u8]> = texts.iter().map(|text| text.as_ptr().cast_mut().cast()).collect();
    if let (0xf0.., Some(pointer)) = (kind, pointers.first_mut()) {
        *pointer = ptr::null_mut();
    }
    let before = texts.clone();
    let mut answer = Box::new(ptr::null_mut());
    let argc = if kind == 4 { -1 } else { i32::from(count) };
    let code = unsafe { functions[function % 8](&raw mut *answer, argc, pointers.as_mut_ptr()) };
    assert!([BACKSTOP_EXIM_OK, BACKSTOP_EXIM_DEFER, BACKSTOP_EXIM_ERROR].contains(&code), "{code}");
    assert!(!answer.is_null() && texts == before);
    let sentence = unsafe { CStr::from_ptr(answer.cast_const().cast()) };
    assert!(code == BACKSTOP_EXIM_OK || !sentence.is_empty());
    let shows = |text: &CStr| text.to_bytes().windows(9).any(|part| part == b"tops3cr3t");
    assert!(!shows(sentence) || texts.iter().any(|text| shows(text)), "an answer shows a secret");
    let nowhere = unsafe { functions[function % 8](ptr::null_mut(), argc, pointers.as_mut_ptr()) };
    assert_eq!(nowhere, BACKSTOP_EXIM_ERROR);
}

/// Every number has a text.
fn names(number: u32) {
    let number = number.cast_signed();
    let functions = [
        backstop_strerror,
        backstop_verdict_name,
        backstop_reason_name,
        backstop_tag_name,
        backstop_rule_name,
        backstop_rule_text,
    ];
    for function in functions {
        // SAFETY: the manual says that it ends in NUL.
        assert!(!unsafe { CStr::from_ptr(function(number)) }.is_empty());
    }
}
