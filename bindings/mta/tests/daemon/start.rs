//! Start, check and stop: exit codes, the ring of our own, systemd.

use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use socket2::{Domain, SockAddr, Socket, Type};

use crate::common::{Daemon, Folder, Peer, RING, netstring};

const CONFIG: &str = "[policy]\nown-domains = [\"example.com\"]\n[keys]\nfile = \"DIR/keys\"\n\
    [socketmap]\nlisten = [\"unix:DIR/map\"]\n";

fn backstopd(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backstopd"));
    command.env_remove("STATE_DIRECTORY").args(args).stdin(Stdio::null()).output().unwrap()
}

fn ended(args: &[&str]) -> (i32, String) {
    let output = backstopd(args);
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_slip_in_the_command_line_is_one_sentence_that_steers_no_terminal() {
    for (args, sentence) in [
        (
            &["check", "--conf"][..],
            "unexpected argument '--conf' found; a similar argument exists: '--config'; see `backstopd check --help`",
        ),
        (
            &["stats", "--top", "x"],
            "invalid value 'x' for '--top <N>': invalid digit found in string; see `backstopd stats --help`",
        ),
        (&["man"], "the following required arguments were not provided: <FOLDER>; see `backstopd man --help`"),
        (&["--x\u{1b}[31m\n\u{202e}"], "unexpected argument '--x \\u{202e}' found; see `backstopd --help`"),
        (
            &["check", "--config", "a.toml", "--port", "1025"],
            "the argument '--config <FILE>' cannot be used with '--port <PORT>'; see `backstopd check --help`",
        ),
        (
            &["check", "a.toml", "--port", "1025"],
            "the argument '[FILE]' cannot be used with '--port <PORT>'; see `backstopd check --help`",
        ),
        (
            &["check", "a.toml", "--config", "b.toml"],
            "the argument '[FILE]' cannot be used with '--config <FILE>'; see `backstopd check --help`",
        ),
        (
            &["run", "--config", "a.toml", "--port", "1025"],
            "the argument '--config <FILE>' cannot be used with '--port <PORT>'; see `backstopd run --help`",
        ),
    ] {
        assert_eq!(ended(args), (64, format!("backstopd: {sentence}\n")), "{args:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn help_that_cannot_be_written_is_trouble() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ended = Command::new(env!("CARGO_BIN_EXE_backstopd")).arg("--help").stdout(full).output().unwrap();
    let expected = "backstopd: standard output cannot be written: no room is left on its file system; make some and try again; \
                    what came out so far is cut short\n";
    assert_eq!((ended.status.code(), String::from_utf8(ended.stderr).unwrap().as_str()), (Some(74), expected));
}

#[test]
fn every_trouble_has_its_exit_code_and_one_sentence() {
    let folder = Folder::new();
    let path = |name: &str| folder.path(name).to_str().unwrap().to_owned();
    let config = |name: &str, text: &str| {
        folder.write(name, &text.replace("DIR", path("").trim_end_matches('/')));
        path(name)
    };
    let good = config("good", CONFIG);
    assert_eq!(ended(&["check", "--config", &path("none")]), ended(&["check", &path("none")]));
    let (code, text) = ended(&["check", &path("none")]);
    assert_eq!(
        (code, text),
        (66, format!("backstopd: {}: cannot be opened: it is not there; correct its name\n", path("none")))
    );
    let (code, text) = ended(&["check", &good]);
    assert_eq!(
        (code, text),
        (66, format!("backstopd: {}: is not there; `backstop key new` makes a key ring\n", path("keys")))
    );
    folder.write("keys", "version 2\n");
    assert_eq!(ended(&["check", &good]).0, 65);
    folder.write("keys", RING);
    assert_eq!(ended(&["check", &good]), (0, String::new()));
    // What a start would refuse beside the configuration itself.
    for (with, exit, says) in [
        ("socket-group = \"no-such-group\"\n", 71, "there is no group \"no-such-group\"; see socket-group"),
        ("socket-owner = \"no-such-user\"\n", 71, "there is no user \"no-such-user\"; see socket-owner"),
        ("[log]\nfile = \"DIR/none/log\"\n", 73, "none/log cannot be opened: its folder is not there"),
        ("[log]\nfile = \"DIR\"\n", 73, " cannot be opened: "),
    ] {
        let bad = config("bad", &(CONFIG.to_owned() + with));
        let (checked, started) = (ended(&["check", &bad]), ended(&["--config", &bad]));
        assert_eq!(checked, started);
        assert!(checked.0 == exit && checked.1.contains(says), "{checked:?}");
    }
    let with_log = config("log", &(CONFIG.to_owned() + "[log]\nfile = \"DIR/log-of-it\"\n"));
    assert_eq!(ended(&["check", &with_log]), (0, String::new()));
    assert!(!folder.path("log-of-it").exists());
    let (code, text) = ended(&["check", &config("bad", "[polcy]\n")]);
    assert_eq!(
        (code, text),
        (78, format!("backstopd: {}: line 1: unknown key `polcy`; did you mean `policy`?\n", path("bad")))
    );
    assert_eq!(ended(&["--no-such-option"]).0, 64);
    assert_eq!(ended(&["--domain", "a b", "--state", &path("")]).0, 64);
    assert_eq!(ended(&["--config", &good, "--domain", "example.com"]).0, 64);
    let taken = UnixListener::bind(folder.path("map")).unwrap();
    let (code, text) = ended(&["--config", &good]);
    let expected = format!(
        "backstopd: [socketmap] cannot listen at unix:{}: another program listens there; end it or take another path\n",
        path("map")
    );
    assert_eq!((code, text), (71, expected));
    drop(taken);
    assert_eq!(ended(&["--domain", "example.com", "--state", "/proc/none", "--port", "65000"]).0, 73);
}

#[test]
fn check_prints_what_holds_and_no_secret_and_listens_nowhere() {
    let daemon = Daemon::start(CONFIG);
    let config = daemon.folder.path("config");
    let output = backstopd(&["check", config.to_str().unwrap()]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert!(text.contains("mode = \"observe\"\n") && text.contains("idle-seconds = 300\n"), "{text}");
    assert!(text.contains("# prvs 4 ") && text.contains("# ring "), "{text}");
    assert!(!text.contains("the key of these tests"), "{text}");
    // What it prints is a configuration.
    let printed = daemon.folder.write("printed", &text);
    let again = backstopd(&["check", printed.to_str().unwrap()]);
    assert_eq!(String::from_utf8(again.stdout).unwrap(), text);
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/backstopd.toml");
    assert_eq!(ended(&["check", shipped, "--state", "/nonexistent"]), (0, String::new()));
}

#[test]
fn check_remarks_on_keys_that_have_no_effect_beside_these_faces() {
    let folder = Folder::new();
    folder.write("keys", RING);
    let dir = folder.path("");
    let dir = dir.to_str().unwrap().trim_end_matches('/');
    let exempt = "exempt-clients = [\"192.0.2.1\"]\nexempt-senders = [\"a@example.org\"]";
    let idle = |key: &str| {
        format!("# {key} has no effect, since no face here can refuse: [milter], [policy-service] and [filter] can")
    };
    let idle = vec![idle("exempt-clients"), idle("exempt-senders")];
    let service = "[policy-service]\nlisten = [\"unix:DIR/policy\"]";
    let early = vec!["# [policy-service] refuses at rcpt, since at-data is not set".to_owned()];
    for (rules, faces, remarks) in [
        (exempt, "", idle),
        (exempt, "[filter]", vec![]),
        (exempt, service, early),
        ("", "", vec![]),
        ("refuse-at = \"rcpt\"", service, vec![]),
    ] {
        let rules = format!("{rules}\n[keys]");
        let text = format!("{}{faces}\n", CONFIG.replace("[keys]", &rules)).replace("DIR", dir);
        let output = backstopd(&["check", folder.write("config", &text).to_str().unwrap()]);
        assert!(output.status.success(), "{output:?}");
        let printed = String::from_utf8(output.stdout).unwrap();
        let told: Vec<&str> =
            printed.lines().take_while(|line| !line.starts_with('[')).filter(|it| it.contains("since")).collect();
        assert_eq!(told, remarks, "{rules} {faces}");
    }
}

#[test]
fn without_a_file_it_makes_a_ring_observes_and_tells_what_to_paste() {
    use std::io::Read;
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    // Two neighbours that are free at this moment.
    let port = (0..50)
        .find_map(|_| {
            let port = std::net::TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
            std::net::TcpListener::bind(("127.0.0.1", port + 1)).ok().map(|_| port)
        })
        .unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_backstopd"))
        .args(["--domain", "example.com", "--domain", "*.example.net", "--domain", "हिन्दी.example"])
        .args(["--port", &port.to_string(), "--state", "."])
        .current_dir(folder.path(""))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut advice = vec![0; 400];
    child.stdout.as_mut().unwrap().read_exact(&mut advice).unwrap();
    let mut peer = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    let request = netstring("sign alice@a.example.net");
    std::io::Write::write_all(&mut peer, request.as_bytes()).unwrap();
    let mut answer = [0; 12];
    peer.read_exact(&mut answer).unwrap();
    drop(peer);
    let _ = Command::new("kill").arg(child.id().to_string()).status();
    let mut rest = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut rest).unwrap();
    assert!(child.wait().unwrap().success());
    let advice = String::from_utf8([advice, rest].concat()).unwrap();
    assert!(answer.starts_with(b"38:OK prvs="), "{}", answer.escape_ascii());
    for line in [
        format!("recipient_canonical_maps = socketmap:inet:127.0.0.1:{port}:verify"),
        "recipient_canonical_classes = envelope_recipient".to_owned(),
        "sender_canonical_classes = envelope_sender".to_owned(),
        format!("    -o sender_canonical_maps=socketmap:inet:127.0.0.1:{port}:sign"),
        "#   -o cleanup_service_name=sign-cleanup".to_owned(),
        format!("#   check_policy_service inet:127.0.0.1:{}", port + 1),
        "#   own-domains = [\"example.com\", \"*.example.net\", \"हिन्दी.example\"]".to_owned(),
        format!("#   file = \"{}\"", folder.path("keys").display()),
    ] {
        assert!(advice.lines().any(|it| it == line), "{line} is not in\n{advice}");
    }
    assert_eq!(std::fs::metadata(folder.path("keys")).unwrap().permissions().mode() & 0o777, 0o600);
    // The next start takes the ring that is there.
    let ring = std::fs::read(folder.path("keys")).unwrap();
    let state = folder.path("");
    let output = backstopd(&["check", "--domain", "example.com", "--state", state.to_str().unwrap()]);
    assert!(String::from_utf8(output.stdout).unwrap().contains("# prvs "));
    assert_eq!(std::fs::read(folder.path("keys")).unwrap(), ring);
}

#[test]
fn enforce_wants_the_ring_named() {
    let folder = Folder::new();
    // A name of which Rust would escape the vowel sign and TOML the quote.
    std::fs::create_dir(folder.path("हिन्दी\"")).unwrap();
    folder.write("हिन्दी\"/keys", RING);
    let text =
        "[policy]\nown-domains = [\"example.com\"]\nmode = \"enforce\"\n[policy-service]\nlisten = [\"systemd:x\"]\n";
    let (config, state) = (folder.write("config", text), folder.path("हिन्दी\"/"));
    let (config, state) = (config.to_str().unwrap(), state.to_str().unwrap());
    let (code, sentence) = ended(&["check", config, "--state", state]);
    assert_eq!(code, 78);
    let (_, setting) = sentence.split_once(&format!("share {state}keys with them and write [keys] ")).unwrap();
    folder.write("config", &format!("{text}[keys]\n{setting}"));
    assert_eq!(ended(&["check", config]), (0, String::new()));
}

#[test]
fn a_stop_answers_what_has_begun_and_takes_the_sockets_away() {
    let mut daemon = Daemon::start(CONFIG);
    let (mut busy, mut idle) = (daemon.connect("map"), daemon.connect("map"));
    let request = netstring("verify alice@example.com");
    let (first, rest) = request.split_at(12);
    busy.send(first);
    // Until the daemon has read the beginning, it is idle too.
    std::thread::sleep(Duration::from_millis(100));
    daemon.signal("TERM");
    assert_eq!(idle.rest(), "");
    busy.send(rest);
    assert_eq!(busy.netstring(), "NOTFOUND ");
    assert_eq!(busy.rest(), "");
    assert_eq!(daemon.ended().code(), Some(0));
    assert!(!daemon.folder.path("map").exists());
    daemon.wait_for("notice stopped");
}

#[test]
fn what_a_killed_daemon_left_behind_is_replaced() {
    let mut daemon = Daemon::start(CONFIG);
    daemon.signal("KILL");
    daemon.ended();
    assert!(daemon.folder.path("map").exists());
    let config = daemon.folder.path("config");
    let mut again = Command::new(env!("CARGO_BIN_EXE_backstopd"))
        .arg("--config")
        .arg(config)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let served = (0..400).any(|_| {
        std::thread::sleep(Duration::from_millis(5));
        let stream = UnixStream::connect(daemon.folder.path("map"));
        stream.is_ok_and(|stream| Peer::new(stream).map("sign", "alice@example.com").starts_with("OK "))
    });
    again.kill().unwrap();
    again.wait().unwrap();
    assert!(served);
}

#[test]
fn systemd_hears_of_start_reload_watchdog_and_stop() {
    let folder = Folder::new();
    let socket = UnixDatagram::bind(folder.path("notify")).unwrap();
    socket.set_read_timeout(Some(crate::common::PATIENCE)).unwrap();
    let hear = || {
        let mut octets = [0; 4096];
        let length = socket.recv(&mut octets).unwrap();
        String::from_utf8(octets[..length].to_vec()).unwrap()
    };
    let mut daemon = Daemon::start_with(CONFIG, |command| {
        command.env("NOTIFY_SOCKET", folder.path("notify")).env("WATCHDOG_USEC", "200000");
    });
    let until = |what: &str| {
        for _ in 0..50 {
            let heard = hear();
            if heard.contains(what) {
                return heard;
            }
            assert!(heard.contains("WATCHDOG=1"), "{heard}");
        }
        panic!("no {what}");
    };
    let ready = until("READY=1");
    assert!(ready.contains("STATUS=socketmap at unix:"), "{ready}");
    assert!(!ready.contains("RELOADING"));
    until("WATCHDOG=1");
    daemon.signal("HUP");
    let reloading = until("RELOADING=1");
    assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    until("READY=1");
    daemon.signal("TERM");
    until("STOPPING=1");
    assert!(daemon.ended().success());
}

/// Started by systemd, as it were, with two sockets named first and second.
fn handed_over(config: &str, first: impl Into<OwnedFd>, second: impl Into<OwnedFd>) -> Daemon {
    handed_over_as("first:second", config, first, second)
}

fn handed_over_as(names: &str, config: &str, first: impl Into<OwnedFd>, second: impl Into<OwnedFd>) -> Daemon {
    Daemon::start_with(config, |command| {
        let (program, args) = (command.get_program().to_owned(), command.get_args().map(ToOwned::to_owned));
        let args: Vec<_> = args.collect();
        *command = Command::new("sh");
        // systemd hands them over from descriptor 3 on.
        let script = "exec 3<&0 4<&1 </dev/null >/dev/null; export LISTEN_PID=$$ LISTEN_FDS=2; exec \"$@\"";
        command.env("LISTEN_FDNAMES", names).args(["-c", script, "sh"]).arg(program).args(args);
        command.stdin(Stdio::from(first.into())).stdout(Stdio::from(second.into()));
    })
}

#[test]
fn sockets_that_systemd_hands_over_are_served_by_their_names() {
    let folder = Folder::new();
    let unix = UnixListener::bind(folder.path("theirs")).unwrap();
    let inet = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = inet.local_addr().unwrap().port();
    let config = "[policy]\nown-domains = [\"example.com\"]\n[keys]\nfile = \"DIR/keys\"\n\
        [socketmap]\nlisten = [\"systemd:second\"]\n[tcp-table]\nsign = [\"systemd:first\"]\n";
    let mut daemon = handed_over(config, inet, unix);
    let mut peer = Peer::new(UnixStream::connect(folder.path("theirs")).unwrap());
    let signed = peer.map("sign", "alice@example.com");
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    std::io::Write::write_all(&mut stream, b"get alice@example.com\n").unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stream), &mut line).unwrap();
    assert_eq!(line.trim_end().strip_prefix("200 "), signed.strip_prefix("OK "));
    let gone = daemon.reload(&config.replace("systemd:first", "systemd:third"));
    assert!(
        gone.contains("[tcp-table] cannot listen at systemd:third: systemd handed over no socket of this name"),
        "{gone}"
    );
    assert!(peer.map("sign", "alice@example.com").starts_with("OK "));
    daemon.signal("TERM");
    assert!(daemon.ended().success());
    // It is systemd's, and stays.
    assert!(folder.path("theirs").exists());
}

#[test]
fn all_sockets_that_systemd_hands_over_under_one_name_are_served_and_those_of_no_face_are_told() {
    let folder = Folder::new();
    let config = "[policy]\nown-domains = [\"example.com\"]\n[keys]\nfile = \"DIR/keys\"\n\
        [tcp-table]\nsign = [\"systemd:map\"]\n";
    let sockets = ["one", "two"].map(|name| UnixListener::bind(folder.path(name)).unwrap());
    let [one, two] = sockets;
    let mut daemon = handed_over_as("map:map", config, one, two);
    for name in ["one", "two", "one"] {
        let mut peer = Peer::new(UnixStream::connect(folder.path(name)).unwrap());
        assert!(peer.get("alice@example.com").starts_with("200 "), "{name}");
    }
    assert!(!daemon.log().iter().any(|line| line.contains("no face")), "{:?}", daemon.log());
    daemon.reload(&config.replace("systemd:map", "unix:DIR/own"));
    let told =
        "systemd handed over a socket named \"map\" at which no face listens; end its unit, or name it in `listen`";
    daemon.wait_for(told);
    daemon.signal("TERM");
    assert!(daemon.ended().success());
    let inet = || std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let daemon = handed_over_as("map:other", config, inet(), inet());
    daemon.wait_for(&told.replace("map", "other"));
}

#[test]
fn a_socket_of_systemd_is_not_used_up_by_a_refused_reload_nor_by_a_face_that_goes_and_returns() {
    let folder = Folder::new();
    let unix = |name: &str| UnixListener::bind(folder.path(name)).unwrap();
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let one = "[policy]\nown-domains = [\"example.com\"]\n[keys]\nfile = \"DIR/keys\"\n\
        [socketmap]\nlisten = [\"systemd:first\"]\n";
    let two = format!("{one}[tcp-table]\nsign = [\"systemd:second\"]\n");
    let refused = format!("{two}[metrics]\nlisten = [\"inet:{}\"]\n", busy.local_addr().unwrap());
    let daemon = handed_over(one, unix("first"), unix("second"));
    assert!(daemon.reload(&refused).contains("another program listens there"));
    for _ in 0..2 {
        let line = daemon.reload(&two);
        assert!(line.contains("reloaded"), "{line}");
        let mut peer = Peer::new(UnixStream::connect(folder.path("second")).unwrap());
        assert!(peer.get("alice@example.com").starts_with("200 "));
        assert!(daemon.reload(one).contains("reloaded"));
    }
}

/// The exit code and sentence of a start that has to end by itself.
fn refused_start(config: &std::path::Path) -> (Option<i32>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_backstopd"))
        .arg("--config")
        .arg(config)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let ended = (0..400).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        child.try_wait().unwrap().is_some()
    });
    let _ = child.kill();
    let output = child.wait_with_output().unwrap();
    assert!(ended, "it does not end");
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_start_leaves_a_name_on_which_somebody_listens_however_he_does() {
    let folder = Folder::new();
    folder.write("keys", RING);
    let dir = folder.path("");
    let config = folder.write("config", &CONFIG.replace("DIR", dir.to_str().unwrap().trim_end_matches('/')));
    let inode = |name: &str| std::fs::metadata(folder.path(name)).unwrap().ino();
    for name in ["map", "map.new"] {
        let sentence = format!("cannot listen at unix:{}: ", folder.path("map").display());
        let refused = |what: &str| {
            let before = inode(name);
            let (code, text) = refused_start(&config);
            assert_eq!(code, Some(71), "{text}");
            assert!(text.contains(&sentence) && text.contains(what), "{text}");
            assert_eq!(inode(name), before, "{text}");
        };
        let path = folder.path(name);
        // No stream socket.
        let datagrams = UnixDatagram::bind(&path).unwrap();
        refused("another kind of socket");
        drop(datagrams);
        std::fs::remove_file(&path).unwrap();
        // One that accepts no more, and whose queue is full: connecting would wait for ever.
        let hung = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        hung.bind(&SockAddr::unix(&path).unwrap()).unwrap();
        hung.listen(0).unwrap();
        let queued = UnixStream::connect(&path).unwrap();
        refused("another program listens there");
        drop((hung, queued));
        std::fs::remove_file(&path).unwrap();
        // A file of somebody else.
        std::fs::write(&path, "precious").unwrap();
        refused("something that is no socket");
        assert_eq!(std::fs::read(&path).unwrap(), b"precious");
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_daemon_that_dies_leaves_no_core() {
    let (_, hard) = getrlimit(Resource::RLIMIT_CORE).unwrap();
    // Children inherit it.
    setrlimit(Resource::RLIMIT_CORE, hard, hard).unwrap();
    let mut daemon = Daemon::start_with(CONFIG, |command| {
        command.current_dir(std::env::temp_dir());
    });
    daemon.signal("ABRT");
    let ended = daemon.ended();
    assert_eq!(ended.signal(), Some(6));
    assert!(!ended.core_dumped(), "{ended}");
}
