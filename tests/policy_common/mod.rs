//! What the tests of incoming and outgoing mail share: one ring, one policy, and mail that both made.

use backstop::policy::{Addresses, Forwarding, Mode, Policy};
use backstop::srs::Dialect;
use backstop::{Day, Domains, Form, KeyRing, batv, srs};

/// Own: example.com and below; forwarder: fwd.example.net. Keys sign since 2026-09-01, today is 2026-11-21.
pub(crate) const RING: &str = "version 1
prvs 4 sha256 10 2026-09-01 - example.com,*.example.com text:one
prvs 5 sha256 10 2026-09-01 2026-11-10 old.example.com text:two
srs 0 sha1 21 2026-09-01 - fwd.example.net text:three
";
pub(crate) const OUTSIDER: &[u8] = b"bob@example.org";

pub(crate) fn today() -> Day {
    day("2026-11-21")
}

pub(crate) fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

pub(crate) fn ring(text: &str) -> KeyRing {
    KeyRing::parse(text.as_bytes()).unwrap()
}

pub(crate) fn own() -> Domains {
    Domains::parse("example.com,*.example.com").unwrap()
}

pub(crate) fn list(entries: &[&str]) -> Addresses {
    Addresses::parse(entries.iter().copied()).unwrap()
}

pub(crate) fn policy(mode: Mode) -> Policy {
    Policy::new(own()).with_mode(mode).with_srs(Forwarding::new("fwd.example.net").unwrap())
}

pub(crate) fn signed(ring_text: &str, address: &str, day: Day) -> String {
    let signed = batv::sign(&ring(ring_text), address.as_bytes(), Form::Prefix, day).unwrap();
    signed.address().unwrap().to_string()
}

pub(crate) fn forwarded(ring_text: &str, address: &str, day: Day) -> String {
    let own = Domains::parse("fwd.example.net").unwrap();
    let always = Dialect::CLASSIC.with_always_rewrite(true);
    let signed = srs::forward(&ring(ring_text), address.as_bytes(), "fwd.example.net", &own, &always, day).unwrap();
    signed.address().unwrap().to_string()
}
