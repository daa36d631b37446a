//! Sets of domains as key rings and policies write them.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::address::check_domain;
use crate::error::Error;

/// How closely a pattern fits: exact beats a longer `*.suffix` beats a shorter one beats `*`.
pub(crate) type Fit = usize;
const EXACT: Fit = usize::MAX;
/// That of `*`.
pub(crate) const ALL: Fit = 0;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    All,
    /// The suffix with its leading dot.
    Below(Box<[u8]>),
    Exact(Box<[u8]>),
}

impl Pattern {
    #[inline(always)]
    fn fit(&self, domain: &[u8]) -> Option<Fit> {
        match self {
            Pattern::All => Some(ALL),
            Pattern::Exact(own) => is_same(own, domain).then_some(EXACT),
            Pattern::Below(suffix) => {
                let start = domain.len().checked_sub(suffix.len()).filter(|&start| start > 0)?;
                is_same(domain.get(start..)?, suffix).then_some(suffix.len())
            }
        }
    }

    /// Whether every domain that fits `other` fits this pattern.
    fn covers(&self, other: &Pattern) -> bool {
        match (self, other) {
            (Pattern::All, _) => true,
            (_, Pattern::All) => false,
            (own, Pattern::Exact(domain)) => own.fit(domain).is_some(),
            (Pattern::Below(own), Pattern::Below(suffix)) => {
                own.eq_ignore_ascii_case(suffix) || self.fit(suffix).is_some()
            }
            (Pattern::Exact(_), Pattern::Below(_)) => false,
        }
    }
}

/// The same bytes, which they mostly are, or but for ASCII case.
#[inline(always)]
fn is_same(left: &[u8], right: &[u8]) -> bool {
    left == right || left.eq_ignore_ascii_case(right)
}

/// A set of domains.
///
/// ```text
/// set     = pattern *("," pattern)
/// pattern = ["!"] ( "*" / "*.example.net" / "example.com" / "[192.0.2.1]" )
/// ```
///
/// `*` is every domain, `*.example.net` every domain below example.net but not itself, `!` takes away again, wherever it
/// stands in the list; a list must leave something. ASCII case does not matter; U-labels and A-labels are different
/// spellings and do not match.
///
/// ```
/// use backstop::Domains;
/// let set = Domains::parse("example.com,*.example.net,!lists.example.net")?;
/// assert!(set.contains(b"Example.COM") && set.contains(b"a.b.example.net"));
/// assert!(!set.contains(b"example.net") && !set.contains(b"lists.example.net"));
/// # Ok::<(), backstop::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domains {
    text: String,
    fits: Box<[Pattern]>,
    except: Box<[Pattern]>,
}

impl Domains {
    /// Every domain: `*`.
    pub fn all() -> Domains {
        Domains { text: "*".to_string(), fits: Box::new([Pattern::All]), except: Box::new([]) }
    }

    /// Reads a list of patterns separated by commas.
    ///
    /// # Errors
    /// [`Error::Pattern`] with the position of the pattern, counted from 1.
    pub fn parse(text: &str) -> Result<Domains, Error> {
        let (mut fits, mut except) = (Vec::new(), Vec::new());
        for (index, word) in text.split(',').enumerate() {
            let (list, word) = match word.strip_prefix('!') {
                Some(word) => (&mut except, word),
                None => (&mut fits, word),
            };
            list.push(pattern(word).map_err(|problem| Error::Pattern { position: index + 1, problem })?);
        }
        if fits.is_empty() {
            let problem = "the list only takes away; put `*` or a domain before it";
            return Err(Error::Pattern { position: 1, problem });
        }
        if fits.iter().all(|fit: &Pattern| except.iter().any(|except: &Pattern| except.covers(fit))) {
            let problem = "the list takes away all that it gives; leave out a pattern with `!`";
            return Err(Error::Pattern { position: 1, problem });
        }
        Ok(Domains { text: text.to_string(), fits: fits.into(), except: except.into() })
    }

    /// Whether a domain or address literal lies in the set.
    #[inline(always)]
    pub fn contains(&self, domain: &[u8]) -> bool {
        self.fit(domain).is_some()
    }

    /// Just these domains or address literals, perhaps none; written are those that are text.
    pub(crate) fn exactly(domains: &[&[u8]]) -> Domains {
        let texts: Vec<_> = domains.iter().filter_map(|domain| core::str::from_utf8(domain).ok()).collect();
        let fits = domains.iter().map(|domain| Pattern::Exact((*domain).into())).collect();
        Domains { text: texts.join(","), fits, except: Box::new([]) }
    }

    /// Whether it is plainly every domain.
    #[cfg(feature = "bulk")]
    pub(crate) fn is_all(&self) -> bool {
        matches!((&*self.fits, &*self.except), ([Pattern::All], []))
    }

    /// How closely a domain fits; `None` if it is not in the set.
    #[inline(always)]
    pub(crate) fn fit(&self, domain: &[u8]) -> Option<Fit> {
        // What most keys say.
        if let ([Pattern::All], []) = (&*self.fits, &*self.except) {
            return Some(ALL);
        }
        self.closest(domain)
    }

    #[inline(never)]
    fn closest(&self, domain: &[u8]) -> Option<Fit> {
        let mut best = None;
        for pattern in &self.fits {
            best = best.max(pattern.fit(domain));
        }
        for pattern in &self.except {
            if pattern.fit(domain).is_some() {
                return None;
            }
        }
        best
    }

    /// How many patterns the list has.
    pub(crate) const fn len(&self) -> usize {
        self.fits.len() + self.except.len()
    }

    /// Whether some domain may lie in both sets.
    pub(crate) fn overlaps(&self, other: &Domains) -> bool {
        let is_left = |common: &&Pattern| !self.except.iter().chain(&other.except).any(|except| except.covers(common));
        let (own, theirs): (Vec<_>, Vec<_>) =
            (self.fits.iter().filter(is_left).collect(), other.fits.iter().filter(is_left).collect());
        theirs.iter().any(|pattern| self.fits.iter().any(|wide| wide.covers(pattern)))
            || own.iter().any(|pattern| other.fits.iter().any(|wide| wide.covers(pattern)))
    }

    /// Whether a pattern stands in both lists, so that they fit some domain equally closely.
    pub(crate) fn shares_a_pattern(&self, other: &Domains) -> bool {
        let same = |own: &Pattern, theirs: &Pattern| own.covers(theirs) && theirs.covers(own);
        self.fits.iter().any(|own| other.fits.iter().any(|theirs| same(own, theirs)))
    }

    /// Whether every domain of `other` surely lies in this set.
    pub fn covers(&self, other: &Domains) -> bool {
        other.fits.iter().all(|theirs| self.fits.iter().any(|own| own.covers(theirs)))
            && self.except.iter().all(|own| {
                other.except.iter().any(|theirs| theirs.covers(own))
                    || other.fits.iter().all(|theirs| !own.covers(theirs) && !theirs.covers(own))
            })
    }

    /// Each pattern that gives, and the set that it is without what the list takes away of it; not those that are taken away
    /// as a whole.
    ///
    /// ```
    /// # use backstop::Domains;
    /// let set = Domains::parse("*.example.net,example.org,!lists.example.net,!example.org")?;
    /// let parts: Vec<_> = set.parts().map(|(pattern, part)| (pattern, part.to_string())).collect();
    /// assert_eq!(parts, [("*.example.net", "*.example.net,!lists.example.net".to_owned())]);
    /// # Ok::<(), backstop::Error>(())
    /// ```
    pub fn parts(&self) -> impl Iterator<Item = (&str, Domains)> {
        let words = self.text.split(',');
        let read = words.filter_map(|word| Some((word, pattern(word.strip_prefix('!').unwrap_or(word)).ok()?)));
        let (except, fits): (Vec<_>, Vec<_>) = read.partition(|(word, _)| word.starts_with('!'));
        fits.into_iter().filter_map(move |(word, fit)| {
            // With all of them a long list would be gone through for each of its exceptions once more.
            let of_it = except.iter().filter(|(_, except)| fit.covers(except) || except.covers(&fit));
            let part: Vec<&str> = core::iter::once(word).chain(of_it.map(|(word, _)| *word)).collect();
            Some((word, Domains::parse(&part.join(",")).ok()?))
        })
    }

    /// The list as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Domains {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn pattern(word: &str) -> Result<Pattern, &'static str> {
    if word == "*" {
        return Ok(Pattern::All);
    }
    let (domain, below) = match word.strip_prefix("*.") {
        Some(suffix) => (suffix, true),
        None => (word, false),
    };
    if check_domain(domain.as_bytes(), 0).is_err() || (below && domain.starts_with('[')) {
        return Err("this is no domain; write example.com, *.example.net, !lists.example.net or *");
    }
    Ok(if below {
        Pattern::Below([b".", domain.as_bytes()].concat().into())
    } else {
        Pattern::Exact(domain.as_bytes().into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> Domains {
        Domains::parse(text).unwrap()
    }

    #[test]
    fn the_closest_pattern_fits() {
        let all = set("*,*.net,*.example.net,a.example.net");
        let fits =
            ["com", "net", "b.net", "example.net", "b.example.net", "a.example.net"].map(|d| all.fit(d.as_bytes()));
        assert_eq!(fits, [Some(0), Some(0), Some(4), Some(4), Some(12), Some(EXACT)]);
        assert_eq!(set("*.example.net").fit(b".example.net"), None);
        assert_eq!(set("[192.0.2.1]").fit(b"[192.0.2.1]"), Some(EXACT));
    }

    #[test]
    fn what_is_taken_away_stays_away() {
        let some = set("!lists.example.net,*.example.net,!*.old.example.net");
        assert!(some.contains(b"a.example.net") && some.contains(b"old.example.net"));
        assert!(!some.contains(b"LISTS.example.net") && !some.contains(b"x.old.example.net"));
    }

    #[test]
    fn sets_overlap_only_where_a_domain_fits_both() {
        for (left, right, expected) in [
            ("*", "example.com", true),
            ("*,!example.com", "example.com", false),
            ("*.example.com", "example.com", false),
            ("*.example.com", "*.a.example.com", true),
            ("*.example.com,!*.a.example.com", "*.a.example.com", false),
            ("*.example.com", "Mail.Example.Com", true),
            ("a.example,b.example", "c.example,b.example", true),
            ("a.example", "b.example", false),
            ("*.b.example", "c.example,*.a.b.example,!*.a.b.example", false),
        ] {
            assert_eq!(set(left).overlaps(&set(right)), expected, "{left} {right}");
            assert_eq!(set(right).overlaps(&set(left)), expected, "{right} {left}");
        }
    }

    #[test]
    fn sets_as_large_as_a_ring_may_have_are_compared_in_the_time_of_their_product() {
        let list = |before: &str, domain: &str| {
            let words: Vec<_> = (0..1500).map(|number| alloc::format!("{before}{domain}{number}.example")).collect();
            words.join(",")
        };
        // With each pair looked up among the exceptions this would take minutes.
        let left = set(&alloc::format!("{},{},z.example", ["*"; 1500].join(","), list("!", "d")));
        let right = set(&alloc::format!("{},{},*.y.example", list("", "d"), list("!", "e")));
        assert!(left.overlaps(&right) && !left.overlaps(&set(&list("", "d"))));
    }

    #[test]
    fn a_pattern_is_shared_only_where_both_lists_have_it() {
        for (left, right, expected) in [
            ("*.a.example,b.example", "c.example,B.example", true),
            ("*.a.example", "*.a.example,!x.a.example", true),
            ("*", "a.example", false),
            ("x.a.example", "*.a.example", false),
        ] {
            assert_eq!(set(left).shares_a_pattern(&set(right)), expected, "{left} {right}");
            assert_eq!(set(right).shares_a_pattern(&set(left)), expected, "{right} {left}");
        }
    }

    #[test]
    fn covering_is_on_the_safe_side() {
        for (left, right, expected) in [
            ("*", "example.com,*.example.net", true),
            ("*,!a.example", "b.example", true),
            ("*,!a.example", "a.example", false),
            ("*,!a.example", "*,!a.example", true),
            ("*.example", "a.example", true),
            ("a.example", "*", false),
            ("*,!*.a.example", "x.a.example", false),
        ] {
            assert_eq!(set(left).covers(&set(right)), expected, "{left} {right}");
        }
    }

    #[test]
    fn a_list_counts_what_is_taken_away_and_prints_as_it_was_written() {
        let list = set("*,!a.example,!b.example");
        assert_eq!((list.len(), alloc::format!("{list}").as_str()), (3, "*,!a.example,!b.example"));
    }

    #[test]
    fn what_is_no_pattern_is_refused_with_its_position() {
        for (text, position) in [
            ("", 1),
            ("a.example,", 2),
            ("a.example,b..c", 2),
            ("*a.example", 1),
            ("!", 1),
            ("!a.example", 1),
            ("*,!*", 1),
            ("a.example,*.b.example,!*.example", 1),
            ("*.[192.0.2.1]", 1),
            ("a b", 1),
        ] {
            let Err(Error::Pattern { position: found, .. }) = Domains::parse(text) else { panic!("{text}") };
            assert_eq!(found, position, "{text}");
        }
    }
}
