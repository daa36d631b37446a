//! The effective configuration as TOML: what was set and what holds by default. Of the ring only fingerprints.

use std::fmt::Write as _;
use std::path::Path;

use backstop::KeyRing;
use backstop::settings::{list, quoted};

use super::{Address, Config, Endpoint};
use crate::faces::Face;

impl Config {
    /// The text; it reads back to the same configuration.
    pub fn to_toml(&self, ring: &KeyRing) -> String {
        let mut text = self.policy.to_toml();
        // Writing to a String cannot fail.
        let _ = self.write_rest(ring, &mut text);
        text
    }

    fn write_rest(&self, ring: &KeyRing, text: &mut String) -> std::fmt::Result {
        writeln!(text, "\n[keys]")?;
        for key in ring.keys() {
            writeln!(text, "# {} {} {}", key.usage(), key.id(), key.fingerprint())?;
        }
        writeln!(text, "# ring {}", ring.fingerprint())?;
        file(text, self.keys.file.as_deref())?;
        writeln!(text, "allow-unsafe = {}", self.keys.allow_unsafe)?;
        writeln!(text, "\n[log]")?;
        file(text, self.log.file.as_deref())?;
        writeln!(text, "format = {:?}", if self.log.json { "json" } else { "text" })?;
        writeln!(text, "addresses = {:?}", if self.log.redact { "domain" } else { "full" })?;
        writeln!(text, "events = {:?}", if self.log.all_events { "all" } else { "notable" })?;
        writeln!(text, "\n[limits]\nconnections = {}", self.limits.connections)?;
        writeln!(text, "idle-seconds = {}", self.limits.idle.as_secs())?;
        writeln!(text, "milter-idle-seconds = {}", self.limits.milter_idle.as_secs())?;
        writeln!(text, "request-seconds = {}", self.limits.request.as_secs())?;
        writeln!(text, "forged-per-hour = {}", self.limits.forged)?;
        Face::ALL.into_iter().map(Some).chain([None]).try_for_each(|face| self.write_face(face, text))?;
        self.filter.iter().try_for_each(|filter| writeln!(text, "\n[filter]\nsessions = {}", filter.sessions))?;
        if self.filter_metrics.is_empty() {
            return Ok(());
        }
        writeln!(text, "metrics = {}", list(self.filter_metrics.iter().map(|it| it.address.to_string())))
    }

    fn write_face(&self, face: Option<Face>, text: &mut String) -> std::fmt::Result {
        let all: Vec<&Endpoint> = self.endpoints.iter().filter(|it| it.face == face).collect();
        let Some(first) = all.first() else { return Ok(()) };
        writeln!(text, "\n[{}]", first.table())?;
        let addresses = |all: &mut dyn Iterator<Item = &&Endpoint>| list(all.map(|it| it.address.to_string()));
        match face {
            // It listens nowhere.
            Some(Face::Filter) => {}
            None => writeln!(text, "listen = {}", addresses(&mut all.iter()))?,
            Some(Face::Milter) => {
                writeln!(text, "listen = {}", addresses(&mut all.iter()))?;
                writeln!(text, "mark = {}", self.headers.mark)?;
                writeln!(text, "verdict-header = {}", quoted(self.headers.verdict.as_deref().unwrap_or_default()))?;
            }
            Some(Face::Socketmap) => {
                writeln!(text, "listen = {}", addresses(&mut all.iter()))?;
                writeln!(text, "maps = {}", list(first.maps.iter().map(|map| map.as_str().to_owned())))?;
            }
            Some(Face::TcpTable) => {
                for map in crate::faces::lookup::Map::ALL {
                    let mut its = all.iter().filter(|it| it.maps.contains(&map)).peekable();
                    if its.peek().is_some() {
                        writeln!(text, "{} = {}", map.as_str(), addresses(&mut its))?;
                    }
                }
            }
            Some(Face::PolicyService) => {
                writeln!(text, "listen = {}", addresses(&mut all.iter()))?;
                writeln!(text, "at-data = {}", self.policy_service_at_data)?;
            }
        }
        if all.iter().any(|it| matches!(it.address, Address::Unix(_))) {
            let rights = &first.rights;
            rights.owner.iter().try_for_each(|owner| writeln!(text, "socket-owner = {}", quoted(owner)))?;
            rights.group.iter().try_for_each(|group| writeln!(text, "socket-group = {}", quoted(group)))?;
            writeln!(text, "socket-mode = \"{:04o}\"", rights.mode)?;
        }
        Ok(())
    }
}

fn file(text: &mut String, path: Option<&Path>) -> std::fmt::Result {
    path.map_or(Ok(()), |path| writeln!(text, "file = {}", quoted(&path.display().to_string())))
}
