//! The verbs of the library as functions for Exim's `${dlfunc}`.
//!
//! `call.rs` has the way in and out, `cache.rs` the files. bindings/exim has a whole configuration. What a
//! recipient's or sender's fate is, the policy of the core decides; here is only what Exim is told of it.

mod cache;
mod call;

use std::ffi::{c_int, c_uchar};
use std::net::IpAddr;

use backstop_core::policy::Incoming;
use backstop_core::srs::{self, Dialect};
use backstop_core::{Day, Domains, Error, Form, Signed, UNPARSABLE, Verdict, batv};

use self::call::{Options, Trouble, Words, call, split};

/// # What the functions for Exim return
///
/// To Exim: the answer is the result of the expansion.
pub const BACKSTOP_EXIM_OK: i32 = 0;
/// To Exim: a file cannot be used now; the expansion fails, and the mail waits.
pub const BACKSTOP_EXIM_DEFER: i32 = 1;
/// To Exim: the call is wrong: a missing argument, an unknown option; the expansion fails, and the mail waits.
pub const BACKSTOP_EXIM_ERROR: i32 = 3;

/// # Exim: functions for ${dlfunc}
///
/// For a transport's return_path: {key file}{sender}, options form=prefix or subaddress, now=.
///
/// All functions of this group are called by Exim, not by C: they have the type that ${dlfunc} wants and need nothing
/// of Exim. The arguments stand in braces in their order, options behind them as {name=value}; an option with an empty
/// value counts as not given, an unknown one is an error. now= takes unix seconds in place of the system clock. Paths
/// begin with a slash. bindings/exim of the sources has a whole configuration.
///
/// @code
/// static int as_exim_would(unsigned char *keys, unsigned char *sender, unsigned char **answer)
/// {
///     unsigned char *argv[] = {keys, sender};
///     return backstop_exim_sign(answer, 2, argv);
/// }
/// @endcode
///
/// BACKSTOP_EXIM_OK: `*result` has the answer. Any other result: `*result` has a sentence for Exim's log, which shows
/// no secret. It ends in NUL and lasts until the next of these calls in this thread. FAIL and FAIL_FORCED are never
/// given. Files are read when first named, and kept by the thread (the last eight of a kind); a changed one is read
/// again, a key file after a second at most, and one that went bad keeps what was there until the process ends.
///
/// This one answers the signed sender, or the sender as it is where backstop_sign would leave it; so it may stand in
/// return_path as it is, and signs nothing twice. It signs for whoever sends; backstop_exim_policy_outgoing does not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_exim_sign(result: *mut *mut c_uchar, argc: c_int, argv: *mut *mut c_uchar) -> c_int {
    let body = |given: &[&[u8]]| {
        let ([keys, sender], options) = split("backstop_exim_sign", given, ["key file", "sender"], &["form", "now"])?;
        let form = match options.text("form") {
            None | Some(b"prefix") => Form::Prefix,
            Some(b"subaddress") => Form::Subaddress,
            Some(_) => return Err(Trouble::Misuse("form= takes prefix or subaddress".to_owned())),
        };
        let day = options.day()?;
        Ok(sent(&batv::sign(&cache::ring(keys)?.0, sender, form, day), sender))
    };
    // SAFETY: Exim keeps the rules of the manual.
    unsafe { call(result, argc, argv, body) }
}

/// What a recipient is, as backstop_verify tells it: {key file}{recipient}, option now=.
///
/// Answers words for ${extract{name}{...}}: verdict, reason, mailbox, key, signed, expires, with the words of the
/// command `verify`; what is not known is left out. mailbox is the address under a tag with a right MAC, also if it
/// expired, or the address itself if it has no tag. What is no address is verdict=malformed reason=unparsable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_exim_verify(
    result: *mut *mut c_uchar,
    argc: c_int,
    argv: *mut *mut c_uchar,
) -> c_int {
    let body = |given: &[&[u8]]| {
        let ([keys, recipient], options) = split("backstop_exim_verify", given, ["key file", "recipient"], &["now"])?;
        let day = options.day()?;
        Ok(told(&batv::verify(&cache::ring(keys)?.0, recipient, day), recipient))
    };
    // SAFETY: Exim keeps the rules of the manual.
    unsafe { call(result, argc, argv, body) }
}

/// The address without a tag of any known system, as backstop_strip, or the address as it is: {address}.
///
/// For the keys of greylisting and of lists. Nothing is verified: never deliver by it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_exim_strip(result: *mut *mut c_uchar, argc: c_int, argv: *mut *mut c_uchar) -> c_int {
    let body = |given: &[&[u8]]| {
        let ([address], _) = split("backstop_exim_strip", given, ["address"], &[])?;
        let stripped = batv::strip(address).ok().flatten();
        Ok(stripped.map_or_else(|| batv::bare(address).to_vec(), |(_, under)| under.to_address().as_bytes().to_vec()))
    };
    // SAFETY: Exim keeps the rules of the manual.
    unsafe { call(result, argc, argv, body) }
}

/// For the return_path of forwarded mail: {key file}{sender}{domain}, options own=, now=.
///
/// Answers the sender rewritten into the domain, or as it is where backstop_srs_forward would leave it. own= lists
/// further forwarder domains, with commas. All other options of SRS stand in a policy: backstop_exim_policy_forward.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_exim_srs_forward(
    result: *mut *mut c_uchar,
    argc: c_int,
    argv: *mut *mut c_uchar,
) -> c_int {
    let body = |given: &[&[u8]]| {
        let wanted = ["key file", "sender", "domain"];
        let ([keys, sender, domain], options) = split("backstop_exim_srs_forward", given, wanted, &["own", "now"])?;
        let (forwarder, own) = forwarders(domain, &options)?;
        let day = options.day()?;
        let ring = cache::ring(keys)?;
        Ok(sent(&srs::forward(&ring.0, sender, forwarder, &own, &Dialect::CLASSIC, day), sender))
    };
    // SAFETY: Exim keeps the rules of the manual.
    unsafe { call(result, argc, argv, body) }
}

/// What the recipient of a bounce to a forwarder is: {key file}{recipient}{domain}, options own=, now=.
///
/// Answers words as backstop_exim_verify; mailbox is the sender to whom it returns. Let only the null sender use it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_exim_srs_reverse(
    result: *mut *mut c_uchar,
    argc: c_int,
    argv: *mut *mut c_uchar,
) -> c_int {
    let body = |given: &[&[u8]]| {
        let wanted = ["key file", "recipient", "domain"];
        let ([keys, recipient, domain], options) = split("backstop_exim_srs_reverse", given, wanted, &["own", "now"])?;
        let (_, own) = forwarders(domain, &options)?;
        let day = options.day()?;
        Ok(told(&srs::reverse(&cache::ring(keys)?.0, recipient, &own, &Dialect::CLASSIC, day), recipient))
    };
    // SAFETY: Exim keeps the rules of the manual.
    unsafe { call(result, argc, argv, body) }
}

/// For a transport's return_path by policy: {key file}{policy file}{sender}{client}{port}, options authenticated=,
/// recipient=, now=.
///
/// Answers the signed sender, or the sender as it is, as backstop_policy_outgoing. client and port are
/// $sender_host_address and $sender_host_port (empty and 0 for local programs), authenticated= is
/// $sender_host_authenticated (empty if not). recipient= matters only for no-sign-recipients, and only where the
/// transport has max_rcpt = 1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_exim_policy_outgoing(
    result: *mut *mut c_uchar,
    argc: c_int,
    argv: *mut *mut c_uchar,
) -> c_int {
    let body = |given: &[&[u8]]| {
        let wanted = ["key file", "policy file", "sender", "client", "port"];
        let known = ["authenticated", "recipient", "now"];
        let ([keys, policy, sender, client, port], options) =
            split("backstop_exim_policy_outgoing", given, wanted, &known)?;
        let ((client, port), day) = (peer(client, port)?, options.day()?);
        let (policy, ring) = (cache::policy(policy)?, cache::ring(keys)?);
        let origin = policy.origin(options.text("authenticated").is_some(), client, port);
        let decided = policy.outgoing(&ring.0, sender, options.text("recipient"), origin, day);
        Ok(decided.rewrite.map_or_else(|| sender.to_vec(), |address| address.as_bytes().to_vec()))
    };
    // SAFETY: Exim keeps the rules of the manual.
    unsafe { call(result, argc, argv, body) }
}

/// For the return_path of forwarded mail by policy: {key file}{policy file}{sender}{recipient}, option now=.
///
/// Answers the rewritten sender, or the sender as it is, as backstop_policy_forward. recipient is the address here that
/// forwards, $original_local_part@$original_domain; the transport wants max_rcpt = 1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_exim_policy_forward(
    result: *mut *mut c_uchar,
    argc: c_int,
    argv: *mut *mut c_uchar,
) -> c_int {
    let body = |given: &[&[u8]]| {
        let wanted = ["key file", "policy file", "sender", "recipient"];
        let ([keys, policy, sender, recipient], options) =
            split("backstop_exim_policy_forward", given, wanted, &["now"])?;
        let day = options.day()?;
        let (policy, ring) = (cache::policy(policy)?, cache::ring(keys)?);
        let decided = policy.forward(&ring.0, sender, recipient, day);
        Ok(decided.rewrite.map_or_else(|| sender.to_vec(), |address| address.as_bytes().to_vec()))
    };
    // SAFETY: Exim keeps the rules of the manual.
    unsafe { call(result, argc, argv, body) }
}

/// What becomes of a recipient by policy: {key file}{policy file}{sender}{recipient}{client}{port}, options
/// authenticated= and now=.
///
/// Answers words for ${extract{name}{...}}, as the command `decide`: action, would, rule, verdict, reason, mode,
/// refuse_at, log (yes or no), address (with action=strip and action=reverse: deliver there) and reply (with
/// action=refuse: the SMTP reply). Sender and recipient should stand as SMTP gave them, since a sha1 tag covers their
/// case; client, port and authenticated as for backstop_exim_policy_outgoing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_exim_policy_incoming(
    result: *mut *mut c_uchar,
    argc: c_int,
    argv: *mut *mut c_uchar,
) -> c_int {
    let body = |given: &[&[u8]]| {
        let wanted = ["key file", "policy file", "sender", "recipient", "client", "port"];
        let ([keys, policy, sender, recipient, client, port], options) =
            split("backstop_exim_policy_incoming", given, wanted, &["authenticated", "now"])?;
        let ((client, port), day) = (peer(client, port)?, options.day()?);
        let (policy, ring) = (cache::policy(policy)?, cache::ring(keys)?);
        let authenticated = options.text("authenticated").is_some();
        let client = policy.client(authenticated, client, port);
        Ok(decision(&policy.incoming(&ring.0, sender, recipient, client, day)))
    };
    // SAFETY: Exim keeps the rules of the manual.
    unsafe { call(result, argc, argv, body) }
}

/// The new sender, or the old one: also one that is no address, which is not for this function to refuse.
fn sent(signed: &Result<Signed, Error>, sender: &[u8]) -> Vec<u8> {
    match signed {
        Ok(Signed::Done(address)) => address.as_bytes().to_vec(),
        Ok(Signed::Unsigned(_)) | Err(_) => sender.to_vec(),
    }
}

fn told(verdict: &Result<Verdict<'_>, Error>, recipient: &[u8]) -> Vec<u8> {
    let Ok(verdict) = verdict else {
        return Words::default().with("verdict", b"malformed").with("reason", UNPARSABLE.as_bytes()).done();
    };
    let words = Words::default().with("verdict", verdict.slug().as_bytes());
    let words = words.with("reason", verdict.reason().unwrap_or_default().as_bytes());
    let words = match (verdict.proof(), verdict) {
        (Some(proof), _) => words.with("mailbox", proof.mailbox.to_address().as_bytes()),
        (None, Verdict::Untagged) => words.with("mailbox", batv::bare(recipient)),
        _ => words,
    };
    let key = verdict.key().map(|key| key.as_char().to_string()).unwrap_or_default();
    let day = |day: Option<Day>| day.map(|day| day.to_string()).unwrap_or_default();
    let proof = verdict.proof();
    let words = words.with("key", key.as_bytes());
    let words = words.with("signed", day(proof.and_then(|proof| proof.signed)).as_bytes());
    words.with("expires", day(proof.and_then(|proof| proof.expires)).as_bytes()).done()
}

fn decision(decided: &Incoming<'_>) -> Vec<u8> {
    let verdict = decided.verdict.as_ref();
    let address = decided.action.address().map_or(b"".as_slice(), |address| address.as_bytes());
    Words::default()
        .with("action", decided.action.slug().as_bytes())
        .with("would", decided.would.slug().as_bytes())
        .with("rule", decided.rule.slug().as_bytes())
        .with("verdict", verdict.map_or("", Verdict::slug).as_bytes())
        .with("reason", verdict.and_then(Verdict::reason).unwrap_or_default().as_bytes())
        .with("mode", decided.mode.as_str().as_bytes())
        .with("refuse_at", decided.refuse_at.as_str().as_bytes())
        .with("log", if decided.log { b"yes" } else { b"no" })
        .with("address", address)
        .with("reply", decided.reply.unwrap_or_default().as_bytes())
        .done()
}

/// The domain into which senders are rewritten, and all whose SRS addresses are taken back.
fn forwarders<'a>(domain: &'a [u8], options: &Options<'a>) -> Result<(&'a str, Domains), Trouble> {
    let misuse = |error: String| Trouble::Misuse(format!("the forwarder domains: {error}"));
    let text = |octets| std::str::from_utf8(octets).map_err(|_| misuse("they are not UTF-8".to_owned()));
    let (domain, own) = (text(domain)?, text(options.text("own").unwrap_or_default())?);
    Ok((domain, srs::own_forwarders(domain, own).map_err(|error| misuse(error.to_string()))?))
}

/// The address and port of a client; both empty, or the port 0, for a program of the host itself. What is no text is
/// neither.
fn peer(ip: &[u8], port: &[u8]) -> Result<(Option<IpAddr>, u16), Trouble> {
    if ip.is_empty() && port.is_empty() {
        return Ok((None, 0));
    }
    let address = || std::str::from_utf8(ip).ok().and_then(|ip| ip.parse().ok());
    let misuse = |sentence: &str| Trouble::Misuse(sentence.to_owned());
    let known = match ip {
        b"" => None,
        _ => Some(address().ok_or_else(|| misuse("the client is no IP address"))?),
    };
    let port = std::str::from_utf8(port).ok().and_then(|port| port.parse().ok());
    Ok((known, port.ok_or_else(|| misuse("the port is no number from 0 to 65535"))?))
}
