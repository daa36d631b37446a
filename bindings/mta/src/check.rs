//! `backstopd check`: validates as a start would, listens nowhere, makes nothing, and prints what holds.

use backstop::policy::Need;

use crate::args::Source;
use crate::clock::Clock;
use crate::faces::Face;
use crate::server;
use crate::stop::Stop;

/// The effective configuration, and remarks as comments.
///
/// # Errors
/// What a start would say.
pub fn run(source: &Source) -> Result<String, Stop> {
    let clock = Clock::System;
    let loaded = server::load(source.load()?, &source.given.state, &clock, false)?;
    let snapshot = &loaded.snapshot;
    let mut text = String::new();
    for notice in &loaded.notices {
        text += &format!("# {notice}\n");
    }
    let faces = || snapshot.config.endpoints.iter().filter_map(|it| it.face);
    let late = snapshot.config.policy.needs(Need::RefuseAtData);
    if late && faces().any(|face| face == Face::PolicyService) && !snapshot.config.policy_service_at_data {
        text += "# [policy-service] refuses at rcpt, since at-data is not set\n";
    }
    Ok(text + &snapshot.config.to_toml(&snapshot.ring))
}
