//! Where a face listens, and who may use a Unix socket.
//!
//! ```text
//! address = "inet:" ip ":" port        an IPv6 address in brackets: inet:[::1]:10028; [::] takes no IPv4, [::ffff:127.0.0.1]
//!                                      is 127.0.0.1
//!         / "unix:" path               absolute, at most 100 octets
//!         / "systemd:" name            all sockets that systemd hands over under this FileDescriptorName=
//! ```
//!
//! Host names are not resolved: what they mean may change between two starts.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

/// The longest path of a Unix socket: what sun_path holds on all systems, less the name of its forerunner.
const MAX_PATH: usize = 100;

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// A TCP address and port.
    Inet(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
    /// A socket handed over by systemd.
    Systemd(String),
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// The end of a sentence that begins with the address.
    pub fn parse(text: &str) -> Result<Address, &'static str> {
        if let Some(rest) = text.strip_prefix("inet:") {
            let (ip, port) =
                rest.rsplit_once(':').ok_or("has no port; write inet:127.0.0.1:10028 or inet:[::1]:10028")?;
            let bare = ip.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
            let ip = match bare {
                Some(ip) => ip.parse().ok().map(IpAddr::V6),
                None => ip.parse().ok().map(IpAddr::V4),
            };
            let ip = ip.ok_or("names no IP address; write inet:127.0.0.1:10028 or inet:[::1]:10028")?;
            // A socket that takes no IPv4 cannot have an IPv4 address in the form of IPv6.
            let ip = ip.to_canonical();
            let port = port.parse().ok().filter(|port| *port != 0).ok_or("must end in a port from 1 to 65535")?;
            return Ok(Address::Inet(SocketAddr::new(ip, port)));
        }
        if let Some(path) = text.strip_prefix("unix:") {
            if !Path::new(path).is_absolute() || path.ends_with('/') {
                return Err("names no absolute path; write unix:/run/backstopd/NAME");
            }
            if path.len() > MAX_PATH {
                return Err("has a path of more than 100 octets, which a socket cannot have");
            }
            return Ok(Address::Unix(PathBuf::from(path)));
        }
        match text.strip_prefix("systemd:") {
            Some("") => Err("lacks the socket's FileDescriptorName"),
            Some(name) => Ok(Address::Systemd(name.to_owned())),
            None => Err("is no address to listen on; write inet:127.0.0.1:10028, unix:/path or systemd:NAME"),
        }
    }
}

impl Address {
    /// Whether two listeners at these could be reached by one name: an address that is all of its host's meets each of them.
    pub fn meets(&self, other: &Address) -> bool {
        match (self, other) {
            (Address::Inet(one), Address::Inet(two)) => {
                let all = one.ip().is_unspecified() || two.ip().is_unspecified();
                one.port() == two.port() && (one.ip() == two.ip() || (all && one.is_ipv4() == two.is_ipv4()))
            }
            (Address::Unix(one), Address::Unix(two)) => resolved(one) == resolved(two),
            (one, two) => one == two,
        }
    }
}

/// The path with its folders as they are, as far as they can be told.
fn resolved(path: &Path) -> PathBuf {
    let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
    folder.zip(path.file_name()).map_or_else(|| path.to_owned(), |(folder, name)| folder.join(name))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Inet(address) => write!(f, "inet:{address}"),
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
            Address::Systemd(name) => write!(f, "systemd:{name}"),
        }
    }
}

/// Owner, group and mode of a Unix socket.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rights {
    /// The user's name; `None` leaves the one who runs the daemon.
    pub owner: Option<String>,
    /// The group's name; `None` leaves the one of the folder or process.
    pub group: Option<String>,
    /// The permissions.
    pub mode: u32,
}

impl Rights {
    /// The mode unless one is set: whoever is not in the group stays outside.
    pub const MODE: u32 = 0o660;

    /// Reads a mode such as `0660`.
    ///
    /// # Errors
    /// The end of a sentence that begins with the key.
    pub fn parse_mode(text: &str) -> Result<u32, &'static str> {
        let mode = if text.len() == 4 && text.bytes().all(|it| it.is_ascii_digit()) {
            u32::from_str_radix(text, 8).ok()
        } else {
            None
        };
        mode.filter(|mode| *mode <= 0o777 && mode & 0o200 != 0)
            .ok_or("must be four octal digits that let the owner write, such as \"0660\"")
    }
}

impl Default for Rights {
    fn default() -> Rights {
        Rights { owner: None, group: None, mode: Rights::MODE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_they_are_read() {
        for text in ["inet:127.0.0.1:10028", "inet:[::1]:1", "unix:/run/x", "systemd:socketmap"] {
            assert_eq!(Address::parse(text).unwrap().to_string(), text);
        }
        // One address, one name.
        assert_eq!(Address::parse("inet:[::ffff:127.0.0.1]:1"), Address::parse("inet:127.0.0.1:1"));
    }

    #[test]
    fn what_is_no_address_is_told_how_to_write_one() {
        for (text, what) in [
            ("", "is no address to listen on; write inet:127.0.0.1:10028, unix:/path or systemd:NAME"),
            ("127.0.0.1:1", "is no address to listen on; write inet:127.0.0.1:10028, unix:/path or systemd:NAME"),
            ("inet:", "has no port; write inet:127.0.0.1:10028 or inet:[::1]:10028"),
            ("inet:localhost:1", "names no IP address; write inet:127.0.0.1:10028 or inet:[::1]:10028"),
            ("inet:::1:1", "names no IP address; write inet:127.0.0.1:10028 or inet:[::1]:10028"),
            ("inet:127.0.0.1:0", "must end in a port from 1 to 65535"),
            ("inet:127.0.0.1:65536", "must end in a port from 1 to 65535"),
            ("unix:x", "names no absolute path; write unix:/run/backstopd/NAME"),
            ("unix:/run/", "names no absolute path; write unix:/run/backstopd/NAME"),
            ("systemd:", "lacks the socket's FileDescriptorName"),
        ] {
            assert_eq!(Address::parse(text), Err(what), "{text}");
        }
        let long = format!("unix:/{}", "x".repeat(100));
        assert_eq!(Address::parse(&long), Err("has a path of more than 100 octets, which a socket cannot have"));
    }

    #[test]
    fn all_addresses_of_a_family_meet_each_of_it_and_none_of_the_other() {
        let at = |text: &str| Address::parse(text).unwrap();
        for (one, two, meet) in [
            ("inet:127.0.0.1:1", "inet:127.0.0.1:1", true),
            ("inet:127.0.0.1:1", "inet:127.0.0.1:2", false),
            ("inet:127.0.0.1:1", "inet:127.0.0.2:1", false),
            ("inet:0.0.0.0:1", "inet:127.0.0.1:1", true),
            ("inet:[::]:1", "inet:[::1]:1", true),
            ("inet:[::]:1", "inet:0.0.0.0:1", false),
            ("inet:[::]:1", "inet:127.0.0.1:1", false),
            ("unix:/usr/../usr/x", "unix:/usr/x", true),
            ("unix:/usr/x", "unix:/usr/y", false),
            ("unix:/none/../x", "unix:/none/y", false),
            ("unix:/x", "systemd:x", false),
            ("systemd:x", "systemd:x", true),
        ] {
            assert_eq!((at(one).meets(&at(two)), at(two).meets(&at(one))), (meet, meet), "{one} {two}");
        }
    }

    #[test]
    fn a_mode_is_four_octal_digits_with_write_for_the_owner() {
        assert_eq!(Rights::parse_mode("0660"), Ok(0o660));
        for text in ["660", "0860", "1777", "0444", "", "+660"] {
            assert!(Rights::parse_mode(text).is_err(), "{text}");
        }
    }
}
