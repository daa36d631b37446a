//! Tags of envelope senders: sign, verify, strip, explain.

use std::ffi::c_char;

use backstop_core::explain::explain;
use backstop_core::{Error, Form, Signed, batv};

use crate::gate::{Buffer, Place, day, gate, object, text};
use crate::keyring::backstop_keyring;
use crate::status::{BACKSTOP_OK, failed, unsigned};
use crate::verdict::{BACKSTOP_TAG_NONE, backstop_verdict, tag_number};

/// The most octets of an address that this library makes.
pub const BACKSTOP_ADDRESS_MAX: u32 = 254;

/// # Tags: sign, verify, strip, explain
///
/// Marks an envelope sender, with bst1 where the ring has such a key and there is room, else with prvs. A bst1 key signs
/// up to 2059-09-18, which is all that the tag can hold.
///
/// BACKSTOP_OK: `out` has the signed sender, of at most 254 octets. BACKSTOP_UNSIGNED_* (NULL, ALREADY, NOT_OWN,
/// NO_KEY, TOO_LONG, SHAPE): the address is to stay as it is and was copied to `out`, with brackets if it came in some;
/// a signed one has none. So whatever is not negative can go on with `out`. `out` may be the address itself. Whether
/// the mail is the host's own to sign is for the caller, or a policy, to know. Nothing is allocated.
///
/// @code
/// static int32_t next_hop_sender(const backstop_keyring *ring, const char *sender, char *out, size_t cap, size_t *len)
/// {
///     int32_t status = backstop_sign(ring, sender, strlen(sender), -1, out, cap, len);
///     if (status > 0)
///         fprintf(stderr, "left as it is: %s\n", backstop_strerror(status));
///     return status < 0 ? status : BACKSTOP_OK;
/// }
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_sign(
    ring: *const backstop_keyring,
    address: *const c_char,
    len: usize,
    now: i64,
    out: *mut c_char,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    // SAFETY: the caller keeps the rules of the manual.
    gate(|| unsafe { sign(ring, address, len, Form::Prefix, now, Buffer::new(out, cap, out_len)?) })
}

/// As backstop_sign, but the tag stands behind: local+prvs=TAG@example.com, for hosts that route by sub-address. It is
/// always a prvs tag: where only bst1 keys serve the domain, the result is BACKSTOP_UNSIGNED_NOT_OWN.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_sign_subaddress(
    ring: *const backstop_keyring,
    address: *const c_char,
    len: usize,
    now: i64,
    out: *mut c_char,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    // SAFETY: the caller keeps the rules of the manual.
    gate(|| unsafe { sign(ring, address, len, Form::Subaddress, now, Buffer::new(out, cap, out_len)?) })
}

/// # Safety
/// The caller keeps the rules of the manual.
#[inline(always)]
unsafe fn sign(
    ring: *const backstop_keyring,
    address: *const c_char,
    len: usize,
    form: Form,
    now: i64,
    out: Buffer,
) -> Result<i32, i32> {
    // SAFETY: promised by the caller.
    let (ring, address) = unsafe { (object(ring)?, text(address, len)?) };
    let signed = batv::sign(&ring.0, address, form, day(now)?);
    // SAFETY: promised by the caller.
    unsafe { put_signed(&signed, address, out) }
}

/// Writes the new address, or the old one with the reason for it. By reference, since moving an address costs a tenth
/// of making one.
///
/// # Safety
/// The buffer can be written; it may hold `address`.
#[inline(always)]
pub(crate) unsafe fn put_signed(signed: &Result<Signed, Error>, address: *const [u8], out: Buffer) -> Result<i32, i32> {
    let (code, text) = match signed {
        Ok(Signed::Done(address)) => (BACKSTOP_OK, &raw const *address.as_bytes()),
        Ok(Signed::Unsigned(reason)) => (unsigned(*reason), address),
        Err(error) => return Err(failed(error)),
    };
    // SAFETY: promised by the caller.
    unsafe { out.put(text) }?;
    Ok(code)
}

/// Tells what the recipient of a bounce is, exactly as RCPT gave it (a sha1 tag covers the case of the address).
///
/// BACKSTOP_OK: `out` has the verdict; on an error it has what it had before. BACKSTOP_ERR_ADDRESS and
/// BACKSTOP_ERR_NULL_RECIPIENT: it is no recipient at all. Nothing is allocated. A forged tag costs the time of a
/// genuine one.
///
/// @code
/// static int accept_bounce(const backstop_keyring *ring, const char *rcpt, char *mailbox, size_t cap)
/// {
///     backstop_verdict v = BACKSTOP_VERDICT_INIT;
///     if (backstop_verify(ring, rcpt, strlen(rcpt), -1, &v) != BACKSTOP_OK || v.verdict != BACKSTOP_GENUINE)
///         return 0;
///     snprintf(mailbox, cap, "%s", v.mailbox);
///     return 1;
/// }
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_verify(
    ring: *const backstop_keyring,
    address: *const c_char,
    len: usize,
    now: i64,
    out: *mut backstop_verdict,
) -> i32 {
    gate(|| {
        // SAFETY: the caller keeps the rules of the manual.
        let (ring, address, out) = unsafe { (object(ring)?, text(address, len)?, backstop_verdict::place(out)?) };
        let verdict = batv::verify(&ring.0, address, day(now)?).map_err(|error| failed(&error))?;
        // SAFETY: as above.
        unsafe { backstop_verdict::put(out, &verdict, address) };
        Ok(BACKSTOP_OK)
    })
}

/// Takes a tag of any known system off, without verifying anything; `*tag` is a BACKSTOP_TAG_*.
///
/// For keys of greylisting, reputation and allow-lists, which must stay the same from day to day. Never deliver by the
/// result. Without a tag (BACKSTOP_TAG_NONE) `out` has the address without brackets and route, `<>` as it came;
/// VERP, SRS and ordinary addresses with `=` have none. `out` may be the address itself. Nothing is allocated.
///
/// @code
/// static int32_t greylist_key(const char *sender, char *out, size_t cap, size_t *len)
/// {
///     int32_t tag;
///     return backstop_strip(sender, strlen(sender), out, cap, len, &tag);
/// }
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_strip(
    address: *const c_char,
    len: usize,
    out: *mut c_char,
    cap: usize,
    out_len: *mut usize,
    tag: *mut i32,
) -> i32 {
    gate(|| {
        let (out, tag) = (Buffer::new(out, cap, out_len)?, Place::new(tag)?);
        // SAFETY: the caller keeps the rules of the manual.
        let address = unsafe { text(address, len) }?;
        let stripped = batv::strip(address).map_err(|error| failed(&error))?;
        let stripped = stripped.map(|(found, address)| (tag_number(found), address.to_address()));
        let (found, result) = match &stripped {
            Some((found, address)) => (*found, &raw const *address.as_bytes()),
            None => (BACKSTOP_TAG_NONE, &raw const *batv::bare(address)),
        };
        // SAFETY: as above.
        unsafe {
            out.put(result)?;
            tag.put(found);
        }
        Ok(BACKSTOP_OK)
    })
}

/// Tells people in words what an address is: its parts, its tag, the days, the verdict and what to do; some lines, each
/// ending in a line feed. What could steer a terminal is escaped. For logs that are looked into, not for programs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_explain(
    ring: *const backstop_keyring,
    address: *const c_char,
    len: usize,
    now: i64,
    out: *mut c_char,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    gate(|| {
        let out = Buffer::new(out, cap, out_len)?;
        // SAFETY: the caller keeps the rules of the manual.
        let (ring, address) = unsafe { (object(ring)?, text(address, len)?) };
        let words = explain(Some(&ring.0), address, day(now)?);
        // SAFETY: as above.
        unsafe { out.put(words.as_bytes()) }?;
        Ok(BACKSTOP_OK)
    })
}
