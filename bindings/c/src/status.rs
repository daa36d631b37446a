//! Versions, result codes and their texts.
//!
//! A number is never reused and never gets another meaning.

use std::ffi::{CStr, c_char};

use backstop_core::{Error, Unsigned};

/// # Result codes
///
/// Done: signed, rewritten, stripped, read; or a verdict or decision was given.
pub const BACKSTOP_OK: i32 = 0;

/// Unsigned: the null sender of a bounce is never signed and never rewritten.
pub const BACKSTOP_UNSIGNED_NULL: i32 = 1;
/// Unsigned: the address carries a tag or is rewritten already.
pub const BACKSTOP_UNSIGNED_ALREADY: i32 = 2;
/// Unsigned: no key of the ring names this domain.
pub const BACKSTOP_UNSIGNED_NOT_OWN: i32 = 3;
/// Unsigned: keys name this domain, but none signs on this day.
pub const BACKSTOP_UNSIGNED_NO_KEY: i32 = 4;
/// Unsigned: the result would break the length limits of RFC 5321.
pub const BACKSTOP_UNSIGNED_TOO_LONG: i32 = 5;
/// Unsigned (SRS): the sender lies in the forwarder's own domain and needs no rewriting.
pub const BACKSTOP_UNSIGNED_OWN_DOMAIN: i32 = 6;
/// Unsigned: the parts of the address could not be told apart on the way back.
pub const BACKSTOP_UNSIGNED_SHAPE: i32 = 7;

/// A pointer is NULL.
pub const BACKSTOP_ERR_NULL: i32 = -1;
/// A fault of the library itself; nothing was done. Please report it.
pub const BACKSTOP_ERR_INTERNAL: i32 = -2;
/// The buffer is too small; the length needed was written, and nothing else.
pub const BACKSTOP_ERR_TOO_SMALL: i32 = -3;
/// The `size` of a structure is none that was ever published; use its INIT macro.
pub const BACKSTOP_ERR_SIZE: i32 = -4;
/// A length is more than half of what size_t holds.
pub const BACKSTOP_ERR_LENGTH: i32 = -5;
/// The time is neither -1 nor between 1970 and the year 9999; give seconds, not milliseconds.
pub const BACKSTOP_ERR_TIME: i32 = -6;
/// The text is no address that SMTP could carry.
pub const BACKSTOP_ERR_ADDRESS: i32 = -7;
/// The null path is no recipient.
pub const BACKSTOP_ERR_NULL_RECIPIENT: i32 = -8;
/// The text is no key ring; backstop_keyring_diagnose says why.
pub const BACKSTOP_ERR_KEYRING: i32 = -9;
/// The key file cannot be read or trusted, or holds no key ring; backstop_keyring_diagnose_file says why, and
/// of a key store backstop_keystore_diagnose.
pub const BACKSTOP_ERR_FILE: i32 = -10;
/// The text is no policy; backstop_policy_diagnose says why.
pub const BACKSTOP_ERR_POLICY: i32 = -11;
/// The text is no domain, or no list of domains.
pub const BACKSTOP_ERR_DOMAIN: i32 = -12;
/// An option lies outside its range.
pub const BACKSTOP_ERR_OPTION: i32 = -13;
/// The left side of a Message-ID must be 1 to 700 letters, digits, dots and the like, without quotes.
pub const BACKSTOP_ERR_MESSAGE_ID: i32 = -14;
/// The text is no IP address.
pub const BACKSTOP_ERR_IP: i32 = -15;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// # Versions and result codes
///
/// The version of the library that is running, such as "0.1.0". Static, never NULL.
#[unsafe(no_mangle)]
pub const extern "C" fn backstop_version() -> *const c_char {
    c_text!(VERSION).as_ptr()
}

/// The version of the library that is running: major * 1000000 + minor * 1000 + patch, as BACKSTOP_VERSION_NUMBER.
#[unsafe(no_mangle)]
pub const extern "C" fn backstop_version_number() -> u32 {
    const NUMBER: u32 = number(env!("CARGO_PKG_VERSION_MAJOR")) * 1_000_000
        + number(env!("CARGO_PKG_VERSION_MINOR")) * 1_000
        + number(env!("CARGO_PKG_VERSION_PATCH"));
    NUMBER
}

const fn number(mut digits: &str) -> u32 {
    let mut sum = 0;
    while let Some((digit, rest)) = digits.as_bytes().split_first() {
        sum = sum * 10 + (*digit - b'0') as u32;
        digits = match core::str::from_utf8(rest) {
            Ok(rest) => rest,
            Err(_) => "",
        };
    }
    sum
}

/// One sentence for a result code. Static, never NULL, for any number.
#[unsafe(no_mangle)]
pub const extern "C" fn backstop_strerror(status: i32) -> *const c_char {
    text(status).as_ptr()
}

const fn text(status: i32) -> &'static CStr {
    match status {
        BACKSTOP_OK => c"Done.",
        BACKSTOP_UNSIGNED_NULL => c_text!(Unsigned::Null.sentence()),
        BACKSTOP_UNSIGNED_ALREADY => c_text!(Unsigned::Already.sentence()),
        BACKSTOP_UNSIGNED_NOT_OWN => c_text!(Unsigned::NotOwn.sentence()),
        BACKSTOP_UNSIGNED_NO_KEY => c_text!(Unsigned::NoKey.sentence()),
        BACKSTOP_UNSIGNED_TOO_LONG => c_text!(Unsigned::TooLong.sentence()),
        BACKSTOP_UNSIGNED_OWN_DOMAIN => c_text!(Unsigned::OwnDomain.sentence()),
        BACKSTOP_UNSIGNED_SHAPE => c_text!(Unsigned::Shape.sentence()),
        BACKSTOP_ERR_NULL => c"A pointer is NULL.",
        BACKSTOP_ERR_INTERNAL => c"The library has a fault and did nothing; please report it.",
        BACKSTOP_ERR_TOO_SMALL => c"The buffer is too small for the result.",
        BACKSTOP_ERR_SIZE => c"The size of a structure is none that was ever published; use its INIT macro.",
        BACKSTOP_ERR_LENGTH => c"A length is more than half of what size_t holds.",
        BACKSTOP_ERR_TIME => c"The time is not between 1970 and 9999; give unix seconds, not milliseconds.",
        BACKSTOP_ERR_ADDRESS => c"The text is no address that SMTP could carry.",
        BACKSTOP_ERR_NULL_RECIPIENT => c"The null path `<>` is no recipient.",
        BACKSTOP_ERR_KEYRING => c"The text is no key ring; backstop_keyring_diagnose says why.",
        BACKSTOP_ERR_FILE => {
            c"The key file cannot be used; backstop_keyring_diagnose_file or backstop_keystore_diagnose says why."
        }
        BACKSTOP_ERR_POLICY => c"The text is no policy; backstop_policy_diagnose says why.",
        BACKSTOP_ERR_DOMAIN => c"The text is no domain, or no list of domains.",
        BACKSTOP_ERR_OPTION => c"An option lies outside its range.",
        BACKSTOP_ERR_MESSAGE_ID => {
            c"The left side of a Message-ID must be 1 to 700 letters, digits, dots and the like, without quotes."
        }
        BACKSTOP_ERR_IP => c"The text is no IP address.",
        _ => c"This number is no result of this version of backstop.",
    }
}

/// The code of an error of the core.
pub(crate) fn failed(error: &Error) -> i32 {
    match error {
        Error::Address { .. } => BACKSTOP_ERR_ADDRESS,
        Error::NullRecipient => BACKSTOP_ERR_NULL_RECIPIENT,
        Error::Time(_) => BACKSTOP_ERR_TIME,
        Error::Ring { .. } => BACKSTOP_ERR_KEYRING,
        Error::File { .. } => BACKSTOP_ERR_FILE,
        Error::Policy { .. } => BACKSTOP_ERR_POLICY,
        Error::Pattern { .. } => BACKSTOP_ERR_DOMAIN,
        Error::Separator | Error::Range { .. } => BACKSTOP_ERR_OPTION,
        Error::MessageId => BACKSTOP_ERR_MESSAGE_ID,
        _ => BACKSTOP_ERR_INTERNAL,
    }
}

/// The code of an address that was left as it was.
pub(crate) const fn unsigned(reason: Unsigned) -> i32 {
    match reason {
        Unsigned::Null => BACKSTOP_UNSIGNED_NULL,
        Unsigned::Already => BACKSTOP_UNSIGNED_ALREADY,
        Unsigned::NotOwn => BACKSTOP_UNSIGNED_NOT_OWN,
        Unsigned::NoKey => BACKSTOP_UNSIGNED_NO_KEY,
        Unsigned::TooLong => BACKSTOP_UNSIGNED_TOO_LONG,
        Unsigned::OwnDomain => BACKSTOP_UNSIGNED_OWN_DOMAIN,
        Unsigned::Shape => BACKSTOP_UNSIGNED_SHAPE,
    }
}
