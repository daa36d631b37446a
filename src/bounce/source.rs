//! Where a bounce and the mail that it answers came from, and weak evidence on whose mail that was.
//!
//! The reporting host is the Reporting-MTA, else who the From names. The address that injected the mail is that of the
//! first hop from outside that the reporting host itself wrote: its own Received fields stand on top of the returned block
//! and name it after `by`. All below may be invented; a hop that another host wrote is `claimed`. Links are taken from
//! what came back of the body. Nothing is looked up: [`dnsbl_name`] says what a caller may ask.

use std::net::IpAddr;

use super::evidence::Fact;
use super::guard::{Block, MAX_LINKS, MAX_PHRASES, leaves};
use super::parts::{self, Hop};
use super::returned::{Form, Found};
use crate::address::Path;
use crate::policy::Policy;

/// Received fields that are looked at.
const MAX_HOPS: usize = 50;

/// How far the hop can be believed that names the injecting host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trust {
    /// The reporting host wrote it.
    Reporter,
    /// Another host wrote it, or a spammer.
    Claimed,
}

impl Trust {
    /// The word that stands for it.
    pub const fn slug(self) -> &'static str {
        match self {
            Trust::Reporter => "reporter",
            Trust::Claimed => "claimed",
        }
    }
}

/// The host that gave the mail to the reporting host.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Injector {
    /// Its address.
    pub ip: IpAddr,
    /// How it called itself.
    pub name: Option<String>,
    /// Who says so.
    pub trust: Trust,
}

impl Injector {
    /// The /24 or /48 of its address.
    pub fn network(&self) -> String {
        network(self.ip)
    }
}

fn network(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(ip) => {
            let [a, b, c, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
    }
}

/// Where a bounce and the mail that it answers came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Source {
    /// The host that reports, which is a reflector if this is backscatter.
    pub reporting: Option<String>,
    /// The host that gave it the mail.
    pub injector: Option<Injector>,
    /// The subject of the returned mail.
    pub subject: Option<String>,
    /// The hosts of links in the returned mail.
    pub links: Vec<String>,
    /// How the returned mail is built: its type, with those of its parts where they came back, and its mail program.
    pub structure: Option<String>,
    /// The From of the returned mail.
    pub from: Option<String>,
    /// The name before it.
    pub name: Option<String>,
    /// Whether that name is one of ours; `None` if the policy has no names, or the From is not own.
    pub name_is_ours: Option<bool>,
}

/// The name to ask a DNS list about an address: `dnsbl_name(192.0.2.1, "zen.example")` is `1.2.0.192.zen.example`.
///
/// ```
/// use backstop::bounce::dnsbl_name;
/// assert_eq!(dnsbl_name("192.0.2.1".parse().unwrap(), "zen.example"), "1.2.0.192.zen.example");
/// assert!(dnsbl_name("2001:db8::1".parse().unwrap(), "zen.example").starts_with("1.0.0.0.0."));
/// ```
pub fn dnsbl_name(ip: IpAddr, zone: &str) -> String {
    let mut name = String::new();
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.octets().iter().rev().for_each(|octet| name.push_str(&format!("{octet}."))),
        IpAddr::V6(ip) => {
            ip.octets().iter().rev().for_each(|octet| name.push_str(&format!("{:x}.{:x}.", octet & 15, octet >> 4)));
        }
    }
    name + zone
}

/// Whether an address can be that of a host on the internet.
pub(super) fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [first, second, ..] = ip.octets();
            let shared = first == 100 && second & 0xc0 == 64;
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_broadcast()
                || ip.is_multicast()
                || shared
                || first == 0)
        }
        IpAddr::V6(ip) => {
            let local = ip.is_unique_local() || ip.is_unicast_link_local();
            !(local || ip.is_loopback() || ip.is_unspecified() || ip.is_multicast())
        }
    }
}

/// The part of a host's name that its owner registered: the last two labels, or three under `co.uk` and the like.
pub(super) fn organisation(host: &str) -> &str {
    let host = host.trim_end_matches('.');
    let mut dots = host.rmatch_indices('.').map(|(at, _)| at);
    let (last, second, third) = (dots.next(), dots.next(), dots.next());
    let (Some(last), Some(second)) = (last, second) else { return host };
    let is_country = host.len() - last == 3 && last - second <= 4;
    let cut = if is_country { third.map_or(0, |at| at + 1) } else { second + 1 };
    host.get(cut..).unwrap_or(host)
}

pub(super) fn is_same(one: &str, other: &str) -> bool {
    organisation(one).eq_ignore_ascii_case(organisation(other))
}

/// Reads what the first block that came back says of its source.
pub(super) fn read(reporting: Option<String>, found: &Found<'_>, policy: &Policy) -> Source {
    let (block, body) = Block::read(&found.octets);
    let hops: Vec<Hop> = block.all("Received").take(MAX_HOPS).map(parts::hop).collect();
    let from = block.get("From").map(parts::address).unwrap_or_default();
    let is_own = matches!(Path::parse(from.address.as_bytes()),
        Ok(Path::Mailbox(mailbox)) if policy.own_domains().contains(mailbox.domain()));
    let name_is_ours = (is_own && !policy.display_names().is_empty()).then(|| {
        let name = from.name.as_deref().unwrap_or_default().trim().to_lowercase();
        policy.display_names().contains(&name)
    });
    Source {
        injector: injector(&hops, reporting.as_deref()),
        reporting,
        subject: block.get("Subject").map(|value| parts::text(value).into_owned()),
        links: links(found.form, &block, found.octets.get(body..).unwrap_or_default()),
        structure: structure(&block, found.octets.get(body..).unwrap_or_default()),
        from: Some(from.address).filter(|address| !address.is_empty()),
        name: from.name,
        name_is_ours,
    }
}

fn injector(hops: &[Hop], reporting: Option<&str>) -> Option<Injector> {
    let mut trusted = true;
    // qmail's own fields name no host: "(qmail 4711 invoked from network)".
    for hop in hops.iter().filter(|hop| hop.by.is_some() || hop.ip.is_some()) {
        trusted &= reporting.zip(hop.by.as_deref()).is_some_and(|(host, by)| is_same(host, by));
        let Some(ip) = hop.ip.filter(|ip| is_public(*ip)) else { continue };
        // From one of its own hosts to another.
        let inside = trusted && reporting.zip(hop.from.as_deref()).is_some_and(|(host, from)| is_same(host, from));
        if !inside {
            let trust = if trusted { Trust::Reporter } else { Trust::Claimed };
            return Some(Injector { ip, name: hop.from.clone(), trust });
        }
    }
    None
}

/// The weak evidence that holds.
pub(super) fn facts(source: &Source, found: &Found<'_>, policy: &Policy) -> Vec<Fact> {
    let mut facts = Vec::new();
    let (block, _) = Block::read(&found.octets);
    let relays = policy.own_relays();
    let is_relay = |host: &Option<String>| host.as_ref().is_some_and(|host| relays.contains(host));
    if !relays.is_empty() {
        let hops: Vec<Hop> = block.all("Received").take(MAX_HOPS).map(parts::hop).collect();
        let through =
            |hop: &Hop| is_relay(&hop.from) || is_relay(&hop.by) || is_relay(&hop.ip.map(|ip| ip.to_string()));
        if hops.iter().any(through) {
            facts.push(Fact::OwnRelay);
        } else if source.injector.as_ref().is_some_and(|injector| injector.trust == Trust::Reporter) {
            facts.push(Fact::Elsewhere);
        }
    }
    match source.name_is_ours {
        Some(true) => facts.push(Fact::OwnName),
        Some(false) => facts.push(Fact::WrongName),
        None => {}
    }
    facts
}

/// `multipart/mixed (text/plain, application/zip)`, or `text/html, Bulker 2` with the name of the mail program.
fn structure(block: &Block<'_>, body: &[u8]) -> Option<String> {
    let name = |content: &parts::Content| format!("{}/{}", content.kind, content.subtype);
    let content = parts::content(block, false);
    let mut text = block.get("Content-Type").map(|_| name(&content)).unwrap_or_default();
    if content.kind == "multipart" {
        let inner: Vec<String> =
            leaves(block, body, &mut Vec::new()).iter().take(8).map(|it| name(&it.content)).collect();
        if body.len() > 1 {
            text += &format!(" ({})", inner.join(", "));
        }
    }
    if let Some(program) = block.get("X-Mailer").or_else(|| block.get("User-Agent")).map(parts::text) {
        text += if text.is_empty() { "" } else { ", " };
        text.extend(program.trim().chars().take(60));
    }
    Some(text).filter(|text| !text.is_empty())
}

/// The hosts of links, in their order, each once.
fn links(form: Form, block: &Block<'_>, body: &[u8]) -> Vec<String> {
    let mut hosts = Vec::new();
    if form == Form::Text {
        links_in(&String::from_utf8_lossy(body.get(..MAX_PHRASES).unwrap_or(body)), &mut hosts);
        return hosts;
    }
    let mut cuts = Vec::new();
    for leaf in leaves(block, body, &mut cuts).iter().filter(|leaf| leaf.content.kind == "text").take(4) {
        let octets = parts::decoded(leaf).octets;
        links_in(&String::from_utf8_lossy(octets.get(..MAX_PHRASES).unwrap_or(&octets)), &mut hosts);
    }
    hosts
}

fn links_in(text: &str, hosts: &mut Vec<String>) {
    for at in memchr::memmem::find_iter(text.as_bytes(), b"://") {
        let before = text.as_bytes().get(..at).unwrap_or_default();
        let ends_with = |scheme: &[u8]| {
            let start = before.len().checked_sub(scheme.len());
            start.and_then(|start| before.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(scheme))
        };
        if !(ends_with(b"http") || ends_with(b"https")) {
            continue;
        }
        let rest = text.get(at + 3..).unwrap_or_default();
        let end = rest.find(|it: char| !(it.is_alphanumeric() || matches!(it, '.' | '-' | '@' | '_' | '[' | ']')));
        let host = end.and_then(|end| rest.get(..end)).unwrap_or(rest);
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host).trim_matches('.').to_lowercase();
        if hosts.len() < MAX_LINKS && host.len() >= 3 && host.len() <= 255 && !hosts.contains(&host) {
            hosts.push(host);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organisation_is_what_was_registered() {
        for (host, expected) in [
            ("mx.reflector.example", "reflector.example"),
            ("a.b.co.uk", "b.co.uk"),
            ("b.co.uk", "b.co.uk"),
            ("mail.example.de", "example.de"),
            ("localhost", "localhost"),
            ("mx.example.com.", "example.com"),
            ("", ""),
        ] {
            assert_eq!(organisation(host), expected, "{host}");
        }
    }

    #[test]
    fn private_addresses_are_nobodys() {
        for (ip, expected) in [
            ("198.51.100.17", true),
            ("10.1.2.3", false),
            ("172.16.0.1", false),
            ("100.64.0.1", false),
            ("127.0.0.1", false),
            ("100.128.0.1", true),
            ("8.100.0.1", true),
            ("0.0.0.0", false),
            ("0.1.2.3", false),
            ("169.254.1.2", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("2001:db8::1", true),
            ("fd00::1", false),
            ("fe80::1", false),
            ("ff02::1", false),
            ("::1", false),
            ("::", false),
            ("::ffff:192.168.0.1", false),
        ] {
            assert_eq!(is_public(ip.parse().unwrap()), expected, "{ip}");
        }
    }

    #[test]
    fn hosts_of_links_are_kept_once_and_without_port_or_user() {
        let mut hosts = Vec::new();
        links_in(
            "<a href=\"http://WWW.Spam.example:8080/x\"> https://u@b.example. ftp://c.example http://www.spam.example",
            &mut hosts,
        );
        assert_eq!(hosts, ["www.spam.example", "b.example"]);
    }

    #[test]
    fn a_link_is_known_by_its_scheme_in_any_case_and_by_a_host_of_fitting_length() {
        let long = |octets: usize| "x".repeat(octets);
        for (text, expected) in [
            ("HTTPS://c.example/".to_owned(), true),
            ("Http://c.example".to_owned(), true),
            ("ftp://c.example".to_owned(), false),
            ("://c.example".to_owned(), false),
            ("http://a.b/".to_owned(), true),
            ("http://ab/".to_owned(), false),
            (format!("http://{}/", long(255)), true),
            (format!("http://{}/", long(256)), false),
        ] {
            let mut hosts = Vec::new();
            links_in(&text, &mut hosts);
            assert_eq!(hosts.len(), usize::from(expected), "{text}");
        }
        let mut hosts = Vec::new();
        links_in(&(0..=MAX_LINKS).map(|it| format!("http://a{it}.example ")).collect::<String>(), &mut hosts);
        assert_eq!(hosts.len(), MAX_LINKS);
    }

    #[test]
    fn links_of_a_message_that_came_back_are_those_of_its_texts() {
        let part = |kind: &str, host: &str| format!("--b\nContent-Type: {kind}\n\nhttp://{host}\n");
        let body = part("text/plain", "a.example") + &part("image/png", "b.example") + &part("text/html", "c.example");
        let (block, _) = Block::read(b"Content-Type: multipart/mixed; boundary=b\n\n");
        assert_eq!(links(Form::Message, &block, body.as_bytes()), ["a.example", "c.example"]);
        assert_eq!(links(Form::Text, &block, body.as_bytes()), ["a.example", "b.example", "c.example"]);
    }

    fn found(octets: &str) -> Found<'_> {
        Found { form: Form::Message, whole: true, octets: octets.as_bytes().into(), loose: Vec::new() }
    }

    fn policy() -> Policy {
        Policy::new(crate::Domains::parse("example.com").unwrap())
    }

    #[test]
    fn a_name_is_ours_only_before_an_own_address_and_where_names_are_known() {
        let named = policy().with_display_names(["Alice Example"]);
        for (policy, from, expected) in [
            (&named, "Alice EXAMPLE <alice@example.com>", Some(true)),
            (&named, "Eve <alice@example.com>", Some(false)),
            (&named, "Alice Example <alice@else.example>", None),
            (&policy(), "Alice Example <alice@example.com>", None),
        ] {
            let block = format!("From: {from}\n\n");
            assert_eq!(read(None, &found(&block), policy).name_is_ours, expected, "{from}");
        }
        assert_eq!(read(None, &found("From: Alice Example\n\n"), &named).from, None);
    }

    #[test]
    fn who_injected_a_mail_is_told_by_the_first_hop_from_outside() {
        let host = |name: &str| Some(name.to_owned());
        let hop = |from, ip: Option<&str>, by| Hop { from, ip: ip.map(|ip| ip.parse().unwrap()), by };
        let outside = hop(host("z.example"), Some("198.51.100.17"), host("mx.b.example"));
        let silent = hop(None, None, None);
        let inside = hop(host("in.b.example"), Some("203.0.113.5"), host("mx.b.example"));
        let private = hop(host("gate"), Some("10.0.0.1"), host("mx.b.example"));
        let unsigned = hop(host("z.example"), Some("198.51.100.17"), None);
        let nowhere = hop(None, None, host("other.example"));
        let outcome = |hops: &[&Hop], reporting| {
            let hops: Vec<Hop> = hops.iter().copied().cloned().collect();
            injector(&hops, reporting).map(|it| (it.ip.to_string(), it.trust))
        };
        let told = |trust| Some(("198.51.100.17".to_owned(), trust));
        let b = Some("mx9.b.example");
        assert_eq!(outcome(&[&outside], b), told(Trust::Reporter));
        assert_eq!(outcome(&[&silent, &inside, &private, &outside], b), told(Trust::Reporter));
        assert_eq!(outcome(&[&unsigned], b), told(Trust::Claimed), "it says not who wrote it");
        assert_eq!(outcome(&[&nowhere, &outside], b), told(Trust::Claimed), "another host stands above");
        assert_eq!(outcome(&[&outside], None), told(Trust::Claimed));
        assert_eq!(outcome(&[&inside], Some("c.example")), Some(("203.0.113.5".to_owned(), Trust::Claimed)));
        assert_eq!(outcome(&[&private], b), None);
    }

    #[test]
    fn an_own_relay_is_known_by_any_name_of_a_hop() {
        let relays = policy().with_own_relays(["mail.example.com", "192.0.2.1"]);
        let facts_of = |received: &str, policy: &Policy| {
            let block = format!("Received: {received}\n\n");
            let source = read(Some("mx.b.example".to_owned()), &found(&block), policy);
            facts(&source, &found(&block), policy)
        };
        for (received, expected) in [
            ("from mail.example.com by mx.b.example", &[Fact::OwnRelay][..]),
            ("from z.example ([192.0.2.1]) by mx.b.example", &[Fact::OwnRelay]),
            ("from z.example by mail.example.com", &[Fact::OwnRelay]),
            ("from z.example ([198.51.100.17]) by mx.b.example", &[Fact::Elsewhere]),
            ("from z.example ([198.51.100.17]) by y.example", &[]),
        ] {
            assert_eq!(facts_of(received, &relays), expected, "{received}");
            assert_eq!(facts_of(received, &policy()), [], "{received}");
        }
    }

    #[test]
    fn a_structure_is_a_type_with_those_of_its_parts_and_a_program() {
        let parts = "--b\nContent-Type: text/plain\n\nx\n--b\nContent-Type: application/zip\n\nx\n--b--\n";
        for (fields, body, expected) in [
            ("Content-Type: text/html\nX-Mailer: Bulker 2\n\n", "", Some("text/html, Bulker 2")),
            ("User-Agent: Bulker 2\n\n", "x", Some("Bulker 2")),
            (
                "Content-Type: multipart/mixed; boundary=b\n\n",
                parts,
                Some("multipart/mixed (text/plain, application/zip)"),
            ),
            ("Content-Type: multipart/mixed; boundary=b\n\n", "\n", Some("multipart/mixed")),
            ("Content-Type: text/plain\n\n", parts, Some("text/plain")),
            ("Subject: x\n\n", "x", None),
        ] {
            let (block, _) = Block::read(fields.as_bytes());
            assert_eq!(structure(&block, body.as_bytes()).as_deref(), expected, "{fields}");
        }
    }

    #[test]
    fn a_dns_list_is_asked_for_an_address_backwards() {
        for (ip, expected) in [
            ("192.0.2.1", "1.2.0.192.zen.example".to_owned()),
            ("2001:db8::1", format!("1.{}8.b.d.0.1.0.0.2.zen.example", "0.".repeat(23))),
        ] {
            assert_eq!(dnsbl_name(ip.parse().unwrap(), "zen.example"), expected);
        }
    }

    #[test]
    fn networks_are_a_24_or_a_48() {
        for (ip, expected) in [
            ("192.0.2.77", "192.0.2.0/24"),
            ("::ffff:192.0.2.77", "192.0.2.0/24"),
            ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ] {
            assert_eq!(network(ip.parse().unwrap()), expected);
        }
    }
}
