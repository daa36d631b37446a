//! The faces: how mail servers talk to the daemon, and what each can do.
//!
//! [`Face::abilities`] is the one table of it. `check` compares it with what the policy needs; the manual prints it.
//! A face whose protocol cannot bring what a rule needs (the client, the other recipients) does not guess: `check` fails
//! and names it.

pub mod filter;
pub mod hold;
pub mod lookup;
pub mod milter;
pub mod policy_service;
pub mod socketmap;
pub mod tcp_table;

use std::collections::BTreeSet;

use backstop::policy::Need;

use crate::config::Config;
use crate::faces::lookup::Map;

/// A protocol that the daemon speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Face {
    /// milter, of Postfix and Sendmail.
    Milter,
    /// socketmap, of Postfix and Sendmail.
    Socketmap,
    /// tcp_table, of Postfix; Exim's readsocket can ask it.
    TcpTable,
    /// The policy delegation of Postfix.
    PolicyService,
    /// The filter of OpenSMTPD.
    Filter,
}

/// What a face can do, and what of a policy's needs it can meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// Signs the senders of own mail.
    pub signs: bool,
    /// Rewrites the senders of forwarded mail.
    pub forwards: bool,
    /// Takes tags off recipients.
    pub strips: bool,
    /// Refuses recipients.
    pub refuses: bool,
    /// What its protocol brings.
    pub meets: &'static [Need],
}

impl Face {
    /// All faces.
    pub const ALL: [Face; 5] = [Face::Milter, Face::Socketmap, Face::TcpTable, Face::PolicyService, Face::Filter];

    /// The word in configuration, log and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Face::Milter => "milter",
            Face::Socketmap => "socketmap",
            Face::TcpTable => "tcp-table",
            Face::PolicyService => "policy-service",
            Face::Filter => "filter",
        }
    }

    /// What it can do.
    pub const fn abilities(self) -> Abilities {
        match self {
            // It does not learn which mail is forwarded, so it takes SRS addresses back and makes none.
            Face::Milter => Abilities {
                signs: true,
                forwards: false,
                strips: true,
                refuses: true,
                meets: &[
                    Need::Refuse,
                    Need::RefuseAtData,
                    Need::RefuseAtMessage,
                    Need::Client,
                    Need::Sender,
                    Need::OwnNetwork,
                    Need::Recipients,
                ],
            },
            // A map is asked for one address and told nothing else.
            Face::Socketmap | Face::TcpTable => {
                Abilities { signs: true, forwards: true, strips: true, refuses: false, meets: &[] }
            }
            Face::PolicyService => Abilities {
                signs: false,
                forwards: false,
                strips: false,
                refuses: true,
                meets: &[Need::Refuse, Need::RefuseAtData, Need::Client, Need::Sender],
            },
            // It signs at MAIL, before any recipient, and learns of no forwarding.
            Face::Filter => Abilities {
                signs: true,
                forwards: false,
                strips: true,
                refuses: true,
                meets: &[
                    Need::Refuse,
                    Need::RefuseAtData,
                    Need::RefuseAtMessage,
                    Need::Client,
                    Need::Sender,
                    Need::OwnNetwork,
                ],
            },
        }
    }

    /// What it does in this configuration: maps that nobody may ask do nothing.
    fn used(self, config: &Config) -> Abilities {
        let maps = || config.endpoints.iter().filter(|it| it.face == Some(self)).flat_map(|it| &it.maps);
        let asks = |map| maps().any(|it| *it == map);
        let can = self.abilities();
        match self {
            Face::Socketmap | Face::TcpTable => Abilities {
                signs: asks(Map::Sign),
                forwards: asks(Map::SrsForward),
                strips: asks(Map::Verify) || asks(Map::SrsReverse),
                ..can
            },
            Face::Milter | Face::PolicyService | Face::Filter => can,
        }
    }
}

/// The configured faces, and what each does there.
fn used(config: &Config) -> Vec<(Face, Abilities)> {
    let mut faces: BTreeSet<Face> = config.endpoints.iter().filter_map(|endpoint| endpoint.face).collect();
    faces.extend(config.filter.map(|_| Face::Filter));
    faces.into_iter().map(|face| (face, face.used(config))).collect()
}

/// The configured faces that sign.
pub fn signing(config: &Config) -> impl Iterator<Item = Face> {
    used(config).into_iter().filter(|(_, can)| can.signs).map(|(face, _)| face)
}

/// The rules of the policy that are for faces that refuse, where none does.
pub fn idle(config: &Config) -> Vec<Need> {
    let refuses = used(config).iter().any(|(_, can)| can.refuses);
    let all = [Need::Client, Need::Sender].into_iter();
    all.filter(|need| !refuses && config.policy.needs(*need)).collect()
}

/// The rules of the policy that a configured face cannot honour, a sentence each.
pub fn unmet(config: &Config) -> Vec<String> {
    let used = used(config);
    let mut sentences = Vec::new();
    for need in Need::ALL.iter().copied().filter(|need| config.policy.needs(*need)) {
        let key = need.key();
        if need == Need::Refuse {
            if !used.iter().any(|(_, can)| can.refuses) {
                sentences
                    .push(format!("no face can refuse, which {key} wants; add [milter], [policy-service] or [filter]"));
            }
            continue;
        }
        for (face, can) in &used {
            let (concerned, why) = match need {
                // Where DATA cannot be waited for, RCPT is taken: refusing early is no other decision.
                Need::Refuse | Need::RefuseAtData => (false, ""),
                Need::RefuseAtMessage => (can.refuses, "it does not look into the message"),
                Need::Client => (can.refuses, "it sees no client"),
                Need::Sender => (can.refuses, "it sees no sender"),
                Need::OwnNetwork => (can.signs, "it sees no client and signs whatever the mail server asks it to"),
                Need::Recipients => (can.signs, "it sees no recipients beside the sender"),
                Need::Forwarder => (can.forwards, "it sees no recipient beside the sender"),
            };
            if concerned && !can.meets.contains(&need) {
                sentences.push(format!("[{}] cannot honour {key}: {why}; take one of the two out", face.as_str()));
            }
        }
    }
    sentences
}
