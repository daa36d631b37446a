//! The filter of OpenSMTPD: the real process on its standard input and output, fed with the lines of OpenSMTPD 6.8.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

use backstop::srs;

use crate::common::{Folder, RING, forged, signed, today};
use crate::milter::ALONE;

const SID: &str = "07992ef03a3b9c16";

pub(crate) struct Filter {
    folder: Folder,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    /// Its log, if some of it was read already.
    log: Option<BufReader<ChildStderr>>,
}

impl Filter {
    /// After the handshake; `DIR` in the configuration stands for the folder, where its log is.
    pub(crate) fn start(config: &str) -> Filter {
        let mut filter = Filter::spawn(config);
        filter.tell("config|smtpd-version|6.8.0p2");
        filter.tell("config|subsystem|smtp-in");
        filter.tell("config|ready");
        let mut registered = Vec::new();
        while registered.last().is_none_or(|line| line != "register|ready") {
            registered.push(filter.line());
        }
        assert!(registered.contains(&"register|filter|smtp-in|mail-from".to_owned()), "{registered:?}");
        filter
    }

    pub(crate) fn spawn(config: &str) -> Filter {
        let folder = Folder::new();
        folder.write("keys", RING);
        folder.write("config", &config.replace("DIR", folder.path("").to_str().unwrap().trim_end_matches('/')));
        let mut command = Command::new(env!("CARGO_BIN_EXE_backstopd"));
        command.arg("filter").arg("--config").arg(folder.path("config")).arg("--state").arg(folder.path("."));
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().unwrap();
        let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Filter { folder, child, input, output, log: None }
    }

    pub(crate) fn tell(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    pub(crate) fn report(&mut self, event: &str, rest: &str) {
        self.tell(&format!("report|0.6|1795300471.716358|smtp-in|{event}|{SID}{rest}"));
    }

    pub(crate) fn connect(&mut self, source: &str) {
        self.report("link-connect", &format!("|host.example|pass|{source}|192.0.2.25:25"));
    }

    /// The answer, without what names the question.
    pub(crate) fn ask(&mut self, phase: &str, address: &str) -> String {
        self.tell(&format!("filter|0.6|1795300471.716358|smtp-in|{phase}|{SID}|85af90f1abcacb9e|{address}"));
        let answer = self.line();
        let value = answer.strip_prefix(&format!("filter-result|{SID}|85af90f1abcacb9e|"));
        value.unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// A mail begins, which OpenSMTPD tells once its MAIL was accepted.
    pub(crate) fn told(&mut self, queue: &str, sender: &str) {
        self.report("tx-begin", &format!("|{queue}"));
        self.report("tx-mail", &format!("|{queue}|ok|{sender}"));
    }

    /// The answer to a MAIL that is accepted.
    pub(crate) fn mail(&mut self, sender: &str) -> String {
        let answer = self.ask("mail-from", sender);
        self.told("ac9124ff", sender);
        answer
    }

    /// Ends it as OpenSMTPD does; its log and how it ended.
    pub(crate) fn end(mut self) -> (Vec<serde_json::Value>, ExitStatus) {
        drop(self.input.take());
        let (mut log, mut rest) = (String::new(), String::new());
        match self.log.take() {
            Some(mut rest) => drop(rest.read_to_string(&mut log).unwrap()),
            None => drop(self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap()),
        }
        self.output.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "answers that nobody asked for");
        let events = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        (events, self.child.wait().unwrap())
    }
}

impl Drop for Filter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn config(mode: &str, refuse_at: &str) -> String {
    format!(
        "[policy]\nown-domains = [\"example.com\"]\nmode = \"{mode}\"\nrefuse-at = \"{refuse_at}\"\n\
         internal-hosts = [\"192.0.2.0/28\"]\nexempt-clients = [\"198.51.100.7\"]\n\
         [keys]\nfile = \"DIR/keys\"\n[log]\nformat = \"json\"\n[filter]\n"
    )
}

pub(crate) fn rewrite(address: &str) -> String {
    format!("rewrite|<{address}>")
}

pub(crate) const UNTAGGED: &str =
    "reject|550 5.7.1 We sign all our mail; this bounce answers mail that we did not send";

#[test]
fn only_mail_that_somebody_vouches_for_is_signed() {
    let mut filter = Filter::start(&config("observe", "rcpt"));
    let tagged = rewrite(&signed("alice@example.com", 0));
    for (source, more, answer) in [
        ("203.0.113.5:4567", None, "proceed"),
        ("192.0.2.7:4567", None, tagged.as_str()),
        ("192.0.2.17:4567", None, "proceed"),
        ("[2001:db8::1]:4567", None, "proceed"),
        ("unix:/var/run/smtpd.sock", None, &tagged),
        ("203.0.113.5:4567", Some("|alice|pass"), &tagged),
        ("203.0.113.5:4567", Some("|alice|fail"), "proceed"),
        // A name that looks like a result.
        ("203.0.113.5:4567", Some("|x|pass|fail"), "proceed"),
        ("nowhere", None, "proceed"),
    ] {
        filter.connect(source);
        if let Some(more) = more {
            filter.report("link-auth", more);
        }
        assert_eq!(filter.mail("alice@example.com"), answer, "{source} {more:?}");
        filter.report("link-disconnect", "");
    }
    // A session whose beginning nobody told.
    assert_eq!(filter.mail("alice@example.com"), "proceed");
}

#[test]
fn only_own_senders_are_signed_once_and_addresses_may_hold_a_bar() {
    let mut filter = Filter::start(&config("observe", "rcpt"));
    filter.connect("192.0.2.7:4567");
    assert_eq!(filter.mail("bob@elsewhere.example"), "proceed");
    assert_eq!(filter.mail(""), "proceed");
    assert_eq!(filter.mail(&signed("alice@example.com", 0)), "proceed");
    assert_eq!(filter.mail("a|b@example.com"), rewrite(&signed("a|b@example.com", 0)));
}

#[test]
fn enforce_refuses_what_we_did_not_send_and_strips_what_we_did() {
    let mut filter = Filter::start(&config("enforce", "rcpt"));
    filter.connect("203.0.113.5:4567");
    assert_eq!(filter.mail(""), "proceed");
    let genuine = signed("alice@example.com", 0);
    for (recipient, answer) in [
        (genuine.clone(), rewrite("alice@example.com")),
        (genuine.to_uppercase(), rewrite("ALICE@EXAMPLE.COM")),
        ("alice@example.com".to_owned(), UNTAGGED.to_owned()),
        (
            forged("alice@example.com"),
            "reject|550 5.7.1 The signature of this return address is forged; we did not send that mail".to_owned(),
        ),
        (
            signed("alice@example.com", 30),
            "reject|550 5.7.1 The signature of this return address has expired".to_owned(),
        ),
        ("bob@elsewhere.example".to_owned(), "proceed".to_owned()),
        ("postmaster".to_owned(), "proceed".to_owned()),
    ] {
        assert_eq!(filter.ask("rcpt-to", &recipient), answer, "{recipient}");
    }
    assert_eq!(filter.mail("bob@elsewhere.example"), "proceed");
    assert_eq!(filter.ask("rcpt-to", "alice@example.com"), "proceed");
    for source in ["198.51.100.7:4567", "unix:/var/run/smtpd.sock"] {
        filter.connect(source);
        assert_eq!(filter.mail(""), "proceed");
        assert_eq!(filter.ask("rcpt-to", "alice@example.com"), "proceed", "{source}");
    }
}

#[test]
fn under_refuse_at_data_a_call_out_passes_and_a_bounce_is_refused() {
    let mut filter = Filter::start(&config("enforce", "data"));
    filter.connect("203.0.113.5:4567");
    assert_eq!(filter.mail(""), "proceed");
    assert_eq!(filter.ask("rcpt-to", "alice@example.com"), "proceed");
    assert_eq!(filter.ask("data", ""), UNTAGGED);
    // The next mail knows nothing of it.
    assert_eq!(filter.mail(""), "proceed");
    assert_eq!(filter.ask("rcpt-to", &signed("alice@example.com", 0)), rewrite("alice@example.com"));
    assert_eq!(filter.ask("data", ""), "proceed");
}

#[test]
fn nobody_is_let_in_beside_one_whose_refusal_waits_whatever_his_mode_and_step() {
    let net = "[policy.domains.\"example.net\"]\nmode = \"observe\"\nrefuse-at = \"message\"\n[keys]";
    let config = config("enforce", "data").replace("example.com\"]", "example.com\", \"example.net\"]");
    let mut filter = Filter::start(&config.replace("[keys]", net));
    filter.connect("203.0.113.5:4567");
    let alone = format!("reject|{ALONE}");
    for beside in ["bob@example.net", &signed("bob@example.net", 1), "bob@elsewhere.example"] {
        filter.mail("");
        assert_eq!(filter.ask("rcpt-to", &signed("alice@example.com", 40)), "proceed");
        assert_eq!(filter.ask("rcpt-to", beside), alone, "{beside}");
        assert!(filter.ask("data", "").starts_with("reject|550 5.7.1 "));
        filter.mail("");
        assert_ne!(filter.ask("rcpt-to", beside), alone, "{beside}");
        assert_eq!(filter.ask("rcpt-to", "alice@example.com"), UNTAGGED);
        assert_eq!(filter.ask("data", ""), "proceed");
        assert_eq!(filter.ask("commit", ""), "proceed");
    }
}

#[test]
fn a_client_that_guesses_tags_is_sent_away_and_still_reaches_the_postmaster() {
    let mut filter = Filter::start(&(config("enforce", "rcpt") + "[limits]\nforged-per-hour = 1\n"));
    filter.connect("198.51.100.1:4000");
    filter.mail("");
    let wrong = forged("alice@example.com");
    assert!(filter.ask("rcpt-to", &wrong).starts_with("reject|550 5.7.1 "));
    assert!(filter.ask("rcpt-to", &wrong).starts_with("reject|421 4.7.0 "));
    for recipient in ["postmaster@example.com", "abuse@example.com", &forged("abuse@example.com")] {
        assert!(filter.ask("rcpt-to", recipient).starts_with("proceed"), "{recipient}");
    }
    assert!(filter.ask("rcpt-to", &signed("alice@example.com", 1)).starts_with("reject|421 4.7.0 "));
}

#[test]
fn each_mail_has_its_events_with_the_queue_id() {
    let mut filter = Filter::start(&config("enforce", "rcpt"));
    filter.connect("192.0.2.7:4567");
    filter.mail("alice@example.com");
    filter.ask("rcpt-to", "bob@elsewhere.example");
    filter.report("link-disconnect", "");
    filter.connect("203.0.113.5:4567");
    filter.ask("mail-from", "");
    filter.told("ac912500", "");
    filter.ask("rcpt-to", "alice@example.com");
    let (log, status) = filter.end();
    assert!(status.success());
    let events: Vec<_> = log.iter().filter(|event| event["event"] != "notice").collect();
    assert_eq!(events.len(), 2, "{events:?}");
    for (event, key, value) in [
        (0, "event", "outgoing"),
        (0, "face", "filter"),
        (0, "action", "sign"),
        (0, "client", "192.0.2.7"),
        (0, "queue", "ac9124ff"),
        (0, "output", &signed("alice@example.com", 0)),
        (1, "event", "incoming"),
        (1, "action", "refuse"),
        (1, "client", "203.0.113.5"),
        (1, "queue", "ac912500"),
        (1, "verdict", "untagged"),
        (1, "stage", "rcpt"),
    ] {
        assert_eq!(events[event][key], value, "{event} {key}");
    }
}

#[test]
fn hostile_lines_get_no_answer_and_cost_no_other_mail() {
    let mut filter = Filter::start(&config("observe", "rcpt"));
    filter.connect("192.0.2.7:4567");
    for line in ["", "hello", "filter|0.6|1|smtp-in|mail-from|xyz|1|a@b", "report|0.6", "\u{0}\u{1}|||||||"] {
        filter.tell(line);
    }
    // Cut off where no address ends; the question still gets its one answer.
    assert_eq!(filter.ask("mail-from", &("a".repeat(1_000_000) + "@example.com")), "proceed");
    assert_eq!(filter.mail("alice@example.com"), rewrite(&signed("alice@example.com", 0)));
    assert_eq!(filter.ask("commit", ""), "proceed");
    let (log, _) = filter.end();
    let told = |what: &str| log.iter().any(|event| event["text"].as_str().is_some_and(|text| text.contains(what)));
    assert!(told("a line"), "{log:?}");
}

#[test]
fn answers_that_nobody_takes_wait_in_bounded_memory() {
    let mut filter = Filter::start(&config("observe", "rcpt"));
    let mut input = filter.input.take().unwrap();
    let question = format!("filter|0.6|1|smtp-in|mail-from|{SID}|1|alice@example.com\n").repeat(1000);
    // Both pipes are full long before: the filter waits, and so does whoever asks it.
    let asking = std::thread::spawn(move || while input.write_all(question.as_bytes()).is_ok() {});
    std::thread::sleep(std::time::Duration::from_secs(1));
    let memory = crate::faults::resident(filter.child.id());
    drop(filter);
    asking.join().unwrap();
    assert!(memory < 30_000, "{memory} kB");
}

#[test]
fn another_version_of_the_protocol_ends_it_with_a_sentence() {
    let mut filter = Filter::start(&config("observe", "rcpt"));
    filter.tell(&format!("report|0.9|1|smtp-in|link-connect|{SID}|a|pass|192.0.2.7:1|192.0.2.25:25"));
    let mut text = String::new();
    filter.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(filter.child.wait().unwrap().code(), Some(76));
    assert!(text.contains("OpenSMTPD speaks version 0.9 of its filter protocol, and 0.5 to 0.7 are known"), "{text}");
}

#[test]
fn a_reload_holds_for_new_sessions_and_a_wrong_one_for_none() {
    let log = "file = \"DIR/log\"\n[filter]";
    let mut filter = Filter::start(&config("enforce", "rcpt").replace("[filter]", log));
    filter.connect("203.0.113.5:4567");
    let path = filter.folder.path("log");
    let hang_up = |filter: &Filter, text: &str, said: &str| {
        let folder = filter.folder.path("");
        filter.folder.write("config", &text.replace("DIR", folder.to_str().unwrap().trim_end_matches('/')));
        assert!(Command::new("kill").arg("-HUP").arg(filter.child.id().to_string()).status().unwrap().success());
        let begun = std::time::Instant::now();
        while !std::fs::read_to_string(&path).unwrap().contains(said) {
            assert!(begun.elapsed() < crate::common::PATIENCE, "{}", std::fs::read_to_string(&path).unwrap());
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    };
    hang_up(&filter, "[policy]\nmode = 1\n", "the reload is refused");
    hang_up(&filter, &config("observe", "rcpt").replace("[filter]", log), "\"reloaded: filter");
    filter.mail("");
    assert_eq!(filter.ask("rcpt-to", "alice@example.com"), UNTAGGED);
    filter.report("link-disconnect", "");
    filter.connect("203.0.113.5:4567");
    filter.mail("");
    assert_eq!(filter.ask("rcpt-to", "alice@example.com"), "proceed");
}

#[test]
fn sigusr1_and_a_refused_reload_open_the_log_anew() {
    let mut filter = Filter::start(&config("enforce", "rcpt").replace("[filter]", "file = \"DIR/log\"\n[filter]"));
    let (path, pid) = (filter.folder.path("log"), filter.child.id().to_string());
    for (number, signal) in ["-USR1", "-HUP"].into_iter().enumerate() {
        let begun = std::time::Instant::now();
        std::fs::rename(&path, filter.folder.path(&format!("log.{number}"))).unwrap();
        filter.folder.write("config", "[policy]\nmode = 1\n");
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        while !path.exists() {
            assert!(begun.elapsed() < crate::common::PATIENCE, "{signal}");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
    filter.connect("203.0.113.5:4567");
    filter.mail("");
    assert_eq!(filter.ask("rcpt-to", "alice@example.com"), UNTAGGED);
    filter.end();
}

#[test]
fn it_starts_without_a_file_and_not_without_its_table() {
    let folder = Folder::new();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_backstopd"));
        command.args(arguments).arg("--state").arg(folder.path(".")).stdin(Stdio::null());
        command.output().unwrap()
    };
    assert!(run(&["filter", "--domain", "example.com"]).status.success());
    let file = folder
        .write("config", "[policy]\nown-domains = [\"example.com\"]\n[socketmap]\nlisten = [\"inet:127.0.0.1:1\"]\n");
    let file = file.to_str().unwrap();
    let ended = run(&["filter", "--config", file]);
    assert_eq!(ended.status.code(), Some(78));
    assert_eq!(
        String::from_utf8(ended.stderr).unwrap(),
        "backstopd: the configuration has no filter; add the table [filter]\n"
    );
    folder.write("config", "[policy]\nown-domains = [\"example.com\"]\n[filter]\n");
    let ended = run(&["run", "--config", file]);
    assert_eq!(ended.status.code(), Some(78));
    assert!(
        String::from_utf8(ended.stderr)
            .unwrap()
            .contains("only [filter] is configured, which OpenSMTPD starts by itself")
    );
}

const MARK_KEY: &str = "mark m sha256 14 2020-01-01 - * text:the mark key of these tests\n";

/// The mark of a mail that alice sent.
fn mark() -> String {
    let ring = backstop::KeyRing::parse(format!("{RING}{MARK_KEY}").as_bytes()).unwrap();
    let made = backstop::mark::make_header(&ring, b"alice@example.com", [7; 8], today()).unwrap();
    let backstop::mark::Marked::Done(mark) = made else { panic!() };
    format!("Backstop-Mark: {mark}")
}

pub(crate) fn by_message(mode: &str) -> String {
    config(mode, "message")
        .replace("[keys]", "marks-since = 2020-02-01\n[policy.srs]\nforwarders = [\"fwd.example.org\"]\n[keys]")
}

impl Filter {
    /// One that waits for the message, with a key for marks.
    fn start_by_message(mode: &str) -> Filter {
        let mut filter = Filter::spawn(&by_message(mode));
        filter.folder.write("keys", &format!("{RING}{MARK_KEY}"));
        let pid = filter.child.id().to_string();
        // Until it has read the ring once, it might miss the signal.
        filter.tell("config|ready");
        let mut registered = Vec::new();
        while registered.last().is_none_or(|line| line != "register|ready") {
            registered.push(filter.line());
        }
        for phase in ["data-line", "commit"] {
            assert!(registered.contains(&format!("register|filter|smtp-in|{phase}")), "{registered:?}");
        }
        assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
        let mut log = BufReader::new(filter.child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("reloaded") {
            line.clear();
            assert_ne!(log.read_line(&mut line).unwrap(), 0);
        }
        filter.log = Some(log);
        filter
    }

    /// A line of a mail, and what came back of it.
    pub(crate) fn mail_line(&mut self, line: &str) {
        self.tell(&format!("filter|0.6|1795300471.716358|smtp-in|data-line|{SID}|85af90f1abcacb9e|{line}"));
        assert_eq!(self.line(), format!("filter-dataline|{SID}|85af90f1abcacb9e|{line}"));
    }

    /// A mail from a stranger; the answers to RCPT, DATA and the end.
    fn deliver(&mut self, sender: &str, recipient: &str, text: &str) -> [String; 3] {
        self.connect("203.0.113.5:4567");
        assert_eq!(self.mail(sender), "proceed");
        let to = self.ask("rcpt-to", recipient);
        let data = self.ask("data", "");
        if data == "proceed" {
            text.lines().for_each(|line| self.mail_line(line));
            self.mail_line(".");
            return [to, data, self.ask("commit", "")];
        }
        [to, data, String::new()]
    }
}

/// An SRS address that returns to an own mailbox.
fn srs_of(mailbox: &str) -> String {
    let ring = backstop::KeyRing::parse(RING.as_bytes()).unwrap();
    let dialect = srs::Dialect::CLASSIC.with_always_rewrite(true);
    let own = backstop::Domains::parse("fwd.example.org").unwrap();
    let made = srs::forward(&ring, mailbox.as_bytes(), "fwd.example.org", &own, &dialect, today()).unwrap();
    made.address().unwrap().to_string()
}

fn bounce(mark: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx.elsewhere.example\nSubject: Undelivered Mail Returned to Sender\nContent-Type: message/rfc822\n\n\
         Received: from x by y; Fri, 20 Nov 2026 10:11:12 +0000\nFrom: alice@example.com\nDate: Fri, 20 Nov 2026 10:11:00 +0000\n{mark}\n\n..\n..x|y|\nhello\n"
    )
}

#[test]
fn under_refuse_at_message_bounces_are_judged_by_it_and_every_line_comes_back() {
    let mut filter = Filter::start_by_message("enforce");
    let (genuine, backscatter) = (bounce(&mark()), bounce("X-Mailer: none"));
    let refused = "reject|550 5.7.1 We mark all our mail; this answers mail that we did not send (forged sender)";
    let go = "proceed".to_owned();
    assert_eq!(filter.deliver("", "alice@example.com", &genuine), [&go, &go, &go].map(String::as_str));
    assert_eq!(filter.deliver("", "alice@example.com", &backscatter), ["proceed", "proceed", refused]);
    let (tagged, stripped) = (signed("alice@example.com", 1), rewrite("alice@example.com"));
    assert_eq!(filter.deliver("", &tagged, &backscatter), [stripped.as_str(), "proceed", "proceed"]);
    assert_eq!(
        filter.deliver("bob@elsewhere.example", "alice@example.com", &backscatter),
        [&*go, "proceed", "proceed"]
    );
    // Its tag could not be taken off any more.
    let [to, data, _] = filter.deliver("", &forged("alice@example.com"), &genuine);
    assert!(to == "proceed" && data.starts_with("reject|550 5.7.1 "), "{to} {data}");
    // Nor could its SRS address be reversed.
    let [to, data, _] = filter.deliver("", &srs_of("alice@example.com"), &genuine);
    assert!(to == "proceed" && data.starts_with("reject|550 5.7.1 "), "{to} {data}");
    let (log, status) = filter.end();
    assert!(status.success());
    let judged: Vec<_> = log.iter().filter(|it| it["kind"] == "dsn-failed").collect();
    let told: Vec<_> = judged.iter().map(|it| (it["reason"].as_str(), it["stage"].as_str())).collect();
    assert_eq!(
        told,
        [(Some("mark-genuine"), None), (Some("backscatter"), Some("message")), (Some("genuine"), None)],
        "{log:?}"
    );
}

#[test]
fn a_mail_with_a_line_that_opensmtpd_would_cut_off_is_refused() {
    let mut filter = Filter::start_by_message("observe");
    let long = |octets: usize| format!("Subject: x\n\n{}\n", "y".repeat(octets));
    for (octets, answer) in [
        (1997, "proceed"),
        (1998, "reject|554 5.6.0 A line of this mail is longer than 1997 octets, which cannot pass here; break it"),
        (60_000, "reject|554 5.6.0 A line of this mail is longer than 1997 octets, which cannot pass here; break it"),
        (10, "proceed"),
    ] {
        assert_eq!(filter.deliver("bob@elsewhere.example", "alice@example.com", &long(octets))[2], answer, "{octets}");
    }
}

#[test]
fn a_reload_cannot_begin_to_wait_for_the_message() {
    let mut filter = Filter::start(&config("enforce", "data"));
    let text = by_message("enforce").replace("DIR", filter.folder.path("").to_str().unwrap().trim_end_matches('/'));
    filter.folder.write("config", &text);
    let pid = filter.child.id().to_string();
    assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    let mut log = BufReader::new(filter.child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("reload") {
        line.clear();
        assert_ne!(log.read_line(&mut line).unwrap(), 0);
    }
    assert!(line.contains("refused") && line.contains("restart OpenSMTPD"), "{line}");
    filter.connect("203.0.113.5:4567");
    assert_eq!(filter.mail(""), "proceed");
    assert_eq!(filter.ask("rcpt-to", "alice@example.com"), "proceed");
    assert_eq!(filter.ask("data", ""), UNTAGGED);
}

#[test]
fn the_events_of_a_mail_share_an_instance_that_no_other_mail_has() {
    let mut filter = Filter::start(&config("observe", "rcpt"));
    filter.connect("192.0.2.7:4567");
    for sender in ["alice", "bob"] {
        filter.mail(&format!("{sender}@example.com"));
        filter.ask("rcpt-to", &signed("carol@example.com", 1));
        filter.ask("data", "");
    }
    let (log, _) = filter.end();
    let instances: Vec<_> = log.iter().filter_map(|it| it["instance"].as_str()).collect();
    let expected = [1, 1, 2, 2].map(|number| format!("{SID}.{number}"));
    assert_eq!(instances, expected);
}

#[test]
fn the_filter_tells_its_own_metrics_and_a_reload_moves_them() {
    use std::os::unix::net::UnixStream;
    let with = |name: &str| config("observe", "rcpt") + &format!("metrics = [\"unix:DIR/{name}\"]\n");
    let mut filter = Filter::start(&with("first"));
    filter.connect("192.0.2.7:4567");
    filter.mail("alice@example.com");
    filter.ask("rcpt-to", &signed("carol@example.com", 1));
    let read = |filter: &Filter, name: &str| {
        let begun = std::time::Instant::now();
        let stream = loop {
            match UnixStream::connect(filter.folder.path(name)) {
                Ok(stream) => break stream,
                Err(error) => assert!(begun.elapsed() < crate::common::PATIENCE, "{name}: {error}"),
            }
        };
        let mut peer = crate::common::Peer::new(stream);
        peer.send("GET /metrics HTTP/1.1\r\n\r\n");
        peer.rest()
    };
    let text = read(&filter, "first");
    for sample in [
        "backstopd_own_mail_total{face=\"filter\",signed=\"yes\"} 1\n",
        "action=\"strip\",would=\"strip\",verdict=\"genuine\",reason=\"genuine\"} 1\n",
        "backstopd_reloads_total{result=\"good\"} 0\n",
    ] {
        assert!(text.contains(sample), "no {sample} in {text}");
    }
    let moved = with("second").replace("DIR", filter.folder.path("").to_str().unwrap().trim_end_matches('/'));
    filter.folder.write("config", &moved);
    assert!(Command::new("kill").args(["-HUP", &filter.child.id().to_string()]).status().unwrap().success());
    assert!(read(&filter, "second").contains("backstopd_reloads_total{result=\"good\"} 1\n"));
    assert!(!filter.folder.path("first").exists());
}
