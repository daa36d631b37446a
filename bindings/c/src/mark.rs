//! Marks inside the message: make and verify, as a header and in the Message-ID.

use std::ffi::c_char;

use backstop_core::mark::{self, Marked};
use backstop_core::{Day, Error, KeyRing, Verdict};

use crate::gate::{Buffer, day, gate, object, slice, text};
use crate::keyring::backstop_keyring;
use crate::status::{
    BACKSTOP_ERR_DOMAIN, BACKSTOP_ERR_MESSAGE_ID, BACKSTOP_OK, BACKSTOP_UNSIGNED_SHAPE, failed, unsigned,
};
use crate::verdict::backstop_verdict;

/// How many random octets backstop_mark_header takes.
pub const BACKSTOP_NONCE_SIZE: u32 = 8;

/// The longest header value or Message-ID that is looked at, in octets: a longer header is BACKSTOP_MALFORMED, a longer
/// Message-ID BACKSTOP_UNTAGGED.
pub const BACKSTOP_MARK_MAX: u32 = 998;

const NONCE: usize = BACKSTOP_NONCE_SIZE as usize;

const _: () = assert!(BACKSTOP_MARK_MAX as usize == mark::MAX_MARK);

/// # Marks inside messages
///
/// Writes the bare address for which a message with this From field is to have a mark, if the field has exactly one.
///
/// `field` is what stands behind `From:`, folded or not; give it only if the message has one such field.
/// BACKSTOP_UNSIGNED_SHAPE: a list, a group, a route, a name with another address outside quotes, or more than 8192
/// octets; the length is 0. What a bounce answers there is a guess, and no bounce is called backscatter for want of it.
///
/// Mark own mail alone, which the rule of backstop_policy_outgoing tells: BACKSTOP_RULE_SIGNED, or one that leaves own
/// mail unsigned, whose bounces only the mark tells from forged ones (BACKSTOP_RULE_NO_SIGN, NO_SIGN_RECIPIENTS,
/// NO_KEY, TOO_LONG, SHAPE).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_mark_address_of_from(
    field: *const c_char,
    len: usize,
    out: *mut c_char,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    gate(|| {
        let out = Buffer::new(out, cap, out_len)?;
        // SAFETY: the caller keeps the rules of the manual.
        let address = mark::address_of_from(unsafe { text(field, len) }?);
        // SAFETY: as above.
        unsafe { out.put(address.as_deref().unwrap_or_default()) }?;
        Ok(address.map_or(BACKSTOP_UNSIGNED_SHAPE, |_| BACKSTOP_OK))
    })
}

/// Makes the value of the header BACKSTOP_MARK_HEADER for a message whose From has this bare address
/// (backstop_mark_address_of_from).
///
/// `nonce` points to BACKSTOP_NONCE_SIZE random octets, others for each message. BACKSTOP_UNSIGNED_*: there is no mark
/// to put into the message, and the length is 0.
///
/// @code
/// static int32_t mark_value(const backstop_keyring *ring, const char *from, char *out, size_t cap, size_t *len)
/// {
///     unsigned char nonce[BACKSTOP_NONCE_SIZE];
///     FILE *random = fopen("/dev/urandom", "rb");
///     size_t got = random == NULL ? 0 : fread(nonce, 1, sizeof nonce, random);
///     if (random != NULL)
///         fclose(random);
///     if (got != sizeof nonce)
///         return BACKSTOP_ERR_INTERNAL;
///     return backstop_mark_header(ring, from, strlen(from), nonce, -1, out, cap, len);
/// }
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_mark_header(
    ring: *const backstop_keyring,
    from: *const c_char,
    from_len: usize,
    nonce: *const u8,
    now: i64,
    out: *mut c_char,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    gate(|| {
        let out = Buffer::new(out, cap, out_len)?;
        // SAFETY: the caller keeps the rules of the manual.
        let (ring, from, octets) = unsafe { (object(ring)?, text(from, from_len)?, slice(nonce, NONCE)?) };
        let mut nonce = [0; NONCE];
        nonce.copy_from_slice(octets);
        let marked = mark::make_header(&ring.0, from, nonce, day(now)?).map_err(|error| failed(&error))?;
        // SAFETY: as above.
        unsafe { put_marked(&marked, out) }
    })
}

/// Makes a Message-ID with its brackets, for a message that has none; replace none without being told to.
///
/// `left` is what would stand before the `@` without a mark, unique at `domain`: 1 to 700 letters, digits, dots and the
/// like, else BACKSTOP_ERR_MESSAGE_ID. What is no domain is BACKSTOP_ERR_ADDRESS, or BACKSTOP_ERR_DOMAIN where it is not
/// UTF-8. `from` is the bare address of the From. A mark key must serve the From's domain and `domain`, else the result
/// is BACKSTOP_UNSIGNED_NOT_OWN. It holds days up to 2059-09-18.
/// BACKSTOP_UNSIGNED_*: there is no mark, and the length is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_mark_message_id(
    ring: *const backstop_keyring,
    left: *const c_char,
    left_len: usize,
    domain: *const c_char,
    domain_len: usize,
    from: *const c_char,
    from_len: usize,
    now: i64,
    out: *mut c_char,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    gate(|| {
        let out = Buffer::new(out, cap, out_len)?;
        // SAFETY: the caller keeps the rules of the manual.
        let (ring, left, domain, from) =
            unsafe { (object(ring)?, text(left, left_len)?, text(domain, domain_len)?, text(from, from_len)?) };
        let left = std::str::from_utf8(left).map_err(|_| BACKSTOP_ERR_MESSAGE_ID)?;
        let domain = std::str::from_utf8(domain).map_err(|_| BACKSTOP_ERR_DOMAIN)?;
        let marked = mark::make_message_id(&ring.0, left, domain, from, day(now)?).map_err(|error| failed(&error))?;
        // SAFETY: as above.
        unsafe { put_marked(&marked, out) }
    })
}

/// Writes the mark, or nothing and says why.
///
/// # Safety
/// The buffer can be written.
unsafe fn put_marked(marked: &Marked, out: Buffer) -> Result<i32, i32> {
    let (code, text) = match marked {
        Marked::Done(text) => (BACKSTOP_OK, text.as_bytes()),
        Marked::Unsigned(reason) => (unsigned(*reason), &b""[..]),
    };
    // SAFETY: promised by the caller.
    unsafe { out.put(text) }?;
    Ok(code)
}

/// Checks the value of a header Backstop-Mark that came back in a bounce to this recipient, whose own tag is off.
///
/// Genuine only for the address for which it was made. A mark of another site is BACKSTOP_FOREIGN.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_mark_verify_header(
    ring: *const backstop_keyring,
    value: *const c_char,
    value_len: usize,
    recipient: *const c_char,
    recipient_len: usize,
    now: i64,
    out: *mut backstop_verdict,
) -> i32 {
    // SAFETY: the caller keeps the rules of the manual.
    gate(|| unsafe { verify(mark::verify_header, ring, (value, value_len), (recipient, recipient_len), now, out) })
}

/// Checks one Message-ID, as Message-ID, In-Reply-To or References hold it, that came back to this recipient. A list of
/// several is UNTAGGED: give each by itself.
///
/// Without a mark it is BACKSTOP_UNTAGGED; the rest is as with backstop_mark_verify_header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_mark_verify_message_id(
    ring: *const backstop_keyring,
    id: *const c_char,
    id_len: usize,
    recipient: *const c_char,
    recipient_len: usize,
    now: i64,
    out: *mut backstop_verdict,
) -> i32 {
    // SAFETY: the caller keeps the rules of the manual.
    gate(|| unsafe { verify(mark::verify_message_id, ring, (id, id_len), (recipient, recipient_len), now, out) })
}

/// What `mark.rs` of the core has for each form.
type Verify = for<'a> fn(&KeyRing, &[u8], &'a [u8], Day) -> Result<Verdict<'a>, Error>;

/// # Safety
/// The caller keeps the rules of the manual.
unsafe fn verify(
    verify: Verify,
    ring: *const backstop_keyring,
    mark: (*const c_char, usize),
    recipient: (*const c_char, usize),
    now: i64,
    out: *mut backstop_verdict,
) -> Result<i32, i32> {
    // SAFETY: promised by the caller.
    let (ring, mark, recipient, out) = unsafe {
        (object(ring)?, text(mark.0, mark.1)?, text(recipient.0, recipient.1)?, backstop_verdict::place(out)?)
    };
    let verdict = verify(&ring.0, mark, recipient, day(now)?).map_err(|error| failed(&error))?;
    // SAFETY: promised by the caller.
    unsafe { backstop_verdict::put(out, &verdict, b"") };
    Ok(BACKSTOP_OK)
}
