"""The sites of tests/lab/run: each a real mail system with backstopd beside it and a sink that takes what leaves, in a
folder of its own, configured as the project's users are told to.
"""

import datetime
import json
import os
import pathlib
import re
import smtplib
import subprocess
import threading

import smtp
from waiting import PATIENCE, Cannot, check, wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAB = ROOT / "tests/lab"
PORT = int(os.environ.get("BACKSTOP_TEST_PORT", "21540"))
SMTP, SINK, MAPS, POLICY, MILTER, SIGN, VERIFY = range(PORT, PORT + 7)
OWN, WORLD = "127.0.0.1", "127.0.0.2"
BINARIES = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
HEADER = "Backstop-Verdict"


def run(*command, text=None):
    done = subprocess.run([str(it) for it in command], input=text, capture_output=True, text=True)
    if done.returncode == 77:
        raise Cannot(done.stderr.strip().splitlines()[-1])
    check(done.returncode == 0, f"{command[0]} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout.strip()


class Site:
    """A mail system, backstopd and the sink, in a folder of their own."""

    # Whether the daemon runs beside the mail system, and is told the own network.
    daemon, internal_hosts = True, True
    # Whether it writes headers into mail.
    headers = False

    def __init__(self, folder, mode):
        self.folder, self.mode, self.number, self.process = folder, mode, 0, None
        folder.mkdir(mode=0o755)
        keys = "version 1\nprvs 4 sha256 10 2020-01-01 - example.com text:a key for tests\n"
        refuse_at, policy = "rcpt", mode
        if mode in ("message", "message-observe"):
            keys += "mark m sha256 14 2020-01-01 - example.com text:a key for marks\n"
            refuse_at, policy = "message", "observe" if "observe" in mode else "enforce"
        self.write("keys", keys, 0o600)
        hosts = 'internal-hosts = ["127.0.0.1"]\n' if self.internal_hosts else ""
        self.config = self.write(
            "backstopd.toml",
            f'[policy]\nown-domains = ["example.com"]\nmode = "{policy}"\nrefuse-at = "{refuse_at}"\n{hosts}'
            f"marks-since = 2020-02-01\n"
            f'[keys]\nfile = "{folder}/keys"\n[log]\nformat = "json"\nfile = "{folder}/backstopd.log"\n{self.faces()}',
        )
        self.sink = smtp.Sink((OWN, SINK), smtp.Session)
        self.sink.log = folder / "sink.log"
        threading.Thread(target=self.sink.serve_forever, daemon=True).start()

    def write(self, name, text, mode=0o644):
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def lines(self, name):
        """The JSON lines of a file, those that are whole."""
        try:
            text = (self.folder / name).read_text(errors="surrogateescape")
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def start(self):
        if self.daemon:
            command = [BINARIES / "backstopd", "--config", self.config, "--state", self.folder]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
            wait_for(lambda: any("is ready" in it.get("text", "") for it in self.lines("backstopd.log")), "no daemon")
        self.start_mail()

    def stop(self):
        try:
            run(LAB / self.name, "stop", self.folder / "mail")
        finally:
            self.sink.shutdown()
            self.sink.server_close()
            if self.process:
                self.process.terminate()
                self.process.wait(PATIENCE)

    def pid(self):
        return self.process.pid

    def memory(self):
        """The most memory that the daemon has had, in KB."""
        status = pathlib.Path(f"/proc/{self.pid()}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])

    def tag(self, address, days_ago=0):
        day = datetime.datetime.now(datetime.timezone.utc).date() - datetime.timedelta(days_ago)
        return run(BINARIES / "backstop", "sign", "--keys", self.folder / "keys", "--at", day, address)

    def forged(self):
        genuine = self.tag("alice@example.com")
        return genuine[:14] + f"{(int(genuine[14], 16) + 1) % 16:x}" + genuine[15:]

    def text(self, sender="alice@example.com"):
        """A message with all its headers, so that no mail system adds one; its Message-ID."""
        self.number += 1
        name = f"<{self.name}.{self.mode}.{self.number}@example.com>"
        lines = (
            f"From: Alice <{sender}>",
            "To: bob@elsewhere.example",
            f"Subject: number {self.number}",
            f"Message-ID: {name}",
            "Date: Sat, 21 Nov 2026 12:00:00 +0000",
            "",
            f"the body of {self.number}",
        )
        return name, "\n".join(lines) + "\n"

    def dialogue(self, source, sender, *recipients):
        """Sends a mail: its Message-ID, its text, and the replies to RCPT."""
        with smtplib.SMTP(OWN, SMTP, "client.example", 30, (source, 0)) as client:
            client.ehlo()
            return self.mail(client, sender, *recipients)

    def mail(self, client, sender, *recipients):
        """The same in a session that is open."""
        name, text = self.text()
        code, reply = client.mail(sender)
        check(code == 250, f"MAIL FROM:<{sender}> was answered {code} {reply}")
        replies = [client.rcpt(recipient) for recipient in recipients]
        replies = [(code, reply.decode("utf-8", "replace")) for code, reply in replies]
        if any(code == 250 for code, _ in replies):
            code, reply = client.data(text.replace("\n", "\r\n").encode())
            check(code == 250, f"DATA was answered {code} {reply}")
        return name, text, replies

    def send(self, source, sender, *recipients):
        name, text, replies = self.dialogue(source, sender, *recipients)
        check(all(code == 250 for code, _ in replies), f"{sender} to {recipients} was answered {replies}")
        return name, text

    def arrived(self, name, headers_only=True, count=1):
        """The envelope and text of a mail at the sink; a bounce has the Message-ID in its body."""

        def has(mail):
            header = mail["data"][: mail["data"].index("")] if headers_only and "" in mail["data"] else mail["data"]
            return any(name in line for line in header)

        found = wait_for(
            lambda: [it for it in self.lines("sink.log") if has(it)][: count + 1], f"{name} did not come to the sink"
        )
        recipients = sorted(bare(rcpt) for mail in found for rcpt in mail["rcpt"])
        senders = {bare(mail["mail"]) for mail in found}
        check(len(senders) == 1, f"{name} left with the senders {senders}")
        return senders.pop(), recipients, own_text(found[0]["data"])

    def event(self, **fields):
        """The line of the log that has these fields."""

        def found():
            return [it for it in self.lines("backstopd.log") if all(it.get(key) == fields[key] for key in fields)]

        return wait_for(found, lambda: f"the log has no {fields}: {self.lines('backstopd.log')[-4:]}")[0]


def bare(path):
    """The address of MAIL or RCPT, without parameters."""
    return re.match(r"\s*<([^>]*)>", path)[1]


def own_text(data):
    """What stands below the headers that hosts on the way put in front."""
    trace = True
    kept = []
    for line in data:
        trace = trace and (line.startswith(("Received:", "Return-Path:")) or (line[:1] in ("\t", " ")))
        if not trace:
            kept.append(line)
    return "\n".join(kept) + "\n"


class Milter(Site):
    face, signs, headers = "milter", "milter", True

    def milter(self):
        verdict = f'verdict-header = "{HEADER}"\n' if "message" in self.mode else ""
        return f'[milter]\nlisten = ["inet:127.0.0.1:{MILTER}"]\n{verdict}'


class Postfix(Milter):
    """By milter, for refuse-at = message; bindings/mta/tests/postfix has the rest."""

    name = "postfix"

    def faces(self):
        return f'{self.milter()}[socketmap]\nlisten = ["inet:127.0.0.1:{MAPS}"]\nmaps = ["verify"]\n'

    def start_mail(self):
        milter, known = f"inet:127.0.0.1:{MILTER}", f"socketmap:inet:127.0.0.1:{MAPS}:verify"
        main = (
            "mynetworks = 127.0.0.1\nrelay_domains = example.com\nmessage_size_limit = 50000000\n"
            "relay_recipient_maps = inline:{alice@example.com=OK, carol@example.com=OK}\n"
            f"smtpd_milters = {{ {milter}, default_action=tempfail }}\nnon_smtpd_milters = $smtpd_milters\n"
            f"recipient_canonical_maps = {known}\n"
        )
        run(LAB / "postfix", "start", self.folder / "mail", SMTP, SINK, self.write("more.cf", main))


class Sendmail(Milter):
    name = "sendmail"

    def faces(self):
        return self.milter() + (
            f'[socketmap]\nlisten = ["inet:127.0.0.1:{MAPS}"]\nmaps = ["verify"]\n'
        )

    def start_mail(self):
        mc = (ROOT / "bindings/mta/sendmail/backstop.mc").read_text()
        mc = replaced(mc, ("inet:10030@", f"inet:{MILTER}@"), ("inet:10028@", f"inet:{MAPS}@"))
        mc += "LOCAL_RULE_0\nRforward < @ example.com . > $*\t$: $>canonify carol@elsewhere.example\n"
        run(LAB / "sendmail", "start", self.folder / "mail", SMTP, SINK, self.write("more.mc", mc))

    def submit(self, sender, recipient, text):
        run(LAB / "sendmail", "run", self.folder / "mail", "sendmail", "-i", "-f", sender, recipient, text=text)


class OpenSmtpd(Site):
    name, face, signs, daemon = "opensmtpd", "filter", "filter", False
    # What filters in front of backstopd do with every MAIL of a client that greets as {one of these}.example.
    in_front = {"bypass": "bypass", "junk": "junk", "rewrite": 'rewrite "<renamed@elsewhere.example>"'}

    def faces(self):
        return "[filter]\n"

    def pid(self):
        """OpenSMTPD runs the filter by a shell; both have its configuration among their arguments."""
        found = []
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                arguments = (process / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if arguments[0] == str(BINARIES / "backstopd").encode() and str(self.config).encode() in arguments:
                found.append(int(process.name))
        check(len(found) == 1, f"the filter is {found}")
        return found[0]

    def start_mail(self):
        conf = (
            f'filter backstop proc-exec "{BINARIES}/backstopd filter --config {self.config}" user root group root\n'
            'table forwards { "forward@example.com" = "carol@elsewhere.example" }\n'
            'action "forward" forward-only virtual <forwards>\n'
            'match from any for rcpt-to "forward@example.com" action "forward"\n'
        )
        for name, decision in self.in_front.items():
            conf += f'filter "{name}" phase mail-from match helo {{ "{name}.example" }} {decision}\n'
        conf += 'filter chained chain { "bypass", "junk", "rewrite", backstop }\n'
        run(LAB / "opensmtpd", "start", self.folder / "mail", SMTP, SINK, self.write("more.conf", conf), "filter chained")

    def submit(self, sender, recipient, text):
        run(LAB / "opensmtpd", "run", self.folder / "mail", "sendmail", "-f", sender, recipient, text=text)


class Exim(Site):
    # A table is told no network: whom to sign for is Exim's to say.
    name, face, signs, internal_hosts = "exim", "policy-service", "tcp-table", False

    def faces(self):
        return f'[tcp-table]\nsign = ["inet:127.0.0.1:{SIGN}"]\nverify = ["inet:127.0.0.1:{VERIFY}"]\n' + (
            f'[policy-service]\nlisten = ["inet:127.0.0.1:{POLICY}"]\n'
        )

    def start_mail(self):
        aliases = self.write("aliases", "forward@example.com: carol@elsewhere.example\n")
        conf = (ROOT / "bindings/mta/exim/exim.conf").read_text()
        ports = ((10031, SIGN), (10032, VERIFY), (10029, POLICY))
        conf = replaced(
            conf,
            ("= mx.example.net::25", f"= 127.0.0.1::{SINK}"),
            *((f"= inet:127.0.0.1:{guide}\n", f"= inet:127.0.0.1:{lab}\n") for guide, lab in ports),
        )
        conf = f"primary_hostname = mx.lab.example\nSINK = yes\nALIASES = {aliases}\n{conf}"
        run(LAB / "exim", "start", self.folder / "mail", SMTP, self.write("exim.conf", conf))

    def submit(self, sender, recipient, text):
        run(LAB / "exim", "run", self.folder / "mail", "-i", "-f", sender, recipient, text=text)

    def as_client(self, client, recipient):
        """The reply to RCPT for a client that is only said to be there, from a sender elsewhere."""
        lines = f"EHLO client.example\r\nMAIL FROM:<dave@elsewhere.example>\r\nRCPT TO:<{recipient}>\r\nQUIT\r\n"
        told = run(LAB / "exim", "run", self.folder / "mail", "-bh", client, text=lines).splitlines()
        replies = [line for line in told if re.match(r"\d{3} ", line)]
        check(len(replies) == 5, f"Exim said {told}")
        return replies[3]


def replaced(text, *pairs):
    for old, new in pairs:
        check(old in text, f"{old} is not in the configuration any more")
        text = text.replace(old, new)
    return text
