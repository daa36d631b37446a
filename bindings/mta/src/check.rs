//! `backstopd check`: validates as a start would, listens nowhere, makes nothing, and prints what holds. The log, owners and
//! groups of sockets are tried; whether an address is free only a start can tell.
//!
//! Root may read everything, and the unit runs the daemon as the user `SERVICE`. So for the configuration of the package
//! root is told which of its files that user may not read: by their owner, group and mode alone, without the folders above.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use backstop::policy::Need;
use nix::unistd::{Gid, Group, Uid, User};

use crate::args::{self, Source};
use crate::clock::Clock;
use crate::faces::{self, Face};
use crate::stop::Stop;
use crate::{listen, log, server};

/// The user of the unit.
const SERVICE: &str = "backstop";

/// The effective configuration, and remarks as comments.
///
/// # Errors
/// What a start would say.
pub fn run(source: &Source) -> Result<String, Stop> {
    let clock = Clock::System;
    let loaded = server::load(source.load()?, &source.given.state, &clock, false)?;
    let snapshot = &loaded.snapshot;
    log::check(&snapshot.config.log)?;
    snapshot.config.endpoints.iter().try_for_each(listen::check_rights)?;
    let mut text = String::new();
    for notice in &loaded.notices {
        text += &format!("# {notice}\n");
    }
    if source.is_of_package() && Uid::effective().is_root() {
        let ring = snapshot.config.keys.file.clone();
        for path in unreadable(&[Some(PathBuf::from(args::CONFIG)), ring]) {
            text += &format!(
                "# the user {SERVICE}, as which the unit runs the daemon, may not read {}; see with \
                 `runuser -u {SERVICE} -- backstopd check`\n",
                path.display()
            );
        }
    }
    let configured = || snapshot.config.endpoints.iter().filter_map(|it| it.face);
    let late = snapshot.config.policy.needs(Need::RefuseAtData);
    if late && configured().any(|face| face == Face::PolicyService) && !snapshot.config.policy_service_at_data {
        text += "# [policy-service] refuses at rcpt, since at-data is not set\n";
    }
    for need in faces::idle(&snapshot.config) {
        let key = need.key();
        text += &format!(
            "# {key} has no effect, since no face here can refuse: [milter], [policy-service] and [filter] can\n"
        );
    }
    Ok(text + &snapshot.config.to_toml(&snapshot.ring))
}

/// Those that the user of the unit may not read; none where there is no such user.
fn unreadable(paths: &[Option<PathBuf>]) -> Vec<&PathBuf> {
    let Some(user) = User::from_name(SERVICE).ok().flatten() else { return Vec::new() };
    let is_member = |gid: u32| {
        let group = Group::from_gid(Gid::from_raw(gid)).ok().flatten();
        gid == user.gid.as_raw() || group.is_some_and(|group| group.mem.iter().any(|member| member == SERVICE))
    };
    paths.iter().flatten().filter(|path| !may_read(path, user.uid.as_raw(), is_member)).collect()
}

/// Whether the mode lets this user read the file; one that is not there is told of elsewhere.
fn may_read(path: &Path, uid: u32, is_member: impl Fn(u32) -> bool) -> bool {
    let Ok(meta) = fs::metadata(path) else { return true };
    let right = match meta.uid() == uid {
        true => 0o400,
        false if is_member(meta.gid()) => 0o040,
        false => 0o004,
    };
    meta.mode() & right != 0
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_first_of_owner_group_and_others_that_fits_says_who_may_read() {
        let path = std::env::temp_dir().join(format!("backstopd-check-{}", std::process::id()));
        fs::write(&path, "").unwrap();
        let meta = fs::metadata(&path).unwrap();
        let (uid, gid) = (meta.uid(), meta.gid());
        for (mode, owner, member, other) in [
            (0o600, true, false, false),
            (0o640, true, true, false),
            (0o040, false, true, false),
            (0o604, true, false, true),
        ] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(may_read(&path, uid, |_| true), owner, "{mode:o}");
            assert_eq!(may_read(&path, uid + 1, |of| of == gid), member, "{mode:o}");
            assert_eq!(may_read(&path, uid + 1, |of| of == gid + 1), other, "{mode:o}");
        }
        fs::remove_file(&path).unwrap();
        assert!(may_read(&path, uid, |_| true));
    }
}
