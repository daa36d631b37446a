//! Key rings: read from text or from a file, held by counted references, diagnosed in one sentence.

use std::ffi::{CStr, OsStr, c_char};
use std::path::Path;
use std::sync::Arc;

use backstop_core::keyfile::{self, Trust};
use backstop_core::{Error, KeyRing};

use crate::gate::{Buffer, Place, gate, known, object, text};
use crate::status::{BACKSTOP_OK, failed};

/// All keys of a site, ready for use. It never changes, so any number of threads may use one at a time.
pub struct backstop_keyring(pub(crate) KeyRing);

/// # Key rings
///
/// Reads the text of a key ring.
///
/// On BACKSTOP_OK `*out` is a reference for backstop_keyring_free. BACKSTOP_ERR_KEYRING: the text is none;
/// backstop_keyring_diagnose says why. A text begins with the line `version 1`; then each key has a line, with blanks
/// between its columns; each line ends in LF or CRLF, the last one too:
///
///     use (prvs, bst1, srs, mark)  id  mac (sha1, sha256)  days  from  until  domains  secret
///     prvs  4  sha256  10  2026-11-21  -  example.com,*.example.net  base32:MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U
///
/// The command `backstop key new` makes one; DESIGN.md of the sources has all rules.
///
/// @code
/// static int32_t ring_from_text(const char *text, backstop_keyring **ring)
/// {
///     char why[512];
///     size_t len, line;
///     int32_t status = backstop_keyring_parse(text, strlen(text), ring);
///     if (status != BACKSTOP_OK &&
///         backstop_keyring_diagnose(text, strlen(text), why, sizeof why, &len, &line) == BACKSTOP_OK)
///         fprintf(stderr, "%.*s\n", (int)len, why);
///     return status;
/// }
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_keyring_parse(
    text: *const c_char,
    len: usize,
    out: *mut *mut backstop_keyring,
) -> i32 {
    gate(|| {
        let out = Place::new(out)?;
        // SAFETY: the caller keeps the rules of the manual.
        let text = unsafe { self::text(text, len) }?;
        let ring = KeyRing::parse(text).map_err(|error| failed(&error))?;
        // SAFETY: as above.
        unsafe { out.put(handle(ring)) };
        Ok(BACKSTOP_OK)
    })
}

/// Reads the key ring in a file; `path` ends in NUL.
///
/// The file must be a regular one to which others have no access and which its group does not write (mode 0600 or
/// 0640). BACKSTOP_ERR_FILE: it cannot be read, others have access, or it holds no key ring;
/// backstop_keyring_diagnose_file says which. On BACKSTOP_OK `*out` is a reference for backstop_keyring_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_keyring_load(path: *const c_char, out: *mut *mut backstop_keyring) -> i32 {
    gate(|| {
        let out = Place::new(out)?;
        // SAFETY: the caller keeps the rules of the manual.
        let path = unsafe { self::path(path) }?;
        let loaded = keyfile::load(path, Trust::Private).map_err(|error| failed(&error))?;
        // SAFETY: as above.
        unsafe { out.put(handle(loaded.ring)) };
        Ok(BACKSTOP_OK)
    })
}

/// Takes one more reference to the same key ring, so that each holder frees its own; `*out` is `ring`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_keyring_ref(ring: *const backstop_keyring, out: *mut *mut backstop_keyring) -> i32 {
    gate(|| {
        let (ring, out) = (known(ring)?, Place::new(out)?);
        // SAFETY: by the rules of the manual `ring` is a live reference, all of which `handle` made from an `Arc`.
        unsafe {
            Arc::increment_strong_count(ring.as_ptr());
            out.put(ring.as_ptr());
        }
        Ok(BACKSTOP_OK)
    })
}

/// Gives a reference back; the last one wipes the secrets and frees the ring. NULL is passed over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_keyring_free(ring: *mut backstop_keyring) {
    gate(|| {
        let ring = known(ring)?;
        // SAFETY: by the rules of the manual this is a live reference, which `handle` made from an `Arc`.
        unsafe { Arc::decrement_strong_count(ring.as_ptr()) };
        Ok(BACKSTOP_OK)
    });
}

/// Says in one sentence why a text is no key ring, and on which line (from 1).
///
/// BACKSTOP_OK also if it is one: then the length and the line are 0. The sentence shows nothing of any secret.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_keyring_diagnose(
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
        let text = unsafe { self::text(text, len) }?;
        // SAFETY: as above.
        unsafe { diagnose(KeyRing::parse(text).map(drop), out, line) }
    })
}

/// Says in one sentence why backstop_keyring_load refuses a file; the length is 0 if it does not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_keyring_diagnose_file(
    path: *const c_char,
    buf: *mut c_char,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    gate(|| {
        // SAFETY: the caller keeps the rules of the manual.
        unsafe { diagnose_file(path, Buffer::new(buf, cap, out_len)?, |path| keyfile::load(path, Trust::Private)) }
    })
}

/// Eight characters by which two hosts can tell whether they hold the same keys in the same order. They tell nothing of
/// a secret that cannot be guessed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_keyring_fingerprint(
    ring: *const backstop_keyring,
    buf: *mut c_char,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    gate(|| {
        let out = Buffer::new(buf, cap, out_len)?;
        // SAFETY: the caller keeps the rules of the manual.
        unsafe {
            let fingerprint = object(ring)?.0.fingerprint().to_string();
            out.put(fingerprint.as_bytes())?;
        }
        Ok(BACKSTOP_OK)
    })
}

/// A reference as C holds it.
fn handle(ring: KeyRing) -> *mut backstop_keyring {
    lend(Arc::new(backstop_keyring(ring)))
}

/// Makes one reference of an `Arc` into one of C.
pub(crate) fn lend<T>(object: Arc<T>) -> *mut T {
    Arc::into_raw(object).cast_mut()
}

/// The sentence of the error with which a file is refused; no sentence if it is not.
///
/// # Safety
/// The path is null or ends in NUL, and the place can be written.
pub(crate) unsafe fn diagnose_file<T>(
    path: *const c_char,
    out: Buffer,
    read: impl FnOnce(&Path) -> Result<T, Error>,
) -> Result<i32, i32> {
    // SAFETY: the caller keeps it.
    let path = unsafe { self::path(path) }?;
    let sentence = read(path).err().map(|error| error.to_string()).unwrap_or_default();
    // SAFETY: as above.
    unsafe { out.put(sentence.as_bytes()) }?;
    Ok(BACKSTOP_OK)
}

/// The sentence and the line of an error; no sentence and line 0 without one.
///
/// # Safety
/// Both places can be written.
pub(crate) unsafe fn diagnose(read: Result<(), Error>, out: Buffer, line: Place<usize>) -> Result<i32, i32> {
    let (sentence, number) = match read {
        Ok(()) => (String::new(), 0),
        Err(error) => {
            let number = match error {
                Error::Ring { line, .. } | Error::Policy { line, .. } => line,
                _ => 0,
            };
            (error.to_string(), number)
        }
    };
    // SAFETY: promised by the caller.
    unsafe {
        out.put(sentence.as_bytes())?;
        line.put(number);
    }
    Ok(BACKSTOP_OK)
}

/// A path that ends in NUL.
///
/// # Safety
/// If not NULL, it ends in NUL and nobody writes to it while the result is in use.
pub(crate) unsafe fn path<'a>(path: *const c_char) -> Result<&'a Path, i32> {
    let path = known(path)?;
    // SAFETY: promised by the caller.
    named(unsafe { CStr::from_ptr(path.as_ptr()) }.to_bytes()).ok_or(crate::status::BACKSTOP_ERR_FILE)
}

/// The path that octets name.
pub(crate) fn named(octets: &[u8]) -> Option<&Path> {
    #[cfg(unix)]
    let name = Some(<OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(octets));
    #[cfg(not(unix))]
    let name = std::str::from_utf8(octets).ok().map(OsStr::new);
    name.map(Path::new)
}
