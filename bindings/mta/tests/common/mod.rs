//! Starts the real daemon on sockets of a folder of its own, and speaks to it.
//!
//! Nothing is left behind: the process ends and the folder goes when a [`Daemon`] is dropped, also when a test fails.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![allow(dead_code, unreachable_pub, reason = "each test file uses some of it")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use backstop::{Day, Form, KeyRing, batv};

/// A ring that has signed for long, and knows srs.
pub const RING: &str = "version 1\n\
    prvs 4 sha256 10 2020-01-01 - * text:the key of these tests\n\
    srs 0 sha1 21 2020-01-01 - * text:the srs key of these tests\n";
/// The longest that anything here may take.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// A folder that goes when dropped.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("backstopd-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file that only its owner may read, as a ring must be.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A running daemon.
pub struct Daemon {
    pub folder: Folder,
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Daemon {
    /// Starts with this configuration; `DIR` in it stands for the folder.
    pub fn start(config: &str) -> Daemon {
        Daemon::start_with(config, |_| {})
    }

    pub fn start_with(config: &str, change: impl FnOnce(&mut Command)) -> Daemon {
        let daemon = Daemon::spawn(config, change);
        daemon.wait_for("is ready");
        daemon
    }

    /// Starts one that logs elsewhere, and waits until this holds.
    pub fn start_until(config: &str, ready: impl Fn(&Folder) -> bool) -> Daemon {
        let (daemon, begun) = (Daemon::spawn(config, |_| {}), Instant::now());
        while !ready(&daemon.folder) {
            assert!(begun.elapsed() < PATIENCE, "it does not start:\n{}", daemon.log().join("\n"));
            std::thread::sleep(Duration::from_millis(5));
        }
        daemon
    }

    fn spawn(config: &str, change: impl FnOnce(&mut Command)) -> Daemon {
        let folder = Folder::new();
        folder.write("keys", RING);
        let mut command = Command::new(env!("CARGO_BIN_EXE_backstopd"));
        command.arg("--config").arg(folder.path("config")).arg("--state").arg(folder.path("."));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        change(&mut command);
        write_config(&folder, config);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (to, from) = (Arc::clone(&lines), child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in BufReader::new(from).lines().map_while(Result::ok) {
                to.lock().unwrap().push(line);
            }
        });
        Daemon { folder, child, lines }
    }

    /// Waits until a line of the log holds this, and gives the line.
    pub fn wait_for(&self, what: &str) -> String {
        let begun = Instant::now();
        loop {
            let found = self.log().into_iter().find(|line| line.contains(what));
            match found {
                Some(line) => return line,
                None if begun.elapsed() > PATIENCE => panic!("no line with {what:?} in\n{}", self.log().join("\n")),
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    /// All lines so far.
    pub fn log(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    pub fn clear_log(&self) {
        self.lines.lock().unwrap().clear();
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, name: &str) {
        let done = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().unwrap();
        assert!(done.success());
    }

    /// Replaces the configuration and reloads; gives the line that tells how it went.
    pub fn reload(&self, config: &str) -> String {
        write_config(&self.folder, config);
        self.clear_log();
        self.signal("HUP");
        self.wait_for("reload")
    }

    pub fn connect(&self, socket: &str) -> Peer {
        Peer::new(UnixStream::connect(self.folder.path(socket)).unwrap())
    }

    /// Waits for the end.
    pub fn ended(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn write_config(folder: &Folder, config: &str) {
    folder.write("config", &config.replace("DIR", folder.path("").to_str().unwrap().trim_end_matches('/')));
}

/// One end of a connection to the daemon.
pub struct Peer(pub UnixStream);

impl Peer {
    pub fn new(stream: UnixStream) -> Peer {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Peer(stream)
    }

    pub fn send(&mut self, octets: impl AsRef<[u8]>) {
        self.0.write_all(octets.as_ref()).unwrap();
    }

    /// Reads this many octets.
    pub fn take(&mut self, length: usize) -> String {
        let mut octets = vec![0; length];
        self.0.read_exact(&mut octets).unwrap();
        String::from_utf8(octets).unwrap()
    }

    /// Reads until this end.
    pub fn until(&mut self, end: &str) -> String {
        let mut text = String::new();
        while !text.ends_with(end) {
            text += &self.take(1);
        }
        text
    }

    /// Everything until the daemon closes the connection.
    pub fn rest(&mut self) -> String {
        let mut text = String::new();
        match self.0.read_to_string(&mut text) {
            Ok(_) => text,
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => text,
            Err(error) => panic!("the connection is not closed: {error}"),
        }
    }

    /// The answer of a socketmap.
    pub fn map(&mut self, map: &str, key: &str) -> String {
        self.send(netstring(&format!("{map} {key}")));
        self.netstring()
    }

    pub fn netstring(&mut self) -> String {
        let length = self.until(":");
        let text = self.take(length.trim_end_matches(':').parse().unwrap());
        assert_eq!(self.take(1), ",");
        text
    }

    /// The answer of a tcp_table.
    pub fn get(&mut self, key: &str) -> String {
        self.send(format!("get {key}\n"));
        self.until("\n").trim_end().to_owned()
    }

    /// The action of the policy service.
    pub fn ask(&mut self, state: &str, sender: &str, recipient: &str, more: &str) -> String {
        self.send(format!(
            "request=smtpd_access_policy\nprotocol_state={state}\nsender={sender}\nrecipient={recipient}\n\
             client_address=192.0.2.1\nclient_port=2525\nqueue_id=\n{more}\n"
        ));
        let answer = self.until("\n\n");
        answer.strip_prefix("action=").unwrap().trim_end().to_owned()
    }
}

pub fn netstring(text: &str) -> String {
    format!("{}:{text},", text.len())
}

pub fn today() -> Day {
    Day::today().unwrap()
}

/// The sender as the ring of these tests signed it some days ago.
pub fn signed(sender: &str, days_ago: u32) -> String {
    let ring = KeyRing::parse(RING.as_bytes()).unwrap();
    let signed = batv::sign(&ring, sender.as_bytes(), Form::Prefix, today().minus(days_ago)).unwrap();
    signed.address().unwrap().to_string()
}

/// A tag of the right shape that no key made.
pub fn forged(sender: &str) -> String {
    let genuine = signed(sender, 0);
    let (head, rest) = genuine.split_at("prvs=4123".len());
    let (mac, rest) = rest.split_at(6);
    let other: String = mac.chars().map(|digit| if digit == '0' { '1' } else { '0' }).collect();
    assert_ne!(mac, other);
    [head, &other, rest].concat()
}

/// Whether something listens there.
pub fn listens(path: &Path) -> bool {
    UnixStream::connect(path).is_ok()
}
