//! Listeners of all kinds: TCP, Unix sockets (`unix.rs` makes them), sockets that systemd hands over.
//!
//! Accepting goes on after every error: out of descriptors, the idlest connection of all goes, or there is a pause.

use std::collections::BTreeSet;
use std::env;
use std::io;
use std::net::{SocketAddr, TcpListener as StdTcpListener};
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener as StdUnixListener;
use std::time::Duration;

use backstop::keyfile;
use listenfd::ListenFd;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};

use crate::config::{Address, Endpoint};
use crate::stop::{Exit, Stop};
use crate::unix::{self, Made, SocketFile};

/// Begins the sentence about an address that is not free.
pub(crate) const TAKEN: &str = "another program listens there";
/// How long accepting rests when there are no descriptors.
pub const PAUSE: Duration = Duration::from_millis(100);
/// How long it rests after an idle connection was ended for it.
pub const TURN: Duration = Duration::from_millis(1);
/// How many connections the kernel keeps until they are accepted.
pub const BACKLOG: i32 = 1024;

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
    /// The file, if it is our own.
    pub fn made(&self) -> Option<&Made> {
        match self {
            Listener::Unix(_, Some(file)) => Some(file.made()),
            Listener::Unix(_, None) | Listener::Tcp(_) => None,
        }
    }

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

/// The sockets that systemd handed over, with their names, of which several may have one. They stay open as long as the daemon runs; a listener gets a
/// duplicate, so that one that ends, or is not wanted after all, uses nothing up.
pub struct Handed(Vec<(String, Given)>);

enum Given {
    Unix(StdUnixListener),
    Tcp(StdTcpListener),
    /// No listening stream socket.
    Other,
}

impl Handed {
    /// Takes over what the environment tells of; once, before any thread is started.
    pub fn from_env() -> Handed {
        let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut fds = ListenFd::from_env();
        let mut names: Vec<String> = names.split(':').map(str::to_owned).collect();
        names.resize(fds.len(), String::new());
        let mut given = |at| match (fds.take_unix_listener(at), fds.take_tcp_listener(at)) {
            (Ok(Some(listener)), _) => Given::Unix(listener),
            (_, Ok(Some(listener))) => Given::Tcp(listener),
            _ => Given::Other,
        };
        Handed(names.into_iter().enumerate().map(|(at, name)| (name, given(at))).collect())
    }

    /// None, for a process that systemd does not start.
    pub const fn none() -> Handed {
        Handed(Vec::new())
    }

    /// A word about each name of which no endpoint makes use: who connects there waits for ever.
    pub fn unserved(&self, endpoints: &[Endpoint]) -> Vec<String> {
        let is_served =
            |name: &str| endpoints.iter().any(|it| matches!(&it.address, Address::Systemd(it) if it == name));
        let names: BTreeSet<&str> = self.0.iter().map(|(name, _)| name.as_str()).filter(|it| !is_served(it)).collect();
        let word = |name| {
            format!(
                "systemd handed over a socket named {name:?} at which no face listens; end its unit, or name it in `listen`"
            )
        };
        names.into_iter().map(word).collect()
    }

    fn listeners(&self, name: &str) -> Result<Vec<Listener>, String> {
        let all: Vec<Listener> =
            self.0.iter().filter(|(it, _)| it == name).map(|(_, given)| given.listener()).collect::<Result<_, _>>()?;
        if all.is_empty() {
            let known: BTreeSet<&str> = self.0.iter().map(|(name, _)| name.as_str()).collect();
            let known: Vec<&str> = known.into_iter().collect();
            return Err(match known.is_empty() {
                true => "systemd handed over no socket; start the socket unit".to_owned(),
                false => format!("systemd handed over no socket of this name; its sockets are {}", known.join(", ")),
            });
        }
        Ok(all)
    }
}

impl Given {
    fn listener(&self) -> Result<Listener, String> {
        let made = match self {
            Given::Unix(listener) => listener.try_clone().and_then(|listener| {
                listener.set_nonblocking(true)?;
                UnixListener::from_std(listener).map(|it| Listener::Unix(it, None))
            }),
            Given::Tcp(listener) => listener.try_clone().and_then(|listener| {
                listener.set_nonblocking(true)?;
                TcpListener::from_std(listener).map(Listener::Tcp)
            }),
            Given::Other => {
                return Err(
                    "the socket of systemd is no listening stream socket; see ListenStream= in its unit".to_owned()
                );
            }
        };
        made.map_err(|error| format!("the socket of systemd cannot be used: {error}"))
    }
}

/// Binds an endpoint: several listeners where systemd handed over several sockets of its name. `own` tells, where something
/// listens there already, at which address this daemon does.
///
/// # Errors
/// One sentence with the face and the address.
pub fn bind(
    endpoint: &Endpoint,
    handed: &Handed,
    own: impl FnOnce() -> Option<Address>,
) -> Result<Vec<Listener>, Stop> {
    let bound = match &endpoint.address {
        Address::Inet(address) => bind_inet(*address).map(|it| vec![it]),
        Address::Unix(path) => {
            unix::bind(path, &endpoint.rights).map(|(listener, file)| vec![Listener::Unix(listener, Some(file))])
        }
        Address::Systemd(name) => handed.listeners(name),
    };
    bound.map_err(|why| match why.starts_with(TAKEN).then(own).flatten() {
        // What a reload takes away is closed when all else is bound.
        Some(own) => cannot_listen(
            endpoint,
            &format!(
                "this daemon itself listens there, at {own}; take another address, or restart it if {own} is to go"
            ),
        ),
        None => cannot_listen(endpoint, &why),
    })
}

fn cannot_listen(endpoint: &Endpoint, why: &str) -> Stop {
    let (face, address) = (endpoint.table(), &endpoint.address);
    Stop::new(Exit::Os, format!("[{face}] cannot listen at {address}: {why}"))
}

fn bind_inet(address: SocketAddr) -> Result<Listener, String> {
    let listen = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        if address.is_ipv6() {
            // [::] is every IPv6 address and no other, so that 0.0.0.0 can stand beside it.
            socket.set_only_v6(true)?;
        }
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        TcpListener::from_std(socket.into())
    };
    listen().map(Listener::Tcp).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => format!("{TAKEN}; end it or take another port"),
        io::ErrorKind::AddrNotAvailable => "this host has no such address".to_owned(),
        _ => keyfile::in_words(&error),
    })
}

/// Whether owner and group of an endpoint's socket are known here, for a check that binds nothing.
///
/// # Errors
/// What binding would say.
pub fn check_rights(endpoint: &Endpoint) -> Result<(), Stop> {
    let Address::Unix(_) = &endpoint.address else { return Ok(()) };
    unix::ids(&endpoint.rights).map(drop).map_err(|why| cannot_listen(endpoint, &why))
}
