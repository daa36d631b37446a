//! Running without a file: the configuration that `--domain` stands for, and the lines that bring Postfix to it.
//!
//! The lines hang signing on a cleanup service of its own that only submission and pickup use, since a map sees no
//! client: on the ordinary one, an outsider who forges an own sender through a forward would get a valid tag. Both
//! canonical classes are set to the envelope: the defaults write tags into the headers of local mail.

use std::fmt::Write as _;
use std::path::Path;

use backstop::settings::{list, quoted};

/// The first of the loopback ports: socketmap, then the policy service.
pub const PORT: u16 = 10_028;

/// The text of the configuration.
pub fn config(domains: &[String], port: u16) -> String {
    let (policy, next) = (policy(domains), port.saturating_add(1));
    format!(
        "{policy}\n[socketmap]\nlisten = [\"inet:127.0.0.1:{port}\"]\n\n\
         [policy-service]\nlisten = [\"inet:127.0.0.1:{next}\"]\n"
    )
}

/// The text of the configuration of a filter of OpenSMTPD.
pub fn filter_config(domains: &[String]) -> String {
    policy(domains) + "\n[filter]\n"
}

fn policy(domains: &[String]) -> String {
    format!("[policy]\nown-domains = {}\nmode = \"observe\"\n", list(domains))
}

/// What to do with it, for people; `ring` is the one that was made where the unit looks for none.
pub fn advice(domains: &[String], port: u16, ring: Option<&Path>) -> String {
    let mut text = String::from("# The configuration that runs, to be kept in /etc/backstop/backstopd.toml:\n#\n");
    let mut config = config(domains, port);
    // Writing to a String cannot fail.
    if let Some(ring) = ring {
        let _ = write!(config, "\n[keys]\nfile = {}\n", quoted(&ring.display().to_string()));
    }
    for line in config.lines() {
        let _ = writeln!(text, "{}", format!("#   {line}").trim_end());
    }
    let next = port.saturating_add(1);
    text + &format!(
        "\n# Postfix, main.cf, where a map that is there stays in front:\n\
         recipient_canonical_maps = socketmap:inet:127.0.0.1:{port}:verify\n\
         recipient_canonical_classes = envelope_recipient\n\
         sender_canonical_classes = envelope_sender\n\
         # in smtpd_recipient_restrictions, behind what permits own clients and refuses relaying:\n\
         #   check_policy_service inet:127.0.0.1:{next}\n\
         \n# Postfix, master.cf: only mail that is submitted here is signed\n\
         sign-cleanup unix n - n - 0 cleanup\n\
         \x20   -o sender_canonical_maps=socketmap:inet:127.0.0.1:{port}:sign\n\
         # and one line below each of submission, submissions (smtps) and pickup:\n\
         #   -o cleanup_service_name=sign-cleanup\n"
    )
}
