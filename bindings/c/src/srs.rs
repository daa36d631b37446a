//! SRS: senders of forwarded mail out, their bounces back.

use std::ffi::c_char;

use backstop_core::Domains;
use backstop_core::srs::{self, Alphabet, Dialect, OverLong};

use crate::gate::{Buffer, Grown, Place, day, gate, known, object, text};
use crate::keyring::backstop_keyring;
use crate::status::{BACKSTOP_ERR_DOMAIN, BACKSTOP_ERR_OPTION, BACKSTOP_OK, failed};
use crate::tag::put_signed;
use crate::verdict::backstop_verdict;

/// # Options of SRS
///
/// SRS hashes are written with `+` and `/`: Mail::SRS, libsrs2, pysrs, postsrsd before 2.2.6.
pub const BACKSTOP_ALPHABET_CLASSIC: i32 = 0;
/// SRS hashes are written with `-` and `_`: postsrsd since 2.2.6.
pub const BACKSTOP_ALPHABET_URL: i32 = 1;
/// SRS hashes are written with `_` and `.`: libsrs_alt.
pub const BACKSTOP_ALPHABET_ALT: i32 = 2;
/// A result with more than 64 octets before the `@` is not made: BACKSTOP_UNSIGNED_TOO_LONG.
pub const BACKSTOP_OVER_LONG_LEAVE: i32 = 0;
/// Such a result is made all the same, up to 254 octets in all.
pub const BACKSTOP_OVER_LONG_EMIT: i32 = 1;

/// The options in which sites differ. Begin with BACKSTOP_SRS_OPTIONS_INIT, which is what Mail::SRS does.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct backstop_srs_options {
    /// The octets of this structure as the caller knows it.
    pub size: u32,
    /// The character after SRS0 or SRS1: '=', '+' or '-'. All three are read.
    pub separator: i32,
    /// How many characters of hash are written, 1 to 27; 4 are usual.
    pub hash_length: u32,
    /// How many characters of hash must be there, 1 to `hash_length`.
    pub hash_min: u32,
    /// The greatest age in days, 1 to 500; 0 takes the `days` of the key.
    pub max_age: u32,
    /// Not 0: senders in the forwarder's own domain are rewritten too.
    pub always_rewrite: i32,
    /// BACKSTOP_ALPHABET_* to write; all three are read.
    pub alphabet: i32,
    /// BACKSTOP_OVER_LONG_*.
    pub over_long: i32,
}

const PUBLISHED: [u32; 1] = [32];

const _: () = assert!(size_of::<backstop_srs_options>() == 32);

const CLASSIC: backstop_srs_options = backstop_srs_options {
    size: 32,
    separator: b'=' as i32,
    hash_length: 4,
    hash_min: 4,
    max_age: 0,
    always_rewrite: 0,
    alphabet: BACKSTOP_ALPHABET_CLASSIC,
    over_long: BACKSTOP_OVER_LONG_LEAVE,
};

impl backstop_srs_options {
    fn dialect(&self) -> Result<Dialect, i32> {
        let separator = u32::try_from(self.separator).ok().and_then(char::from_u32).ok_or(BACKSTOP_ERR_OPTION)?;
        let number = |value: u32| usize::try_from(value).map_err(|_| BACKSTOP_ERR_OPTION);
        let alphabet = match self.alphabet {
            BACKSTOP_ALPHABET_CLASSIC => Alphabet::Classic,
            BACKSTOP_ALPHABET_URL => Alphabet::Url,
            BACKSTOP_ALPHABET_ALT => Alphabet::Alt,
            _ => return Err(BACKSTOP_ERR_OPTION),
        };
        let over_long = match self.over_long {
            BACKSTOP_OVER_LONG_LEAVE => OverLong::Leave,
            BACKSTOP_OVER_LONG_EMIT => OverLong::Emit,
            _ => return Err(BACKSTOP_ERR_OPTION),
        };
        let (length, min) = (number(self.hash_length)?, number(self.hash_min)?);
        let dialect = Dialect::CLASSIC.with_separator(separator).and_then(|dialect| dialect.with_hash(length, min));
        let dialect = dialect.map_err(|error| failed(&error))?;
        let dialect = dialect.with_always_rewrite(self.always_rewrite != 0).with_alphabet(alphabet);
        let dialect = dialect.with_over_long(over_long);
        match u16::try_from(self.max_age) {
            Ok(0) => Ok(dialect),
            Ok(days) => dialect.with_max_age(days).map_err(|error| failed(&error)),
            Err(_) => Err(BACKSTOP_ERR_OPTION),
        }
    }
}

/// A forwarder: the domain into which it rewrites, the own forwarders, and the options. It never changes, so any number
/// of threads may use one at a time.
pub struct backstop_srs {
    forwarder: String,
    own: Domains,
    dialect: Dialect,
}

/// # SRS: senders of forwarded mail
///
/// Describes a forwarder.
///
/// `domain` is the one domain into which senders are rewritten. `own` lists further domains whose SRS addresses are
/// taken back, such as "fwd2.example,*.fwd.example"; it may be empty. BACKSTOP_ERR_DOMAIN, BACKSTOP_ERR_OPTION: one of
/// them cannot be used. On BACKSTOP_OK `*out` is for backstop_srs_free.
///
/// @code
/// static int32_t forwarder(const char *domain, backstop_srs **srs)
/// {
///     backstop_srs_options options = BACKSTOP_SRS_OPTIONS_INIT;
///     return backstop_srs_new(domain, strlen(domain), "", 0, &options, srs);
/// }
///
/// static int32_t forward(const backstop_keyring *ring, const backstop_srs *srs, const char *sender,
///                        char *out, size_t cap, size_t *len)
/// {
///     int32_t status = backstop_srs_forward(ring, srs, sender, strlen(sender), -1, out, cap, len);
///     return status < 0 ? status : BACKSTOP_OK;
/// }
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_srs_new(
    domain: *const c_char,
    domain_len: usize,
    own: *const c_char,
    own_len: usize,
    options: *const backstop_srs_options,
    out: *mut *mut backstop_srs,
) -> i32 {
    gate(|| {
        let out = Place::new(out)?;
        // SAFETY: the caller keeps the rules of the manual.
        let (domain, own, options) =
            unsafe { (text(domain, domain_len)?, text(own, own_len)?, Grown::new(options, &PUBLISHED)?.get(CLASSIC)) };
        let word = |octets| std::str::from_utf8(octets).map_err(|_| BACKSTOP_ERR_DOMAIN);
        let forwarder = word(domain)?.to_owned();
        let own = srs::own_forwarders(&forwarder, word(own)?).map_err(|error| failed(&error))?;
        let srs = backstop_srs { forwarder, own, dialect: options.dialect()? };
        // SAFETY: as above.
        unsafe { out.put(Box::into_raw(Box::new(srs))) };
        Ok(BACKSTOP_OK)
    })
}

/// Frees a forwarder; no other thread may be using it. NULL is passed over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_srs_free(srs: *mut backstop_srs) {
    gate(|| {
        let srs = known(srs)?;
        // SAFETY: by the rules of the manual it is live and came from `Box::into_raw`.
        drop(unsafe { Box::from_raw(srs.as_ptr()) });
        Ok(BACKSTOP_OK)
    });
}

/// Rewrites the envelope sender of forwarded mail into the forwarder's domain: SRS0, or SRS1 if it is SRS already.
///
/// BACKSTOP_OK: `out` has the new sender, of at most 254 octets. BACKSTOP_UNSIGNED_*: the address is to stay as it is
/// and was copied to `out`, as with backstop_sign. Whether the mail is forwarded at all is for the caller to know.
/// Nothing is allocated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_srs_forward(
    ring: *const backstop_keyring,
    srs: *const backstop_srs,
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
        let (ring, srs, address) = unsafe { (object(ring)?, object(srs)?, text(address, len)?) };
        let signed = srs::forward(&ring.0, address, &srs.forwarder, &srs.own, &srs.dialect, day(now)?);
        // SAFETY: as above.
        unsafe { put_signed(&signed, address, out) }
    })
}

/// Tells what the recipient of a bounce to a forwarder is; if genuine, `mailbox` is the sender to whom it returns.
///
/// An address without SRS is BACKSTOP_UNTAGGED, one at a host that is no own forwarder BACKSTOP_FOREIGN. A result in an
/// own domain is a recipient to verify in its turn. Let only bounces in by it, from the null sender, or it is an open
/// relay for those who saw it. Nothing is allocated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_srs_reverse(
    ring: *const backstop_keyring,
    srs: *const backstop_srs,
    address: *const c_char,
    len: usize,
    now: i64,
    out: *mut backstop_verdict,
) -> i32 {
    gate(|| {
        // SAFETY: the caller keeps the rules of the manual.
        let (ring, srs, address, out) =
            unsafe { (object(ring)?, object(srs)?, text(address, len)?, backstop_verdict::place(out)?) };
        let verdict = srs::reverse(&ring.0, address, &srs.own, &srs.dialect, day(now)?);
        let verdict = verdict.map_err(|error| failed(&error))?;
        // SAFETY: as above.
        unsafe { backstop_verdict::put(out, &verdict, address) };
        Ok(BACKSTOP_OK)
    })
}
