#!/usr/bin/env python3
"""Numbered messages through Postfix while its daemon has a hard time: the client, the trouble and the count.

    numbered.py COUNT PORT FOLDER BACKSTOPD BACKSTOP

COUNT messages leave through PORT; every fifth bounces at once, to the sender with which it reached the sink, whose log
is FOLDER/sink.log. A client tries again whatever got a 4xx or lost its connection before the dot, as a mail server does.
All the while the daemon (FOLDER/config) is reloaded every second and killed and started anew every third, and its ring
(FOLDER/keys) is rotated in three steps: one key; the successor known; the successor signs. The second follows at a quarter
of the messages, the third when no connection is left that began before the second.

At the end every message must have arrived once, signed by a key of the ring, each key some; every bounce once at its plain
mailbox; nothing may have been refused for good. One line tells the figures.
"""

import datetime
import json
import os
import queue
import re
import signal
import smtplib
import subprocess
import sys
import threading
import time

CLIENTS = 8
# A milter keeps its configuration for a connection, so connections are short.
MAILS_A_CONNECTION = 10
LONGEST_CONNECTION = 5
PATIENCE = 600


def fail(text):
    raise SystemExit(f"numbered.py: FAILED: {text}")


def day(later):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=later)).date().isoformat()


class Daemon:
    """The daemon, its ring and what becomes of them."""

    def __init__(self, folder, program):
        self.folder, self.program, self.kills, self.reloads = folder, program, 0, 0
        self.log = open(os.path.join(folder, "log"), "ab")
        self.ring(1)
        self.start()

    def ring(self, step):
        key = "prvs {} sha256 7 {} {} example.com text:key {} of this test\n"
        lines = {
            1: [(4, "2020-01-01", "-", 4)],
            2: [(4, "2020-01-01", "-", 4), (5, day(1), "-", 5)],
            3: [(4, "2020-01-01", day(3), 4), (5, day(0), "-", 5)],
        }
        path = os.path.join(self.folder, "keys")
        with open(path + ".new", "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write("version 1\n" + "".join(key.format(*line) for line in lines[step]))
        os.replace(path + ".new", path)

    def start(self):
        config = os.path.join(self.folder, "config")
        command = [self.program, "--config", config, "--state", self.folder]
        self.begun = os.path.getsize(self.log.name)
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.log)

    def reload(self):
        # systemd, too, waits for READY before it reloads; SIGHUP would end a program that has not yet said what it does then.
        with open(self.log.name, "rb") as log:
            log.seek(self.begun)
            if b"is ready" not in log.read():
                return
        if self.process.poll() is not None:
            fail(f"the daemon ended by itself with {self.process.returncode}")
        self.process.send_signal(signal.SIGHUP)
        self.reloads += 1

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.kills += 1

    def end(self):
        self.process.terminate()
        self.process.wait()


class Clients:
    """Sends what is in its queues, (sender, recipient, Message-ID), each until it is taken: own mail, and the world's."""

    def __init__(self, port):
        self.port, self.own, self.world = port, queue.Queue(), queue.Queue()
        self.again, self.refused = 0, []
        self.lock = threading.Lock()
        for source, work in (("127.0.0.1", self.own), ("127.0.0.2", self.world)):
            for _ in range(CLIENTS // 2):
                threading.Thread(target=self.run, args=(source, work), daemon=True).start()

    def run(self, source, work):
        client, left, begun = None, 0, 0
        while True:
            mail = work.get()
            while not (client and self.send(client, *mail)):
                # Too early, or no connection: another one.
                if client:
                    client.close()
                    with self.lock:
                        self.again += 1
                    time.sleep(0.2)
                try:
                    client = smtplib.SMTP("127.0.0.1", self.port, "client.example", 60, (source, 0))
                    left, begun = MAILS_A_CONNECTION, time.monotonic()
                except (OSError, smtplib.SMTPException):
                    client = None
                    time.sleep(0.2)
            left -= 1
            if left == 0 or work.empty() or time.monotonic() > begun + LONGEST_CONNECTION / 2:
                client.close()
                client = None

    def send(self, client, sender, recipient, name):
        text = f"From: a@header.example\r\nMessage-ID: <{name}>\r\nSubject: {name}\r\n\r\nhello\r\n"
        try:
            client.sendmail(sender, [recipient], text)
        except smtplib.SMTPRecipientsRefused as error:
            return self.final(name, error.recipients[recipient][0], error)
        except smtplib.SMTPResponseException as error:
            return self.final(name, error.smtp_code, error)
        except (OSError, smtplib.SMTPException):
            return False
        return True

    def final(self, name, code, error):
        """A 5xx is the end of it, and of the test."""
        if 500 <= code < 600:
            self.refused.append(f"{name}: {error}")
            return True
        return False


class Sink:
    """What arrived, read as it comes."""

    def __init__(self, path):
        self.path, self.at, self.mails = path, 0, {}

    def news(self):
        if not os.path.exists(self.path):
            return
        with open(self.path, encoding="utf-8", errors="surrogateescape") as log:
            log.seek(self.at)
            while (line := log.readline()).endswith("\n"):
                self.at = log.tell()
                mail = json.loads(line)
                name = next(it[13:-1] for it in mail["data"] if it.startswith("Message-ID: <"))
                first = name not in self.mails
                sender, recipient = (re.match("<([^>]*)>", it)[1] for it in (mail["mail"], mail["rcpt"][0]))
                self.mails.setdefault(name, []).append((sender, recipient))
                if first:
                    yield name, sender


def user(number):
    return f"user{number % 97}@example.com"


def main(count, port, folder, backstopd, backstop):
    count, begun = int(count), time.monotonic()
    daemon, clients = Daemon(folder, backstopd), Clients(int(port))
    sink, step, step_at, second, bounces = Sink(os.path.join(folder, "sink.log")), 1, begun, 0, 0

    def put(numbers):
        for number in numbers:
            clients.own.put((user(number), f"n{number}@elsewhere.example", f"n{number}@example.com"))

    # The rest waits for the third step, or a fast machine's successor would sign none.
    put(range(count // 2))
    expected = count + len(range(0, count, 5))
    try:
        while len(sink.mails) < expected and not clients.refused:
            now = time.monotonic()
            if now > begun + PATIENCE:
                fail(f"{len(sink.mails)} of {expected} arrived in {PATIENCE} s")
            for name, sender in sink.news():
                if name.startswith("n") and int(name[1:].partition("@")[0]) % 5 == 0:
                    bounces += 1
                    clients.world.put(("", sender, "b" + name[1:]))
            if step == 1 and len(sink.mails) > expected / 4 or step == 2 and now > step_at + LONGEST_CONNECTION + 2:
                step, step_at = step + 1, now
                daemon.ring(step)
                if step == 3:
                    put(range(count // 2, count))
            if now > begun + second:
                second += 1
                if second % 3 == 0:
                    daemon.kill()
                    time.sleep(0.3)
                    daemon.start()
                elif time.monotonic() > begun + 1:
                    daemon.reload()
            time.sleep(0.05)
        # What comes twice may come late.
        time.sleep(1)
        list(sink.news())
    finally:
        daemon.end()
    check(count, sink, clients, daemon, folder, backstop)
    seconds = time.monotonic() - begun
    print(
        f"numbered.py: {count} messages and {bounces} bounces in {seconds:.0f} s, each arrived once; {daemon.kills} kills, "
        f"{daemon.reloads} reloads, {clients.again} tries again"
    )


def check(count, sink, clients, daemon, folder, backstop):
    if clients.refused:
        fail(f"{len(clients.refused)} refused, first {clients.refused[0]}")
    for name, mails in sink.mails.items():
        if len(mails) != 1:
            fail(f"{name} arrived {len(mails)} times")
    senders = []
    for number in range(count):
        (sender, recipient), wanted = sink.mails[f"n{number}@example.com"][0], user(number)
        if recipient != f"n{number}@elsewhere.example" or not sender.endswith("=" + wanted):
            fail(f"n{number} left from {sender} to {recipient}")
        senders.append(sender)
        if number % 5 == 0 and sink.mails[f"b{number}@example.com"] != [("", wanted)]:
            fail(f"the bounce of n{number} came as {sink.mails[f'b{number}@example.com']}")
    command = [backstop, "verify", "--keys", os.path.join(folder, "keys"), "--json", "-"]
    lines = subprocess.run(command, input="\n".join(senders) + "\n", capture_output=True, text=True).stdout.splitlines()
    verdicts = [json.loads(line) for line in lines]
    if len(verdicts) != count or any(it["verdict"] != "genuine" for it in verdicts):
        fail(f"not all senders are signed: {[it for it in verdicts if it['verdict'] != 'genuine'][:3]}")
    if {it["key"] for it in verdicts} != {"4", "5"}:
        fail(f"signed by {({it['key'] for it in verdicts})}, not by both keys")
    if daemon.kills < 2 or daemon.reloads < 4 or clients.again == 0:
        fail(f"too little trouble: {daemon.kills} kills, {daemon.reloads} reloads, {clients.again} tries again")


if __name__ == "__main__":
    if len(sys.argv) != 6:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
