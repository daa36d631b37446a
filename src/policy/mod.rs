//! The one decision: which senders to sign or rewrite, which recipients to strip, reverse or refuse.
//!
//! A [`Policy`] decides and does nothing: envelope, key ring, client and day come in, a value with its reason goes out.
//! `outgoing.rs` signs and rewrites senders, `incoming.rs` judges recipients and has the table, `message.rs` judges them
//! once more when the message is there (feature `bounce`), `file.rs` reads and `show.rs` writes the TOML form (feature
//! `policy-file`), `rule.rs` has the answers, `lists.rs` the lists, `needs.rs` what a policy asks of its caller.
//!
//! What never happens: mail that nobody vouches for is signed; a bounce without a tag is refused although mail from that
//! mailbox may have left unsigned in the last days + 7 days, as far as the ring and this policy can tell. They cannot tell
//! mail to [`with_no_sign_recipients`](Policy::with_no_sign_recipients), nor what an earlier policy did: set
//! [`with_enforce_since`](Policy::with_enforce_since) to days + 7 after every change that makes more mail signed.
//!
//! The mode in force is that of the domain that carries the tag: the sender's for signing, the forwarder's for SRS, the
//! recipient's for judging.

#[cfg(feature = "policy-file")]
mod file;
mod incoming;
mod lists;
#[cfg(feature = "bounce")]
mod message;
mod needs;
mod outgoing;
mod rule;
#[cfg(feature = "policy-file")]
mod show;

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::IpAddr;

pub use self::lists::{Addresses, Networks};
pub use self::needs::Need;
pub use self::rule::{Action, Incoming, Outgoing, Rule};
#[cfg(feature = "bounce")]
use crate::address::Mailbox;
use crate::address::check_domain;
use crate::batv::Form;
use crate::day::Day;
use crate::domains::Domains;
use crate::error::Error;
use crate::srs::Dialect;

/// For how many days past a tag's lifetime the bounce of a mail may still be under way: most queues give up after five.
const DELAY: u32 = 7;

/// How far a policy goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Mode {
    /// Sign nothing, refuse nothing; genuine tags of former days are still taken off.
    Off,
    /// Sign, refuse nothing.
    Sign,
    /// Sign, and say what would be refused.
    #[default]
    Observe,
    /// Sign, and refuse.
    Enforce,
}

impl Mode {
    /// All modes, from the least to the most.
    pub const ALL: &'static [Mode] = &[Mode::Off, Mode::Sign, Mode::Observe, Mode::Enforce];

    /// The word in a policy file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Mode::Off => "off",
            Mode::Sign => "sign",
            Mode::Observe => "observe",
            Mode::Enforce => "enforce",
        }
    }
}

/// Where a mail comes from, as far as anyone vouches for its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// From an authenticated client or the own network: signed.
    Submitted,
    /// From the MTA itself or a program on its host: signed.
    Internal,
    /// From anyone else: never signed, or an outsider who forges an own sender through a forward gets a valid tag.
    Inbound,
    /// Nobody knows: never signed.
    Unknown,
}

impl Origin {
    /// All origins.
    pub const ALL: &'static [Origin] = &[Origin::Submitted, Origin::Internal, Origin::Inbound, Origin::Unknown];

    /// The word that stands for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Origin::Submitted => "submitted",
            Origin::Internal => "internal",
            Origin::Inbound => "inbound",
            Origin::Unknown => "unknown",
        }
    }
}

/// Who brings a mail, as far as refusing goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Client {
    /// The MTA itself or a program on its host (port 0): never refused.
    Internal,
    /// Listed as exempt: never refused.
    Exempt,
    /// Anyone else.
    Other,
    /// A user, authenticated or in the own network: never refused, since a user's read receipt or auto-reply comes
    /// from the null sender and answers mail that needs no tag.
    Submitted,
}

impl Client {
    /// All classes of clients.
    pub const ALL: &'static [Client] = &[Client::Internal, Client::Exempt, Client::Other, Client::Submitted];

    /// The word that stands for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Client::Internal => "internal",
            Client::Exempt => "exempt",
            Client::Other => "other",
            Client::Submitted => "submitted",
        }
    }
}

/// At which step of the SMTP dialogue a refusal is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum RefuseAt {
    /// At RCPT; cheapest, but sender call-outs of other sites see refusals.
    Rcpt,
    /// At DATA, where call-outs are gone; a face that cannot refuses at RCPT.
    #[default]
    Data,
    /// After the message, which is judged as well ([`Incoming::by_message`]): a signed mark in it can save a bounce without
    /// a tag, and it can show a bounce to be backscatter that the envelope could not.
    Message,
}

impl RefuseAt {
    /// All steps, from the first to the last.
    pub const ALL: &'static [RefuseAt] = &[RefuseAt::Rcpt, RefuseAt::Data, RefuseAt::Message];

    /// The word in a policy file.
    pub const fn as_str(self) -> &'static str {
        match self {
            RefuseAt::Rcpt => "rcpt",
            RefuseAt::Data => "data",
            RefuseAt::Message => "message",
        }
    }
}

/// What some domains have of their own; the rest is the policy's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Stance {
    mode: Option<Mode>,
    enforce_since: Option<Day>,
    refuse_at: Option<RefuseAt>,
}

/// How forwarded mail is rewritten: the own forwarder domains and the dialect.
///
/// ```
/// use backstop::policy::Forwarding;
/// let srs = Forwarding::new("fwd.example.net")?.with_domain("x.example", "fwd2.example")?;
/// assert!(srs.forwarders().contains(b"fwd2.example"));
/// assert_eq!(srs.forwarder_for(b"X.example"), Some("fwd2.example"));
/// assert_eq!(srs.forwarder_for(b"y.example"), Some("fwd.example.net"));
/// # Ok::<(), backstop::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forwarding {
    forwarders: Domains,
    default: Option<String>,
    by_recipient: Vec<(Domains, String)>,
    dialect: Dialect,
}

impl Forwarding {
    /// Rewrites all forwarded mail into this domain, which is then an own forwarder.
    ///
    /// # Errors
    /// [`Error::Address`] if it is no domain, [`Error::Pattern`] if it is none that a list can hold.
    pub fn new(domain: &str) -> Result<Forwarding, Error> {
        check_domain(domain.as_bytes(), 0)?;
        let (forwarders, default) = (Domains::parse(domain)?, Some(domain.to_string()));
        Ok(Forwarding { forwarders, default, by_recipient: Vec::new(), dialect: Dialect::CLASSIC })
    }

    /// Rewrites nothing and only takes back what was rewritten into these domains.
    pub fn returning(forwarders: Domains) -> Forwarding {
        Forwarding { forwarders, default: None, by_recipient: Vec::new(), dialect: Dialect::CLASSIC }
    }

    /// Rewrites mail to recipients in `recipients` (a set of domains) into another domain, an own forwarder as well. The
    /// closest fit counts, of equally close ones the last. A set that was given before gets this domain instead.
    ///
    /// # Errors
    /// [`Error::Address`] if the forwarder is no domain, [`Error::Pattern`] if the set is none, or if the forwarders except
    /// that domain, so that nothing could return.
    pub fn with_domain(mut self, recipients: &str, forwarder: &str) -> Result<Forwarding, Error> {
        check_domain(forwarder.as_bytes(), 0)?;
        if !self.forwarders.contains(forwarder.as_bytes()) {
            self.forwarders = Domains::parse(&[self.forwarders.as_str(), forwarder].join(","))?;
        }
        if !self.forwarders.contains(forwarder.as_bytes()) {
            let problem =
                "an exception of the forwarders takes this domain away, so that nothing could return; drop that";
            return Err(Error::Pattern { position: 1, problem });
        }
        let recipients = Domains::parse(recipients)?;
        self.by_recipient.retain(|(set, _)| *set != recipients);
        self.by_recipient.push((recipients, forwarder.to_string()));
        Ok(self)
    }

    /// The options in which sites differ.
    #[must_use]
    pub const fn with_dialect(mut self, dialect: Dialect) -> Forwarding {
        self.dialect = dialect;
        self
    }

    /// The domains whose SRS addresses are taken back.
    pub const fn forwarders(&self) -> &Domains {
        &self.forwarders
    }

    /// The options in which sites differ.
    pub const fn dialect(&self) -> &Dialect {
        &self.dialect
    }

    /// The domain into which mail for this recipient domain is rewritten: the closest fit, else the default.
    pub fn forwarder_for(&self, domain: &[u8]) -> Option<&str> {
        let fits = self.by_recipient.iter().filter_map(|(set, forwarder)| Some((set.fit(domain)?, forwarder.as_str())));
        fits.max_by_key(|(fit, _)| *fit).map(|(_, forwarder)| forwarder).or(self.default.as_deref())
    }
}

/// All that a site decides about its envelopes.
///
/// ```
/// use backstop::policy::{Action, Client, Mode, Origin, Policy};
/// use backstop::{Day, Domains, KeyRing};
/// let ring = KeyRing::parse(b"version 1\nprvs 4 sha256 10 - - * text:an example\n")?;
/// let policy = Policy::new(Domains::parse("example.com")?).with_mode(Mode::Enforce);
/// let day = Day::parse("2026-11-21")?;
///
/// let out = policy.outgoing(&ring, b"alice@example.com", [b"bob@example.org".as_slice()], Origin::Submitted, day);
/// let signed = out.rewrite.unwrap();
///
/// let bounce = policy.incoming(&ring, b"<>", signed.as_bytes(), Client::Other, day);
/// assert_eq!(bounce.action.address().unwrap().as_bytes(), b"alice@example.com");
///
/// let backscatter = policy.incoming(&ring, b"<>", b"alice@example.com", Client::Other, day);
/// assert_eq!((backscatter.action, backscatter.rule.slug()), (Action::Refuse, "untagged"));
/// # Ok::<(), backstop::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    own: Domains,
    mode: Mode,
    enforce_since: Option<Day>,
    by_domain: Vec<(Domains, Stance)>,
    no_sign: Addresses,
    no_sign_recipients: Addresses,
    never_send: Addresses,
    exempt_recipients: Addresses,
    exempt_senders: Addresses,
    exempt_clients: Networks,
    internal_hosts: Networks,
    expired_grace: u16,
    mailer_daemon_is_null: bool,
    reverse_any_sender: bool,
    refuse_at: RefuseAt,
    form: Form,
    srs: Option<Forwarding>,
    marks_since: Option<Day>,
    own_relays: Vec<String>,
    display_names: Vec<String>,
}

impl Policy {
    /// The most days of [`with_expired_grace`](Policy::with_expired_grace).
    pub const MAX_GRACE: u16 = crate::key::MAX_GRACE;

    /// A policy that observes, for the domains whose mail this site sends; everything else has its default.
    pub fn new(own: Domains) -> Policy {
        Policy {
            own,
            mode: Mode::Observe,
            enforce_since: None,
            by_domain: Vec::new(),
            no_sign: Addresses::default(),
            no_sign_recipients: Addresses::default(),
            never_send: Addresses::default(),
            exempt_recipients: Addresses::parse(["postmaster", "abuse"]).unwrap_or_default(),
            exempt_senders: Addresses::default(),
            exempt_clients: Networks::default(),
            internal_hosts: Networks::default(),
            expired_grace: 7,
            mailer_daemon_is_null: false,
            reverse_any_sender: false,
            refuse_at: RefuseAt::Data,
            form: Form::Prefix,
            srs: None,
            marks_since: None,
            own_relays: Vec::new(),
            display_names: Vec::new(),
        }
    }

    /// Reads the `[policy]` table of a TOML text; other tables are left alone. tests/vectors/policy.toml has every key.
    ///
    /// # Errors
    /// [`Error::Policy`] with the line and the remedy; never half a policy.
    #[cfg(feature = "policy-file")]
    pub fn parse(text: &[u8]) -> Result<Policy, Error> {
        file::parse(text)
    }

    /// How far the policy goes; [`Mode::Observe`] unless set.
    #[must_use]
    pub const fn with_mode(mut self, mode: Mode) -> Policy {
        self.mode = mode;
        self
    }

    /// The first day of enforcing: until then [`Mode::Enforce`] acts as [`Mode::Observe`].
    #[must_use]
    pub const fn with_enforce_since(mut self, day: Day) -> Policy {
        self.enforce_since = Some(day);
        self
    }

    /// Another mode or first day for some domains; what is `None` is the policy's. The closest fit counts, of equally close
    /// ones the last. A set that was given before gets these instead.
    #[must_use]
    pub fn with_domain(mut self, domains: Domains, mode: Option<Mode>, enforce_since: Option<Day>) -> Policy {
        let refuse_at = self.by_domain.iter().find(|(set, _)| *set == domains).and_then(|(_, stance)| stance.refuse_at);
        self.by_domain.retain(|(set, _)| *set != domains);
        self.by_domain.push((domains, Stance { mode, enforce_since, refuse_at }));
        self
    }

    /// Another step of refusing for some domains: of the very set that [`with_domain`](Policy::with_domain) was last
    /// called with, or of a set of its own.
    #[must_use]
    pub fn with_domain_refuse_at(mut self, domains: Domains, refuse_at: RefuseAt) -> Policy {
        match self.by_domain.iter_mut().rev().find(|(set, _)| *set == domains) {
            Some((_, stance)) => stance.refuse_at = Some(refuse_at),
            None => self.by_domain.push((domains, Stance { refuse_at: Some(refuse_at), ..Stance::default() })),
        }
        self
    }

    /// Senders whose mail is never signed; bounces to them are never refused for want of a tag.
    #[must_use]
    pub fn with_no_sign(mut self, list: Addresses) -> Policy {
        self.no_sign = list;
        self
    }

    /// Recipients that cannot take tagged senders: mail goes unsigned if **every** recipient is listed.
    ///
    /// Bounces of such mail come back without a tag and look like backscatter; only a mark in what they return tells the
    /// difference ([`RefuseAt::Message`]). Else exempt the hosts that send these bounces with
    /// [`with_exempt_clients`](Policy::with_exempt_clients).
    #[must_use]
    pub fn with_no_sign_recipients(mut self, list: Addresses) -> Policy {
        self.no_sign_recipients = list;
        self
    }

    /// Own addresses that never send: bounces to them are refused without a look at the ring.
    #[must_use]
    pub fn with_never_send(mut self, list: Addresses) -> Policy {
        self.never_send = list;
        self
    }

    /// Recipients that are never refused; `postmaster` and `abuse` unless set. Bare `postmaster` always is.
    #[must_use]
    pub fn with_exempt_recipients(mut self, list: Addresses) -> Policy {
        self.exempt_recipients = list;
        self
    }

    /// Senders whose mail is never refused; the null sender cannot be listed.
    #[must_use]
    pub fn with_exempt_senders(mut self, list: Addresses) -> Policy {
        self.exempt_senders = list;
        self
    }

    /// Clients that are never refused: own front ends, backup MX, whoever takes mail in before this host.
    #[must_use]
    pub fn with_exempt_clients(mut self, list: Networks) -> Policy {
        self.exempt_clients = list;
        self
    }

    /// The own network, whose mail counts as submitted: signed, and never refused.
    #[must_use]
    pub fn with_internal_hosts(mut self, list: Networks) -> Policy {
        self.internal_hosts = list;
        self
    }

    /// For how many days past its last one a tag is still taken off instead of refused: 0 to [`Policy::MAX_GRACE`], 7
    /// unless set.
    ///
    /// # Errors
    /// [`Error::Range`].
    pub fn with_expired_grace(mut self, days: u16) -> Result<Policy, Error> {
        if days > Policy::MAX_GRACE {
            return Err(Error::Range { name: "expired-grace", low: 0, high: usize::from(Policy::MAX_GRACE) });
        }
        self.expired_grace = days;
        Ok(self)
    }

    /// Whether `mailer-daemon@` any domain counts as the null sender.
    #[must_use]
    pub const fn with_mailer_daemon_is_null(mut self, yes: bool) -> Policy {
        self.mailer_daemon_is_null = yes;
        self
    }

    /// Whether SRS addresses return mail of any sender, which opens a relay to everyone who saw one for its lifetime.
    #[must_use]
    pub const fn with_reverse_any_sender(mut self, yes: bool) -> Policy {
        self.reverse_any_sender = yes;
        self
    }

    /// When to refuse; [`RefuseAt::Data`] unless set.
    #[must_use]
    pub const fn with_refuse_at(mut self, refuse_at: RefuseAt) -> Policy {
        self.refuse_at = refuse_at;
        self
    }

    /// Where new tags stand; [`Form::Prefix`] unless set. Both forms are always verified.
    #[must_use]
    pub const fn with_form(mut self, form: Form) -> Policy {
        self.form = form;
        self
    }

    /// How forwarded mail is rewritten; not at all unless set.
    #[must_use]
    pub fn with_srs(mut self, srs: Forwarding) -> Policy {
        self.srs = Some(srs);
        self
    }

    /// The first day from which all mail of the own domains leaves with a mark inside; unless set, a returned message
    /// without a mark says nothing.
    #[must_use]
    pub const fn with_marks_since(mut self, day: Day) -> Policy {
        self.marks_since = Some(day);
        self
    }

    /// The hosts through which own mail leaves, by name or address, as their Received fields tell them. Weak evidence only.
    #[must_use]
    pub fn with_own_relays<'a>(mut self, hosts: impl IntoIterator<Item = &'a str>) -> Policy {
        self.own_relays = hosts.into_iter().map(str::to_ascii_lowercase).collect();
        self
    }

    /// The names that stand before own addresses in From. Weak evidence only.
    #[must_use]
    pub fn with_display_names<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Policy {
        self.display_names = names.into_iter().map(str::to_lowercase).collect();
        self
    }

    /// The first day from which all own mail has a mark.
    pub const fn marks_since(&self) -> Option<Day> {
        self.marks_since
    }

    /// The hosts through which own mail leaves, in lower case.
    pub fn own_relays(&self) -> &[String] {
        &self.own_relays
    }

    /// The names that stand before own addresses, in lower case.
    pub fn display_names(&self) -> &[String] {
        &self.display_names
    }

    /// The domains whose mail this site sends.
    pub const fn own_domains(&self) -> &Domains {
        &self.own
    }

    /// How forwarded mail is rewritten, if it is.
    pub const fn srs(&self) -> Option<&Forwarding> {
        self.srs.as_ref()
    }

    /// When to refuse, where a domain has nothing of its own.
    pub const fn refuse_at(&self) -> RefuseAt {
        self.refuse_at
    }

    /// The mode in force for a domain on a day.
    pub fn mode_on(&self, domain: &[u8], day: Day) -> Mode {
        let own = self.stance(domain);
        let mode = own.mode.unwrap_or(self.mode);
        match own.enforce_since.or(self.enforce_since) {
            Some(since) if mode == Mode::Enforce && day < since => Mode::Observe,
            _ => mode,
        }
    }

    /// When to refuse recipients in a domain.
    pub fn refuse_at_in(&self, domain: &[u8]) -> RefuseAt {
        self.stance(domain).refuse_at.unwrap_or(self.refuse_at)
    }

    /// What the closest set of domains says; nothing if none fits.
    fn stance(&self, domain: &[u8]) -> Stance {
        let fits = self.by_domain.iter().filter_map(|(set, stance)| Some((set.fit(domain)?, stance)));
        fits.max_by_key(|(fit, _)| *fit).map(|(_, stance)| *stance).unwrap_or_default()
    }

    /// The class of a client, from whether it authenticated, and its address and port as the MTA tells them.
    ///
    /// Port 0 without an address or on the loopback is the MTA itself. Port 0 beside any other address is a proxy's word
    /// for "unknown" and vouches for nothing.
    pub fn client(&self, authenticated: bool, ip: Option<IpAddr>, port: u16) -> Client {
        match self.origin(authenticated, ip, port) {
            _ if is_internal(ip, port) => Client::Internal,
            _ if ip.is_some_and(|ip| self.exempt_clients.contains(ip)) => Client::Exempt,
            Origin::Submitted => Client::Submitted,
            _ => Client::Other,
        }
    }

    /// The origin of a mail, from whether its client authenticated, and the client's address and port.
    pub fn origin(&self, authenticated: bool, ip: Option<IpAddr>, port: u16) -> Origin {
        if authenticated {
            return Origin::Submitted;
        }
        match ip {
            _ if is_internal(ip, port) => Origin::Internal,
            Some(ip) if self.internal_hosts.contains(ip) => Origin::Submitted,
            Some(_) => Origin::Inbound,
            None => Origin::Unknown,
        }
    }

    /// Whether bounces to this mailbox are never refused.
    #[cfg(feature = "bounce")]
    pub(crate) fn is_exempt(&self, mailbox: Mailbox<'_>) -> bool {
        self.exempt_recipients.holds(mailbox)
    }

    /// Whether recipients in this domain are judged at all.
    fn is_here(&self, domain: &[u8]) -> bool {
        self.own.contains(domain) || self.is_own_forwarder(domain)
    }

    fn is_own_forwarder(&self, domain: &[u8]) -> bool {
        self.srs.as_ref().is_some_and(|srs| srs.forwarders.contains(domain))
    }
}

fn is_internal(ip: Option<IpAddr>, port: u16) -> bool {
    port == 0 && ip.is_none_or(|ip| ip.to_canonical().is_loopback())
}
