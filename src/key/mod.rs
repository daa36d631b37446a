//! Keys and the ring that holds them.
//!
//! A key serves one use, says how long its tags live, between which days it signs, and for which domains. A [`KeyRing`]
//! is read from text (`text.rs` has the grammar), keeps that text to the letter, and is changed only as a whole: every
//! edit (`edit.rs`) makes a new ring. It answers two questions: which key signs for this domain today, and which key
//! may have made this tag.

mod check;
mod edit;
mod text;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use zeroize::Zeroizing;

use crate::day::Day;
use crate::domains::{Domains, Fit};
use crate::error::Error;
use crate::mac::{self, Keyed, Mac};
use crate::verdict::Unsigned;

pub use self::check::Finding;
pub use self::edit::NewKey;
#[cfg(feature = "std")]
pub(crate) use self::text::MAX_TEXT;

/// The most days past their last one for which a policy may take tags: `expired-grace`.
pub(crate) const MAX_GRACE: u16 = 99;

/// What a key's tags mark; a tag of one use never passes as one of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Use {
    /// BATV sender tags of the draft: `prvs=KDDDSSSSSS=`.
    Prvs,
    /// backstop's own stronger sender tags: `bst1=`.
    Bst1,
    /// Senders of forwarded mail: `SRS0=` and `SRS1=`.
    Srs,
    /// Marks inside the message: a header or the Message-ID.
    Mark,
}

impl Use {
    /// All uses, in the order of the documentation.
    pub const ALL: &'static [Use] = &[Use::Prvs, Use::Bst1, Use::Srs, Use::Mark];

    /// The word in the key ring.
    pub const fn as_str(self) -> &'static str {
        match self {
            Use::Prvs => "prvs",
            Use::Bst1 => "bst1",
            Use::Srs => "srs",
            Use::Mark => "mark",
        }
    }

    /// The most days that a tag of this use may live.
    pub const fn max_days(self) -> u16 {
        match self {
            Use::Srs => 500,
            Use::Prvs | Use::Bst1 | Use::Mark => 99,
        }
    }

    /// The characters that may name a key of this use.
    pub const fn ids(self) -> &'static [u8] {
        match self {
            Use::Prvs | Use::Srs => b"0123456789",
            Use::Bst1 | Use::Mark => b"abcdefghijklmnopqrstuvwxyz234567",
        }
    }

    /// The MAC of a new key of which nothing else is said; a use that takes only one takes this one.
    pub const fn default_mac(self) -> Mac {
        match self {
            Use::Srs => Mac::Sha1,
            Use::Prvs | Use::Bst1 | Use::Mark => Mac::Sha256,
        }
    }

    /// For how many days the tags of a new key live of which nothing else is said.
    pub const fn default_days(self) -> u16 {
        match self {
            Use::Prvs | Use::Bst1 => 10,
            Use::Srs => 21,
            Use::Mark => 14,
        }
    }

    /// Whether a key of this use may carry this MAC.
    pub const fn takes(self, mac: Mac) -> bool {
        matches!((self, mac), (Use::Prvs, _) | (Use::Srs, Mac::Sha1) | (Use::Bst1 | Use::Mark, Mac::Sha256))
    }
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The character that names a key on the wire: a digit (prvs, srs) or one of `a-z2-7` (bst1, mark).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub(crate) u8);

impl KeyId {
    /// The id with this character.
    ///
    /// # Errors
    /// [`Error::Edit`] for a character that names no key of this use.
    pub fn new(usage: Use, id: char) -> Result<KeyId, Error> {
        let known = usage.ids().iter().find(|&&known| known as char == id);
        known.map(|&id| KeyId(id)).ok_or_else(|| {
            let what = if usage.ids().len() == 10 { "a digit" } else { "one of a-z2-7" };
            Error::Edit(alloc::format!("the id of a {usage} key must be {what}"))
        })
    }

    /// The character.
    pub const fn as_char(self) -> char {
        self.0 as char
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Write::write_char(f, self.as_char())
    }
}

/// The octets of a key; wiped when dropped, never shown.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl PartialEq for Secret {
    fn eq(&self, other: &Secret) -> bool {
        mac::equal_secrets(&self.0, &other.0)
    }
}

impl Eq for Secret {}

impl Secret {
    /// The most octets that a secret may have.
    pub const MAX: usize = 1024;

    /// A secret with fewer octets than this is short: one tag may be enough to guess it at leisure. It is taken, and
    /// [`KeyRing::check`] says that it is due.
    pub const SHORT: usize = 16;

    /// Takes 1 to [`Secret::MAX`] octets; 32 random ones are what `key new` makes.
    ///
    /// # Errors
    /// [`Error::Range`] for none or too many.
    pub fn new(octets: &[u8]) -> Result<Secret, Error> {
        if octets.is_empty() || octets.len() > Secret::MAX {
            return Err(Error::Range { name: "the length of a secret", low: 1, high: Secret::MAX });
        }
        Ok(Secret(Zeroizing::new(octets.to_vec())))
    }

    pub(crate) fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// One line of a key ring, ready for use.
#[derive(Clone)]
pub struct Key {
    pub(crate) usage: Use,
    pub(crate) id: KeyId,
    pub(crate) mac: Mac,
    pub(crate) days: u16,
    pub(crate) from: Option<Day>,
    pub(crate) until: Option<Day>,
    pub(crate) domains: Domains,
    pub(crate) keyed: Keyed,
    pub(crate) secret_len: usize,
    fingerprint: [u8; 32],
    /// Index of the line in the text.
    line: usize,
}

impl Key {
    /// What its tags mark.
    pub const fn usage(&self) -> Use {
        self.usage
    }

    /// The character that names it.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// Its hash.
    pub const fn mac(&self) -> Mac {
        self.mac
    }

    /// How many days its tags live; for srs the greatest age.
    pub const fn days(&self) -> u16 {
        self.days
    }

    /// The first day on which it signs; `None` is open.
    pub const fn from(&self) -> Option<Day> {
        self.from
    }

    /// The last day on which it signs; `None` is open.
    pub const fn until(&self) -> Option<Day> {
        self.until
    }

    /// The domains for which it signs.
    pub const fn domains(&self) -> &Domains {
        &self.domains
    }

    /// The line of the ring's text on which it stands, counted from 1.
    pub const fn line(&self) -> usize {
        self.line + 1
    }

    /// How many octets its secret has.
    pub const fn secret_len(&self) -> usize {
        self.secret_len
    }

    /// Eight characters by which two hosts can tell whether they hold the same key with the same settings.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.fingerprint)
    }

    /// How closely the domain fits a key of this use; `None` if this is none or does not serve it.
    #[inline(always)]
    fn fit(&self, usage: Use, domain: &[u8]) -> Option<Fit> {
        if self.usage == usage { self.domains.fit(domain) } else { None }
    }

    /// Whether it signs on this day.
    pub fn signs_on(&self, day: Day) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day <= until)
    }

    /// Whether a tag signed on this day may be its own: the window with a skew day at each end.
    pub(crate) fn window_holds(&self, day: Day) -> bool {
        self.from.is_none_or(|from| from <= day.plus(1)) && self.until.is_none_or(|until| day <= until.plus(1))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({} {} {})", self.usage, self.id, self.fingerprint())
    }
}

/// Eight characters that stand for a key or a ring and tell nothing of a secret that cannot be guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 8]);

impl Fingerprint {
    fn of(digest: &[u8; 32]) -> Fingerprint {
        let mut text = [0; 8];
        for (to, from) in text.iter_mut().zip(crate::encode::base32_of_ten(mac::prefix(digest))) {
            *to = from;
        }
        Fingerprint(text)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&octet| fmt::Write::write_char(f, octet as char))
    }
}

/// All keys of a site, in the order of their text.
///
/// ```
/// use backstop::{Day, KeyRing, Use};
/// let ring = KeyRing::parse(b"version 1\nprvs 4 sha256 10 2026-11-21 - example.com text:not so secret\n")?;
/// assert_eq!(ring.keys()[0].id().as_char(), '4');
/// assert_eq!(ring.keys()[0].usage(), Use::Prvs);
/// let error = KeyRing::parse(b"version 1\nprvs x sha256 10 - - * text:a\n").unwrap_err();
/// assert_eq!(error.to_string(), "line 2 of the key ring: column 2 (id) must be a digit for prvs");
/// # Ok::<(), backstop::Error>(())
/// ```
#[derive(Clone)]
pub struct KeyRing {
    text: Zeroizing<String>,
    keys: Vec<Key>,
    /// From the first to the last key of each use, in the order of [`Use::ALL`].
    spans: [Range<usize>; Use::ALL.len()],
}

impl KeyRing {
    fn new(text: &str, keys: Vec<Key>) -> KeyRing {
        let spans = core::array::from_fn(|at| {
            let is_of = |key: &Key| Some(&key.usage) == Use::ALL.get(at);
            let first = keys.iter().position(is_of).unwrap_or(keys.len());
            let end = keys.iter().rposition(is_of).map_or(first, |last| last + 1);
            first..end
        });
        KeyRing { text: Zeroizing::new(text.into()), keys, spans }
    }

    /// Reads the text form.
    ///
    /// ```text
    /// ring   = *(comment EOL) "version" WS "1" EOL *(line EOL)
    /// line   = comment / blank / use WS id WS mac WS days WS from WS until WS domains WS secret
    /// comment= "#" anything
    /// use    = "prvs" / "bst1" / "srs" / "mark"       id     = one character
    /// mac    = "sha1" / "sha256"                      days   = 1..99, srs 1..500
    /// from   = "-" / YYYY-MM-DD                       until  = the same, not before from
    /// secret = "text:" the rest of the line / ("hex:" / "base32:" / "base64:") encoded
    /// EOL    = LF / CRLF                              WS     = 1*(blank / tab)
    /// ```
    ///
    /// [`Use`], [`KeyId`], [`Mac`] and [`Domains`] say what `use`, `id`, `mac` and `domains` may be. A last line without its
    /// end is refused: a secret that was cut off would make a ring all the same, with wrong tags. For the same reason base32
    /// and base64 are taken only as they are written: unused bits zero, no `=` or all of them. A ring may have 1 MiB, 1000
    /// keys and 10,000 domain patterns.
    ///
    /// # Errors
    /// [`Error::Ring`] with the line and the remedy; never half a ring.
    pub fn parse(text: &[u8]) -> Result<KeyRing, Error> {
        text::parse(text)
    }

    /// The text as it was read or edited, comments and all. It holds the secrets.
    pub fn as_text(&self) -> &str {
        &self.text
    }

    /// The keys, in the order of the text.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// Eight characters by which two hosts can tell whether they hold the same keys in the same order.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&mac::fingerprint_of_all(self.keys.iter().map(|key| &key.fingerprint)))
    }

    /// The keys of one use, and perhaps others between them.
    #[inline(always)]
    fn span(&self, usage: Use) -> &[Key] {
        let [prvs, bst1, srs, mark] = &self.spans;
        let span = match usage {
            Use::Prvs => prvs,
            Use::Bst1 => bst1,
            Use::Srs => srs,
            Use::Mark => mark,
        };
        self.keys.get(span.clone()).unwrap_or_default()
    }

    /// The keys of one use whose domains hold this one, with how closely each fits.
    #[inline(always)]
    pub(crate) fn fitting<'r>(&'r self, usage: Use, domain: &[u8]) -> impl Iterator<Item = (Fit, &'r Key)> {
        self.span(usage).iter().filter_map(move |key| key.fit(usage, domain).map(|fit| (fit, key)))
    }

    /// The key that signs for this domain on this day: the closest domain, then the latest `from`, then the first.
    ///
    /// # Errors
    /// [`Unsigned::NotOwn`] where no key of the use names the domain, [`Unsigned::NoKey`] where none signs on that day.
    #[inline(always)]
    pub fn signing_key(&self, usage: Use, domain: &[u8], day: Day) -> Result<&Key, Unsigned> {
        let mut best: Option<(Fit, &Key)> = None;
        let mut reason = Unsigned::NotOwn;
        for key in self.span(usage) {
            let Some(fit) = key.fit(usage, domain) else { continue };
            reason = Unsigned::NoKey;
            if key.signs_on(day) && best.is_none_or(|(other, its)| (other, its.from) < (fit, key.from)) {
                best = Some((fit, key));
            }
        }
        best.map(|(_, key)| key).ok_or(reason)
    }

    /// The key that signs with prvs on this day, if it is the same for every domain and no key of bst1 goes before it.
    #[cfg(feature = "bulk")]
    pub(crate) fn only_prvs(&self, day: Day) -> Option<&Key> {
        let is_other = |key: &&Key| key.usage == Use::Bst1 || key.usage == Use::Prvs && !key.domains.is_all();
        match self.keys.iter().find(is_other) {
            Some(_) => None,
            None => self.signing_key(Use::Prvs, b"", day).ok(),
        }
    }

    /// The key of this use and id that serves the domain; a ring never holds two.
    #[inline(always)]
    pub(crate) fn key_by_id(&self, usage: Use, id: KeyId, domain: &[u8]) -> Option<&Key> {
        #[expect(clippy::manual_find, reason = "the closure of `find` would not be inlined")]
        for key in self.span(usage) {
            if key.id == id && key.fit(usage, domain).is_some() {
                return Some(key);
            }
        }
        None
    }

    /// Whether on each of these days some key of the use signed for the domain.
    pub(crate) fn covers(&self, usage: Use, domain: &[u8], first: Day, last: Day) -> bool {
        let mut day = first;
        loop {
            let signing = self.fitting(usage, domain).filter(|(_, key)| key.signs_on(day));
            match signing.map(|(_, key)| key.until.unwrap_or(Day::MAX)).max() {
                None => return false,
                Some(end) if end >= last => return true,
                Some(end) => day = end.plus(1),
            }
        }
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyRing").field(&self.keys).finish()
    }
}
