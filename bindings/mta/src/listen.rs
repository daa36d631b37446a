//! Listeners of all kinds: TCP, Unix sockets with their rights, sockets that systemd hands over.
//!
//! A Unix socket is made beside its path, given its owner, group and mode, and renamed into place: nobody ever sees it
//! with other rights, and what a killed daemon left behind is replaced. A socket on which somebody still listens is not
//! taken away. Accepting goes on after every error: out of descriptors, the idlest connection of all goes, or there is a pause.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::net::{UnixListener as StdUnixListener, UnixStream as StdUnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

use backstop::keyfile;
use listenfd::ListenFd;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::{Group, User};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, UnixListener};

use crate::config::{Address, Endpoint, Rights};
use crate::stop::{Exit, Stop};

/// How long accepting rests when there are no descriptors.
pub const PAUSE: Duration = Duration::from_millis(100);
/// How long it rests after an idle connection was ended for it.
pub const TURN: Duration = Duration::from_millis(1);
/// How many connections the kernel keeps until they are accepted.
pub const BACKLOG: u32 = 1024;

/// A connection of either kind.
pub trait Duplex: AsyncRead + AsyncWrite + AsFd + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + AsFd + Unpin + Send> Duplex for T {}

/// A socket that listens.
#[derive(Debug)]
pub enum Listener {
    /// TCP.
    Tcp(TcpListener),
    /// A Unix socket, with its file if it is our own.
    Unix(UnixListener, Option<SocketFile>),
}

impl Listener {
    /// Waits for a connection.
    ///
    /// # Errors
    /// Those of accept(2).
    pub async fn accept(&self) -> io::Result<Box<dyn Duplex>> {
        Ok(match self {
            Listener::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // Only costs time if it fails.
                let _ = stream.set_nodelay(true);
                Box::new(stream)
            }
            Listener::Unix(listener, _) => Box::new(listener.accept().await?.0),
        })
    }
}

impl Listener {
    /// Whether somebody waits to be accepted.
    pub fn is_awaited(&self) -> bool {
        let fd = match self {
            Listener::Tcp(listener) => listener.as_fd(),
            Listener::Unix(listener, _) => listener.as_fd(),
        };
        // If that cannot be asked, somebody may.
        poll(&mut [PollFd::new(fd, PollFlags::POLLIN)], PollTimeout::ZERO).map_or(true, |ready| ready > 0)
    }
}

/// Whether an error of accept(2) concerns one connection only.
pub fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

/// The name of a Unix socket; it goes when this is dropped, unless somebody else has it by then.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    inode: u64,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|it| it.ino() == self.inode) {
            // What cannot be removed is replaced at the next start.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The sockets that systemd handed over, by their names, until a listener takes them.
pub struct Handed {
    fds: ListenFd,
    names: Vec<String>,
    taken: Vec<bool>,
}

impl Handed {
    /// Takes over what the environment tells of; once, before any thread is started.
    pub fn from_env() -> Handed {
        let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
        let fds = ListenFd::from_env();
        let mut names: Vec<String> = names.split(':').map(str::to_owned).collect();
        names.resize(fds.len(), String::new());
        Handed { taken: vec![false; fds.len()], fds, names }
    }

    /// None, for a process that systemd does not start.
    pub fn none() -> Handed {
        Handed { fds: ListenFd::empty(), names: Vec::new(), taken: Vec::new() }
    }

    fn take(&mut self, name: &str) -> Result<Listener, String> {
        let at = self.names.iter().zip(&self.taken).position(|(it, taken)| it == name && !taken);
        let Some(at) = at else {
            let known: Vec<&str> = self.names.iter().map(String::as_str).collect();
            return Err(match known.is_empty() {
                true => "systemd handed over no socket; start the socket unit".to_owned(),
                false => {
                    format!("systemd handed over no free socket of this name; its sockets are {}", known.join(", "))
                }
            });
        };
        if let Some(taken) = self.taken.get_mut(at) {
            *taken = true;
        }
        let failed = |error: io::Error| format!("the socket of systemd cannot be used: {error}");
        if let Ok(Some(listener)) = self.fds.take_unix_listener(at) {
            listener.set_nonblocking(true).map_err(failed)?;
            return UnixListener::from_std(listener).map(|it| Listener::Unix(it, None)).map_err(failed);
        }
        match self.fds.take_tcp_listener(at) {
            Ok(Some(listener)) => {
                listener.set_nonblocking(true).map_err(failed)?;
                TcpListener::from_std(listener).map(Listener::Tcp).map_err(failed)
            }
            _ => Err("the socket of systemd is no listening stream socket; see ListenStream= in its unit".to_owned()),
        }
    }
}

/// Binds an endpoint.
///
/// # Errors
/// One sentence with the face and the address.
pub fn bind(endpoint: &Endpoint, handed: &mut Handed) -> Result<Listener, Stop> {
    let bound = match &endpoint.address {
        Address::Inet(address) => bind_inet(*address),
        Address::Unix(path) => bind_unix(path, &endpoint.rights),
        Address::Systemd(name) => handed.take(name),
    };
    bound.map_err(|why| {
        let (face, address) = (endpoint.table(), &endpoint.address);
        Stop::new(Exit::Os, format!("[{face}] cannot listen at {address}: {why}"))
    })
}

fn bind_inet(address: SocketAddr) -> Result<Listener, String> {
    let listen = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    listen().map(Listener::Tcp).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => "another program listens there; end it or take another port".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this host has no such address".to_owned(),
        _ => keyfile::in_words(&error),
    })
}

fn bind_unix(path: &Path, rights: &Rights) -> Result<Listener, String> {
    let (owner, group) = ids(rights)?;
    let words = |error: io::Error| keyfile::in_words_of_new(&error);
    if let Ok(there) = fs::symlink_metadata(path) {
        if !there.file_type().is_socket() {
            return Err("something that is no socket has this name; move it away".to_owned());
        }
        if StdUnixStream::connect(path).is_ok() {
            return Err("another program listens there; end it or take another path".to_owned());
        }
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    if fs::symlink_metadata(&beside).is_ok_and(|it| it.file_type().is_socket()) {
        fs::remove_file(&beside).map_err(words)?;
    }
    let listen = || -> io::Result<(StdUnixListener, u64)> {
        let listener = StdUnixListener::bind(&beside)?;
        if owner.is_some() || group.is_some() {
            chown(&beside, owner, group)?;
        }
        fs::set_permissions(&beside, fs::Permissions::from_mode(rights.mode))?;
        let inode = fs::symlink_metadata(&beside)?.ino();
        fs::rename(&beside, path)?;
        listener.set_nonblocking(true)?;
        Ok((listener, inode))
    };
    let made = listen().and_then(|(listener, inode)| Ok((UnixListener::from_std(listener)?, inode)));
    match made {
        Ok((listener, inode)) => Ok(Listener::Unix(listener, Some(SocketFile { path: path.to_owned(), inode }))),
        Err(error) => {
            let _ = fs::remove_file(&beside);
            Err(words(error))
        }
    }
}

/// Gives the socket of an endpoint that listens already the rights that a new configuration wants.
///
/// # Errors
/// One sentence with the face and the address.
pub fn give_rights(endpoint: &Endpoint) -> Result<(), Stop> {
    let Address::Unix(path) = &endpoint.address else { return Ok(()) };
    let rights = &endpoint.rights;
    let given = ids(rights).and_then(|(owner, group)| {
        let given = chown(path, owner, group);
        let given = given.and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(rights.mode)));
        given.map_err(|error| keyfile::in_words(&error))
    });
    given.map_err(|why| {
        let face = endpoint.table();
        Stop::new(Exit::Os, format!("[{face}] cannot change the rights of {}: {why}", path.display()))
    })
}

/// The numbers of owner and group.
fn ids(rights: &Rights) -> Result<(Option<u32>, Option<u32>), String> {
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
