"""The stage of bindings/mta/tests/guide: two hosts, a real Postfix, commands under another clock, and mail.

A host N has its folders below target/guide/N, or in a folder of /var/tmp if other users cannot enter that. Commands of the
guide are run with its folders and ports put in place of those that the guide names (`inside`), and what they print is turned
back (`outside`). In front of the real programs stand a few lines each: `backstop` and `backstopd` get the clock, `postconf`,
`mailq` and `sendmail` the instance in tests/lab; `systemctl` runs ExecStart and ExecReload of the unit as the daemon's user,
`postfix reload` gives master its signal, `scp` copies between the folders.
"""

import atexit
import glob
import json
import os
import pathlib
import re
import shutil
import signal
import smtplib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
LAB = pathlib.Path(os.environ.get("BACKSTOP_LAB", ROOT / "target/lab"))
BINARIES = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
BASE = int(os.environ.get("BACKSTOP_TEST_PORT", "21400"))
SUBMISSION, SMTP, SINK = BASE + 19, BASE + 20, BASE + 21
HOSTS = ("mx1", "mx2")
USER, WORLD = "192.0.2.10", "198.51.100.9"
# User and group `backstop` of the guide: one that is no root's and that tests/lab/postfix makes.
DAEMON = "postfix"
AS_DAEMON = f"setpriv --reuid={DAEMON} --regid={DAEMON} --clear-groups "

sys.path.insert(0, str(ROOT / "tests/lab"))

from waiting import PATIENCE, Cannot, Wrong, check, wait_for, work_folder

WORK, passing = work_folder("guide")
if passing:
    atexit.register(shutil.rmtree, WORK)


def run(*command, text=None, env=None):
    done = subprocess.run([str(it) for it in command], input=text, capture_output=True, text=True, env=env)
    if done.returncode == 77:
        raise Cannot(done.stderr.strip().splitlines()[-1])
    check(done.returncode == 0, f"{command[0]} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def inside(text, host="mx1"):
    """The guide's words as this test has them."""
    text = text.replace("runuser -u backstop -- ", AS_DAEMON)
    text = re.sub(r"\bmx2:/", "/mx2-root/", text)
    text = re.sub(r"(?<![\w/])/etc/postfix\b", f"{WORK}/postfix/etc", text)
    text = re.sub(r"(?<![\w/])/((etc/backstop|var/log/backstopd|var/lib/backstopd)\b)", rf"{WORK}/{host}/\1", text)
    text = text.replace("/mx2-root/", f"{WORK}/mx2/")
    shift = 0 if host == "mx1" else 20
    text = re.sub(r"(?<![\w/])(/etc/(postsrsd\.secret|exim4)\b)", rf"{WORK}/{host}\1", text)
    text = re.sub(r"\b1000([12])\b", lambda it: str(BASE + 35 + int(it[1])), text)
    text = re.sub(r"\b100(2[6-9]|3[0-9])\b", lambda it: str(BASE + int(it[1]) - 26 + (shift and 22)), text)
    # A pattern of grep for ports.
    text = text.replace("100(2[6-9]|30)", f"({'|'.join(str(BASE + n) for n in range(5))})")
    text = text.replace("submission/inet", f"127.0.0.1:{SUBMISSION}/inet")
    return re.sub(r"(--group |chgrp )backstop\b", rf"\1{DAEMON}", text)


def outside(text):
    """What commands print, in the guide's words."""
    text = text.replace(f"{WORK}/postfix/etc", "/etc/postfix").replace(f"127.0.0.1:{SUBMISSION}/inet", "submission/inet")
    for host in HOSTS:
        text = text.replace(f"{WORK}/{host}/", "/")
    ports = {BASE + shift + n: 10026 + n for shift in (0, 22) for n in range(14)}
    ports |= {BASE + 35 + n: 10000 + n for n in (1, 2)}
    return re.sub(r"\b\d{5}\b", lambda it: str(ports.get(int(it[0]), it[0])), text)


def drop(text, names):
    """main.cf without these parameters and their continuation lines."""
    kept, dropping = [], False
    for line in text.splitlines(keepends=True):
        if not line[:1].isspace():
            dropping = line.split("=")[0].strip() in names
        if not dropping:
            kept.append(line)
    return "".join(kept)


def merged(text, lines):
    """A TOML text with the keys of a fragment; one that it has already is replaced. One line a key."""
    tables = {}
    for line in [*outside(text).splitlines(), *lines]:
        if line.startswith("["):
            table = tables.setdefault(line, {})
        elif " = " in line and not line.startswith("#"):
            key, value = line.split(" = ", 1)
            table[key] = value
    text = lambda keys: "".join(f"{key} = {value}\n" for key, value in keys.items())
    return "\n".join(f"{head}\n{text(keys)}" for head, keys in tables.items())


def unpacked(package, program):
    """A program of a Debian package that is not installed."""
    tool = LAB / package / program
    if not tool.exists():
        scratch = LAB / f"{package}.{os.getpid()}"
        scratch.mkdir(parents=True)
        try:
            get = f"apt-get -qq -o APT::Sandbox::User=root download {package}"
            done = subprocess.run(
                ["bash", "-c", f"({get} 2>/dev/null || (apt-get -qq update && {get})) && dpkg -x *.deb tree"],
                cwd=scratch, capture_output=True, text=True,
            )  # fmt: skip
            if done.returncode:
                raise Cannot(f"apt-get cannot fetch the package {package}: {done.stderr.strip()}")
            # A large one of the same package that nobody here needs.
            (scratch / "tree/usr/bin/prometheus").unlink(missing_ok=True)
            if not tool.exists():
                (scratch / "tree").rename(LAB / package)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return tool


def tail(path):
    return "\n".join(path.read_text(errors="replace").splitlines()[-6:]) if path.exists() else "no log"


class Stage:
    """The hosts and their mail server."""

    def __init__(self):
        self.sink, self.number, self.others = None, 0, []

    def build(self):
        for host in HOSTS:
            (WORK / host / "etc/backstop").mkdir(parents=True)
        fake = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
        if not fake:
            raise Cannot("libfaketime is missing (apt-get install libfaketime)")
        if not shutil.which("curl"):
            raise Cannot("curl is missing (apt-get install curl)")
        self.clock = WORK / "clock"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("BACKSTOP_")},
            "PATH": f"{WORK}/bin:{os.environ['PATH']}", "COLUMNS": "100", "TZ": "UTC", "LC_ALL": "C.UTF-8",
            "HOME": str(WORK),
        }  # fmt: skip
        (WORK / "bin").mkdir()
        self.faked = {
            "LD_PRELOAD": fake[0], "FAKETIME_TIMESTAMP_FILE": str(self.clock), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1",
        }  # fmt: skip
        faked = "".join(f"export {name}={value}\n" for name, value in self.faked.items())
        # Copies, since the daemon's user may not be let into the checkout.
        programs = WORK / "programs"
        programs.mkdir()
        for name in ("backstop", "backstopd"):
            shutil.copy(BINARIES / name, programs)
        self.shim("backstop", f'{faked}exec {programs}/backstop "$@"\n')
        for name in ("postconf", "postmap", "postqueue", "sendmail"):
            self.shim(name, f'exec {ROOT}/tests/lab/postfix run {WORK}/postfix {name} "$@"\n')
        self.shim("mailq", "exec postqueue -p\n")
        # `postfix reload` wants the installed layout; this is the signal that it gives, and time for it to be heeded.
        self.shim(
            "postfix",
            f"""[ "$*" = reload ] || exit 64
master=$(tr -d " " <{WORK}/postfix/spool/pid/master.pid)
old=$(grep -l "^PPid:.\\b$master$" $(grep -lE "^Name:.(smtpd|cleanup)$" /proc/[0-9]*/status 2>/dev/null) 2>/dev/null)
kill -HUP $master
for _ in $(seq 100); do ls $old >/dev/null 2>&1 || exit 0; [ "$old" ] || exit 0; sleep 0.05; done
echo "processes of Postfix that do not end: $old"; exit 1
""",
        )
        # The second host's configuration has the paths and ports that the guide's words become there.
        words = ("/etc/backstop", "/var/log/backstopd", *map(str, range(10026, 10040)))
        edit = " ".join(f"-e 's#{inside(it)}#{inside(it, 'mx2')}#g'" for it in words)
        # As scp does, -p keeps the mode and not the group.
        copy = '[ "$1" = -p ] || exit 64\ncp --preserve=mode,timestamps "$2" "$3" || exit\n'
        self.shim("scp", f'{copy}[[ $3 != *.toml ]] || sed -i {edit} "$3"\n')
        unit = (ROOT / "bindings/mta/systemd/backstopd.service").read_text()
        start, reload = (re.search(rf"^{key}=(.*)$", unit, re.M)[1] for key in ("ExecStart", "ExecReload"))
        for host in HOSTS:
            line = {"start": start, "reload": reload}
            line = {verb: inside(it.replace("/usr/sbin/backstopd", "backstopd"), host) for verb, it in line.items()}
            at = WORK / host
            log = f"{at}/var/log/backstopd/events.log"
            told = f"grep -c '\"event\":\"notice\"' {log} 2>/dev/null"
            (WORK / host / "bin").mkdir()
            # The configuration that is read unless another is named lies elsewhere here.
            there = f'[ "$*" != check ] || set -- check {at}/etc/backstop/backstopd.toml\n'
            self.shim("backstopd", f'{faked}{there}exec {programs}/backstopd "$@"\n', WORK / host / "bin")
            self.shim(
                "systemctl",
                f"""pid=$(cat {at}/pid 2>/dev/null)
seen=$({told} || true)
start() {{
    {AS_DAEMON}{line["start"]} --state {at}/var/lib/backstopd >>{at}/journal 2>&1 &
    echo $! >{at}/pid
}}
stop() {{ kill $pid; while kill -0 $pid 2>/dev/null; do sleep 0.02; done; }}
case "$*" in
"enable --now backstopd") start ;;
"restart backstopd") stop; start ;;
"stop backstopd" | "disable --now backstopd") stop; exit ;;
"start backstopd") start ;;
"reload backstopd") export MAINPID=$pid; {AS_DAEMON}{line["reload"]} || exit ;;
*) echo "systemctl: $* is not played here" >&2; exit 64 ;;
esac
for _ in $(seq 400); do [ "$({told} || true)" = "$seen" ] || exit 0; sleep 0.02; done
echo "the daemon says nothing: $(cat {at}/journal)" >&2; exit 1
""",
                WORK / host / "bin",
            )
        self.start_postfix()
        for host in HOSTS:
            for folder in ("var/log/backstopd", "var/lib/backstopd"):
                (WORK / host / folder).mkdir(parents=True)
                shutil.chown(WORK / host / folder, DAEMON, DAEMON)

    def shim(self, name, text, folder=None):
        path = (folder or WORK / "bin") / name
        path.write_text(f"#!/bin/bash\n{text}")
        path.chmod(0o755)

    def start_postfix(self):
        """example.com has mailboxes here; whatever leaves or is delivered goes to the sink. XCLIENT tells who a client is, by an
        address of loopback that Postfix does not listen on, since it completes the headers of those.

        A milter is configured already, of a kind that may be away: it must stay, and never hold mail up.
        """
        (WORK / "main.cf").write_text(
            "mynetworks = 127.0.0.0/8, 192.0.2.0/24\nmydestination = example.com, example.net\n"
            f"local_transport = smtp:[127.0.0.1]:{SINK}\n"
            "local_recipient_maps = inline:{alice=x, bob=x, newsletter=x, team=x}\n"
            f"smtpd_authorized_xclient_hosts = 127.0.0.77\nsmtpd_milters = {inside('inet:127.0.0.1:10039')}\n"
            "milter_default_action = accept\n"
        )
        self.sink = subprocess.Popen([sys.executable, ROOT / "tests/lab/smtp.py", "sink", str(SINK), WORK / "sink.log"])
        run(ROOT / "tests/lab/postfix", "start", WORK / "postfix", SMTP, SINK, WORK / "main.cf")

    def end(self):
        for host in HOSTS:
            try:
                os.kill(int((WORK / host / "pid").read_text()), signal.SIGTERM)
            except (FileNotFoundError, ProcessLookupError, ValueError):
                pass
        if (WORK / "postfix").is_dir():
            subprocess.run([ROOT / "tests/lab/postfix", "stop", WORK / "postfix"], check=False)
        for process in [*self.others, *([self.sink] if self.sink else [])]:
            process.terminate()
            process.wait()

    def shell(self, command, host="mx1"):
        env = {
            **self.environment,
            "PATH": f"{WORK}/{host}/bin:{self.environment['PATH']}", "BACKSTOP_KEYS": f"{WORK}/{host}/etc/backstop/keys",
        }  # fmt: skip
        with open(WORK / "printed", "w+") as printed:
            done = subprocess.run(
                ["bash", "-o", "pipefail", "-c", inside(command, host)],
                env=env, cwd=WORK / host, stdin=subprocess.DEVNULL, stdout=printed, stderr=printed,
            )  # fmt: skip
            printed.seek(0)
            return done.returncode, outside(printed.read())

    def postfix_with(self, settings):
        words = " ".join(f"'{name} = {value}'" for name, value in settings.items())
        code, said = self.shell(f"postconf -e {words} && postfix reload" if words else "postfix reload")
        check(code == 0, said)

    def tag(self, sender):
        return self.shell(f"backstop sign {sender}")[1].strip()

    def client(self, address, port=SMTP):
        client = smtplib.SMTP("127.0.0.1", port, "client.example", PATIENCE, ("127.0.0.77", 0))
        client.ehlo()
        client.docmd(f"XCLIENT ADDR={address} NAME=[UNAVAILABLE]")
        client.ehlo("client.example")
        return client

    def dialogue(self, address, sender, recipient, port=SMTP):
        """The Message-ID, and the replies to RCPT and DATA."""
        self.number += 1
        name, replies = f"<{self.number}@guide.example>", []
        head = (f"From: <{sender}>", "To: friends", f"Message-ID: {name}", "Date: Sat, 21 Nov 2026 12:00:00 +0000")
        text = "\r\n".join([*head, "", "x", ""])
        with self.client(address, port) as client:
            steps = (lambda: client.mail(sender), lambda: client.rcpt(recipient), lambda: client.data(text))
            for step in steps:
                try:
                    code, reply = step()
                except smtplib.SMTPDataError as refused:
                    code, reply = refused.smtp_code, refused.smtp_error
                replies.append((code, reply.decode("utf-8", "replace")))
                if code != 250:
                    break
        return name, replies

    def arrived(self, name):
        """The one mail with this Message-ID, as it came to the sink."""
        return self.arrivals(name, 1)[0]

    def arrivals(self, name, count):
        """What came with this Message-ID, once for each recipient, which are this many."""

        bare = lambda path: re.match(r"\s*<([^>]*)>", path)[1]

        def found():
            lines = (WORK / "sink.log").read_text(errors="replace") if (WORK / "sink.log").exists() else ""
            mails = [json.loads(line) for line in lines.splitlines(keepends=True) if line.endswith("\n") and name in line]
            mails = [it for it in mails if any(line == f"Message-ID: {name}" for line in it["data"])]
            came = [{"mail": bare(mail["mail"]), "rcpt": [bare(it)]} for mail in mails for it in mail["rcpt"]]
            return came if len(came) >= count else None

        came = wait_for(found, f"{name} did not arrive {count} times: {tail(WORK / 'postfix/log')}")
        check(len(came) == count, f"{name} arrived {len(came)} times")
        return came
