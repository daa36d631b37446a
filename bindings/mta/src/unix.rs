//! Unix sockets: their files, whose they are, and whether somebody listens there already.
//!
//! A socket is made beside its path, given its owner, group and mode, and renamed into place: nobody ever sees it with other
//! rights, and what a killed daemon left behind is replaced. Only a name that the kernel says nobody listens at is taken:
//! a program whose queue is full listens as well, and one with another kind of socket has its name, too.
//!
//! Rights that the configuration changes while the daemon runs are given to all sockets or to none; owner, group and mode that
//! it does not change are left as they are, whoever gave them.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixListener as StdUnixListener;
use std::path::{Path, PathBuf};

use backstop::keyfile;
use nix::errno::Errno;
use nix::unistd::{Group, User};
use socket2::{Domain, SockAddr, Socket, Type};
use tokio::net::UnixListener;

use crate::config::{Endpoint, Rights};
use crate::listen::TAKEN;
use crate::stop::{Exit, Stop};

/// A socket's file as it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    path: PathBuf,
    inode: u64,
    /// Owner and group without a configuration that names others.
    uid: u32,
    gid: u32,
}

impl Made {
    /// Whether its name still leads to it.
    pub fn is_there(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok_and(|it| it.ino() == self.inode)
    }
}

/// The name of a Unix socket; it goes when this is dropped, unless somebody else has it by then.
#[derive(Debug)]
pub struct SocketFile(Made);

impl SocketFile {
    /// What can be asked of it elsewhere.
    pub const fn made(&self) -> &Made {
        &self.0
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.0.is_there() {
            // What cannot be removed is replaced at the next start.
            let _ = fs::remove_file(&self.0.path);
        }
    }
}

/// Makes a socket that listens.
///
/// # Errors
/// The end of a sentence that begins with the address.
pub fn bind(path: &Path, rights: &Rights) -> Result<(UnixListener, SocketFile), String> {
    let (owner, group) = ids(rights)?;
    let words = |error: io::Error| keyfile::in_words_of_new(&error);
    is_left_behind(path)?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    if is_left_behind(&beside).map_err(|why| format!("{}: {why}", beside.display()))? {
        fs::remove_file(&beside).map_err(words)?;
    }
    let listener = StdUnixListener::bind(&beside).map_err(words)?;
    let finish = || {
        listener.set_nonblocking(true)?;
        let listener = UnixListener::from_std(listener)?;
        let there = fs::symlink_metadata(&beside)?;
        let made = Made { path: path.to_owned(), inode: there.ino(), uid: there.uid(), gid: there.gid() };
        if owner.is_some() || group.is_some() {
            chown(&beside, owner, group)?;
        }
        fs::set_permissions(&beside, Permissions::from_mode(rights.mode))?;
        fs::rename(&beside, path)?;
        Ok((listener, SocketFile(made)))
    };
    finish().map_err(|error| {
        let _ = fs::remove_file(&beside);
        words(error)
    })
}

/// Whether a socket has this name at which nobody listens any more; false if nothing has it.
fn is_left_behind(path: &Path) -> Result<bool, String> {
    let Ok(there) = fs::symlink_metadata(path) else { return Ok(false) };
    if !there.file_type().is_socket() {
        return Err("something that is no socket has this name; move it away".to_owned());
    }
    // Without waiting: the queue of a program that hangs may be full for ever.
    let asked = Socket::new(Domain::UNIX, Type::STREAM, None).and_then(|socket| {
        socket.set_nonblocking(true)?;
        socket.connect(&SockAddr::unix(path)?)
    });
    match asked.map_err(|error| (error.kind(), error)) {
        Err((io::ErrorKind::ConnectionRefused, _)) => Ok(true),
        Err((io::ErrorKind::NotFound, _)) => Ok(false),
        Ok(()) | Err((io::ErrorKind::WouldBlock, _)) => Err(format!("{TAKEN}; end it or take another path")),
        Err((_, error)) if error.raw_os_error() == Some(Errno::EPROTOTYPE as i32) => {
            Err("another kind of socket is in use there; end its program or take another path".to_owned())
        }
        Err((_, error)) => {
            let why = keyfile::in_words(&error);
            Err(format!("whether another program listens there cannot be told: {why}"))
        }
    }
}

/// Gives sockets that listen already, with these rights by the old configuration, those that a new one wants, all of them or
/// none.
///
/// # Errors
/// One sentence with the face and the address.
pub fn give_rights(sockets: &[(Rights, &Endpoint, &Made)]) -> Result<(), Stop> {
    let failed = |endpoint: &Endpoint, made: &Made, why: &str| {
        let (face, path) = (endpoint.table(), made.path.display());
        Stop::new(Exit::Os, format!("[{face}] cannot change the rights of {path}: {why}"))
    };
    let mut changes = Vec::new();
    for (old, endpoint, made) in sockets {
        let (before, wanted) = (Owned::at(&made.path).map_err(|it| keyfile::in_words(&it)), ids(&endpoint.rights));
        let (before, (owner, group)) =
            before.and_then(|before| Ok((before, wanted?))).map_err(|why| failed(endpoint, made, &why))?;
        let new = &endpoint.rights;
        let uid = if new.owner == old.owner { before.uid } else { owner.unwrap_or(made.uid) };
        let gid = if new.group == old.group { before.gid } else { group.unwrap_or(made.gid) };
        let mode = if new.mode == old.mode { before.mode } else { new.mode };
        changes.push((before, Owned { uid, gid, mode }));
    }
    for (at, ((_, wanted), (_, endpoint, made))) in changes.iter().zip(sockets).enumerate() {
        if let Err(error) = wanted.give(&made.path) {
            // This one too: its owner may be changed already.
            for ((before, _), (.., made)) in changes.iter().zip(sockets).take(at + 1) {
                let _ = before.give(&made.path);
            }
            return Err(failed(endpoint, made, &keyfile::in_words(&error)));
        }
    }
    Ok(())
}

/// Whose a file is, and who may use it.
struct Owned {
    uid: u32,
    gid: u32,
    mode: u32,
}

impl Owned {
    fn at(path: &Path) -> io::Result<Owned> {
        let there = fs::symlink_metadata(path)?;
        Ok(Owned { uid: there.uid(), gid: there.gid(), mode: there.mode() & 0o7777 })
    }

    fn give(&self, path: &Path) -> io::Result<()> {
        chown(path, Some(self.uid), Some(self.gid))?;
        fs::set_permissions(path, Permissions::from_mode(self.mode))
    }
}

/// The numbers of owner and group.
pub(crate) fn ids(rights: &Rights) -> Result<(Option<u32>, Option<u32>), String> {
    let mut ids = (None, None);
    if let Some(name) = &rights.owner {
        let user = User::from_name(name).map_err(|error| format!("the users cannot be looked up: {error}"))?;
        let user = user.ok_or_else(|| format!("there is no user {name:?}; see socket-owner"))?;
        ids.0 = Some(user.uid.as_raw());
    }
    if let Some(name) = &rights.group {
        let group = Group::from_name(name).map_err(|error| format!("the groups cannot be looked up: {error}"))?;
        let group = group.ok_or_else(|| format!("there is no group {name:?}; see socket-group"))?;
        ids.1 = Some(group.gid.as_raw());
    }
    Ok(ids)
}
