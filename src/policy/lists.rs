//! The lists of a policy: which addresses, which networks.
//!
//! ```text
//! address = local / [local] "@" set      set: domains as in `domains.rs`, e.g. example.com,*.example.net,!lists.example.net
//! network = ip ["/" prefix]              no bits may be set behind the prefix
//! ```
//!
//! A bare `local` stands for that local part at every domain and holds no dot, so that a domain written without its `@`
//! is refused instead of never matching. ASCII case and needless quotes do not matter; sub-addresses are other addresses.

use alloc::boxed::Box;
#[cfg(feature = "policy-file")]
use alloc::string::String;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::address::{Mailbox, Path};
use crate::domains::Domains;
use crate::error::Error;

/// A set of mailboxes.
///
/// ```
/// use backstop::policy::Addresses;
/// let list = Addresses::parse(["postmaster", "news@example.com", "@*.example.net"])?;
/// assert!(list.contains(b"Postmaster@example.org") && list.contains(b"anyone@a.example.net"));
/// assert!(!list.contains(b"news@example.org"));
/// assert_eq!(Addresses::parse(["example.com"]).unwrap_err().to_string(),
///     "`example.com` has no `@`; write @example.com for a domain, local@* for a local part");
/// # Ok::<(), backstop::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addresses(Vec<Pattern>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    /// Without its quotes; `None` is any.
    local: Option<Box<[u8]>>,
    domains: Domains,
}

impl Addresses {
    /// Reads entries such as `postmaster`, `news@example.com`, `news@*` and `@*.example.net`.
    ///
    /// # Errors
    /// [`Error::Entry`] for the first that is none of these.
    pub fn parse<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<Addresses, Error> {
        let mut list = Addresses::default();
        entries.into_iter().try_for_each(|entry| list.push(entry))?;
        Ok(list)
    }

    pub(super) fn push(&mut self, entry: &str) -> Result<(), Error> {
        let fault = |problem| Error::Entry { entry: entry.to_string(), problem };
        if entry == "<>" {
            return Err(fault("is the null sender, which no list can hold; leave it out"));
        }
        let (local, domains) = match entry.rsplit_once('@') {
            None if entry.contains(['.', '*']) => {
                return Err(fault("has no `@`; write @example.com for a domain, local@* for a local part"));
            }
            None => (entry, Domains::all()),
            Some((local, set)) => {
                (local, Domains::parse(set).map_err(|_| fault("has no domain or set of domains behind its `@`"))?)
            }
        };
        let content = match local.as_bytes() {
            [b'"', inner @ .., b'"'] => inner,
            bare if bare.iter().all(|&octet| crate::address::is_bare(octet)) => bare,
            _ => return Err(fault("has a local part that needs quotes")),
        };
        if entry.is_empty() {
            return Err(fault("is empty"));
        }
        let is_local = || Path::parse_tagged(&[local.as_bytes(), b"@a"].concat()).is_ok();
        if !local.is_empty() && !is_local() {
            return Err(fault("has a local part that no address can have"));
        }
        self.0.push(Pattern { local: (!local.is_empty()).then(|| content.into()), domains });
        Ok(())
    }

    /// Whether nothing is on the list.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entries, as [`Addresses::parse`] reads them.
    #[cfg(feature = "policy-file")]
    pub(super) fn entries(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|Pattern { local, domains }| {
            let local = local.as_deref().map(|local| match local.iter().all(|&octet| crate::address::is_bare(octet)) {
                true if !local.is_empty() => String::from_utf8_lossy(local).into_owned(),
                _ => alloc::format!("\"{}\"", String::from_utf8_lossy(local)),
            });
            [local.unwrap_or_default().as_str(), "@", domains.as_str()].concat()
        })
    }

    /// Whether an address, with or without `<>`, is on the list; what is no mailbox never is.
    pub fn contains(&self, address: &[u8]) -> bool {
        Path::parse_tagged(address).ok().and_then(Path::mailbox).is_some_and(|it| self.holds(it))
    }

    pub(super) fn holds(&self, mailbox: Mailbox<'_>) -> bool {
        let fits = |local: &[u8]| local.eq_ignore_ascii_case(mailbox.content());
        let mut patterns = self.0.iter();
        patterns.any(|it| it.local.as_deref().is_none_or(fits) && it.domains.contains(mailbox.domain()))
    }
}

/// A set of IP networks.
///
/// ```
/// use backstop::policy::Networks;
/// let own = Networks::parse(["192.0.2.0/24", "2001:db8::/32", "198.51.100.7"])?;
/// assert!(own.contains("192.0.2.9".parse().unwrap()) && own.contains("::ffff:198.51.100.7".parse().unwrap()));
/// assert!(!own.contains("198.51.100.8".parse().unwrap()));
/// # Ok::<(), backstop::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<(IpAddr, u32)>);

impl Networks {
    /// Reads addresses and networks; an IPv4 address mapped into IPv6 counts as IPv4.
    ///
    /// # Errors
    /// [`Error::Entry`] for the first that is neither, or has bits set behind its prefix.
    pub fn parse<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<Networks, Error> {
        let mut list = Networks::default();
        entries.into_iter().try_for_each(|entry| list.push(entry))?;
        Ok(list)
    }

    pub(super) fn push(&mut self, entry: &str) -> Result<(), Error> {
        let fault = |problem| Error::Entry { entry: entry.to_string(), problem };
        let (ip, prefix) = match entry.split_once('/') {
            None => (entry, None),
            Some((ip, prefix)) => (ip, Some(prefix)),
        };
        let ip: IpAddr = ip
            .parse()
            .map_err(|_| fault("is no IP address or network; write 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32"))?;
        let width = |ip: IpAddr| if ip.is_ipv4() { 32 } else { 128 };
        let (ip, prefix) = match prefix {
            None => (ip.to_canonical(), Some(width(ip.to_canonical()))),
            Some(_) if ip.to_canonical() != ip => return Err(fault("is an IPv4 network in IPv6; write it as IPv4")),
            Some(text) => (ip, text.parse().ok().filter(|it: &u32| *it <= width(ip) && it.to_string() == text)),
        };
        let Some(prefix) = prefix else { return Err(fault("has a prefix outside 0..=32 (IPv4) or 0..=128 (IPv6)")) };
        if masked(ip, prefix) != bits(ip) {
            return Err(fault("has bits set behind its prefix; write the network's first address"));
        }
        self.0.push((ip, prefix));
        Ok(())
    }

    /// Whether nothing is in the set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The networks, as [`Networks::parse`] reads them.
    #[cfg(feature = "policy-file")]
    pub(super) fn entries(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(ip, prefix)| alloc::format!("{ip}/{prefix}"))
    }

    /// Whether the address lies in one of the networks.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        let same = |net: &(IpAddr, u32)| net.0.is_ipv4() == ip.is_ipv4() && masked(ip, net.1) == bits(net.0);
        self.0.iter().any(same)
    }
}

/// The address as a number, its first bit the highest of 128.
fn bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(ip.to_bits()) << 96,
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

fn masked(ip: IpAddr, prefix: u32) -> u128 {
    bits(ip) & u128::MAX.checked_shl(128 - prefix).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_refuse_what_would_never_or_wrongly_match() {
        for (entry, what) in [
            ("192.0.2.1/24", "has bits set behind its prefix; write the network's first address"),
            ("192.0.2.0/33", "has a prefix outside 0..=32 (IPv4) or 0..=128 (IPv6)"),
            ("2001:db8::/129", "has a prefix outside 0..=32 (IPv4) or 0..=128 (IPv6)"),
            ("192.0.2.0/", "has a prefix outside 0..=32 (IPv4) or 0..=128 (IPv6)"),
            ("192.0.2.0/+8", "has a prefix outside 0..=32 (IPv4) or 0..=128 (IPv6)"),
            ("::ffff:192.0.2.0/120", "is an IPv4 network in IPv6; write it as IPv4"),
            ("mail.example.com", "is no IP address or network; write 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32"),
            ("", "is no IP address or network; write 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32"),
        ] {
            assert_eq!(Networks::parse([entry]).unwrap_err().to_string(), alloc::format!("`{entry}` {what}"));
        }
        let all = Networks::parse(["0.0.0.0/0", "::/0"]).unwrap();
        assert!(all.contains("203.0.113.9".parse().unwrap()) && all.contains("2001:db8::1".parse().unwrap()));
        assert!(!Networks::parse(["0.0.0.0/0"]).unwrap().contains("2001:db8::1".parse().unwrap()));
    }

    #[test]
    fn addresses_match_without_case_and_quotes_and_never_a_sub_address() {
        let list = Addresses::parse([
            "postmaster",
            "News@Example.com",
            "\"two words\"@example.com",
            "@*.example.net,!x.example.net",
            "bot@*",
        ])
        .unwrap();
        for (address, on) in [
            ("POSTMASTER@any.example", true),
            ("postmaster+x@any.example", false),
            ("postmaster", false),
            ("<news@example.com>", true),
            ("\"news\"@example.com", true),
            ("news@a.example.com", false),
            ("\"Two words\"@example.com", true),
            ("any@a.example.net", true),
            ("any@x.example.net", false),
            ("bot@anywhere.example", true),
            ("<>", false),
            ("", false),
            ("a b", false),
        ] {
            assert_eq!(list.contains(address.as_bytes()), on, "{address}");
        }
        for (entry, what) in [
            ("example.com", "has no `@`; write @example.com for a domain, local@* for a local part"),
            ("*", "has no `@`; write @example.com for a domain, local@* for a local part"),
            ("a b", "has a local part that needs quotes"),
            ("\"a\"b\"@own.example", "has a local part that no address can have"),
            ("\"a\\\"@own.example", "has a local part that no address can have"),
            ("ü\u{7}@own.example", "has a local part that needs quotes"),
            ("a@b..c", "has no domain or set of domains behind its `@`"),
            ("a@", "has no domain or set of domains behind its `@`"),
            ("", "is empty"),
        ] {
            assert_eq!(Addresses::parse([entry]).unwrap_err().to_string(), alloc::format!("`{entry}` {what}"));
        }
    }
}
