//! What a policy needs of the program that asks it, so that one that cannot give it is found before it goes live.
//!
//! A program that sees no client cannot honour a list of clients; nothing in a decision would tell. Each need names the
//! key of the policy from which it comes. Who brings what is for the caller to know.

use super::{Mode, Policy, RefuseAt};

/// Something that a policy asks of the program around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Need {
    /// To refuse at all: some domain has or will have [`Mode::Enforce`].
    Refuse,
    /// To wait with a refusal for DATA.
    RefuseAtData,
    /// To wait with a refusal for the end of the message.
    RefuseAtMessage,
    /// To know the client of mail that comes in.
    Client,
    /// To know the sender of mail that comes in.
    Sender,
    /// To know the client of mail that leaves.
    OwnNetwork,
    /// To know all recipients of a mail when its sender is decided.
    Recipients,
    /// To know the recipient that forwards a mail.
    Forwarder,
}

impl Need {
    /// All needs.
    pub const ALL: &'static [Need] = &[
        Need::Refuse,
        Need::RefuseAtData,
        Need::RefuseAtMessage,
        Need::Client,
        Need::Sender,
        Need::OwnNetwork,
        Need::Recipients,
        Need::Forwarder,
    ];

    /// The key of the policy, with its value where only that one has the need.
    pub const fn key(self) -> &'static str {
        match self {
            Need::Refuse => "mode = \"enforce\"",
            Need::RefuseAtData => "refuse-at = \"data\"",
            Need::RefuseAtMessage => "refuse-at = \"message\"",
            Need::Client => "exempt-clients",
            Need::Sender => "exempt-senders",
            Need::OwnNetwork => "internal-hosts",
            Need::Recipients => "no-sign-recipients",
            Need::Forwarder => "srs.domains",
        }
    }
}

impl Policy {
    /// Whether this policy has a need.
    ///
    /// ```
    /// use backstop::Domains;
    /// use backstop::policy::{Mode, Need, Policy};
    /// let policy = Policy::new(Domains::parse("example.com")?);
    /// assert!(!policy.needs(Need::Refuse) && policy.with_mode(Mode::Enforce).needs(Need::Refuse));
    /// # Ok::<(), backstop::Error>(())
    /// ```
    pub fn needs(&self, need: Need) -> bool {
        match need {
            Need::Refuse => {
                self.mode == Mode::Enforce || self.by_domain.iter().any(|(_, it)| it.mode == Some(Mode::Enforce))
            }
            Need::RefuseAtData => self.refuses_at(RefuseAt::Data),
            Need::RefuseAtMessage => self.refuses_at(RefuseAt::Message),
            Need::Client => !self.exempt_clients.is_empty(),
            Need::Sender => !self.exempt_senders.is_empty(),
            Need::OwnNetwork => !self.internal_hosts.is_empty(),
            Need::Recipients => !self.no_sign_recipients.is_empty(),
            Need::Forwarder => self.srs.as_ref().is_some_and(|srs| !srs.by_recipient.is_empty()),
        }
    }

    fn refuses_at(&self, at: RefuseAt) -> bool {
        self.refuse_at == at || self.by_domain.iter().any(|(_, it)| it.refuse_at == Some(at))
    }
}
