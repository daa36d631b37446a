//! Own forwarders: as the host lists them, and as a ring tells them to who has no list of them.

use alloc::vec::Vec;

use crate::address::{Mailbox, Path};
use crate::domains::{ALL, Domains};
use crate::error::Error;
use crate::key::{KeyRing, Use};

use super::{Shape, shape, srs1_parts};

/// The own forwarders of a host: the one domain into which it rewrites senders, and the set of further domains whose SRS
/// addresses it takes back, which may be empty.
///
/// ```
/// use backstop::srs;
/// let own = srs::own_forwarders("fwd.example.net", "*.old.example")?;
/// assert!(own.contains(b"fwd.example.net") && own.contains(b"mx.old.example"));
/// assert!(srs::own_forwarders("*.example.net", "").is_err());
/// # Ok::<(), backstop::Error>(())
/// ```
///
/// # Errors
/// [`Error::Pattern`] if `domain` is not one domain, or `more` is no set of domains, counted after it, or has an exception
/// that takes `domain` away.
pub fn own_forwarders(domain: &str, more: &str) -> Result<Domains, Error> {
    // Alone it could be read as a set.
    if domain.contains(['*', ',', '!']) {
        let problem = "senders are rewritten into one domain, neither a list nor a pattern; list further ones apart";
        return Err(Error::Pattern { position: 1, problem });
    }
    let alone = Domains::parse(domain)?;
    if more.is_empty() {
        return Ok(alone);
    }
    let own = Domains::parse(&[domain, more].join(","))?;
    if !own.covers(&alone) {
        let problem = "an exception behind it takes this domain away, so that nothing could return; leave it out";
        return Err(Error::Pattern { position: 1, problem });
    }
    Ok(own)
}

/// The own forwarders that a recipient names, for [`reverse`](super::reverse()): its domain, if an srs key serves it, and
/// the first host of an SRS1 address, if a key names that.
///
/// A key for `*` serves the domain of whatever address is asked about, but that makes no other domain an own one: an SRS1
/// address whose first host is foreign returns to that host and is not opened. Of what is no mailbox the set is empty.
///
/// ```
/// use backstop::{KeyRing, srs};
/// let ring = KeyRing::parse(b"version 1\nsrs 0 sha1 21 - - a.example,b.example text:secret\n")?;
/// let own = srs::served_forwarders(&ring, b"SRS1=HHHH=b.example==HHHH=TT=c.example=user@a.example");
/// assert!(own.contains(b"a.example") && own.contains(b"b.example") && !own.contains(b"c.example"));
/// # Ok::<(), backstop::Error>(())
/// ```
pub fn served_forwarders(ring: &KeyRing, recipient: &[u8]) -> Domains {
    own(ring, recipient, |mailbox| ring.fitting(Use::Srs, mailbox.domain()).next().is_some())
}

/// The own forwarders that a sender names, for [`forward`](super::forward()): its domain and the first host of an SRS1
/// address, each if an srs key names it by more than `*`.
///
/// ```
/// use backstop::{KeyRing, srs};
/// let ring = KeyRing::parse(b"version 1\nsrs 0 sha1 21 - - *,a.example text:secret\n")?;
/// let sender = |domain: &str| format!("SRS0=HHHH=TT=c.example=user@{domain}");
/// assert!(srs::named_forwarders(&ring, sender("a.example").as_bytes()).contains(b"a.example"));
/// assert!(!srs::named_forwarders(&ring, sender("b.example").as_bytes()).contains(b"b.example"));
/// # Ok::<(), backstop::Error>(())
/// ```
pub fn named_forwarders(ring: &KeyRing, sender: &[u8]) -> Domains {
    own(ring, sender, |mailbox| is_named(ring, mailbox.domain()))
}

fn own(ring: &KeyRing, address: &[u8], is_own: impl Fn(&Mailbox<'_>) -> bool) -> Domains {
    let Ok(Path::Mailbox(mailbox)) = Path::parse_tagged(address) else { return Domains::exactly(&[]) };
    let mut found = Vec::new();
    if is_own(&mailbox) {
        found.push(mailbox.domain());
    }
    if let Some(Shape::Srs1(rest)) = shape(mailbox.content())
        && let Some((_, host, _)) = srs1_parts(rest)
        && is_named(ring, host)
    {
        found.push(host);
    }
    Domains::exactly(&found)
}

/// Whether an srs key has this domain by more than `*`.
fn is_named(ring: &KeyRing, domain: &[u8]) -> bool {
    ring.fitting(Use::Srs, domain).any(|(fit, _)| fit > ALL)
}
