#!/usr/bin/env python3
"""Both ends of SMTP for tests with real mail systems, on loopback and with Python's own library only.

    smtp.py sink PORT LOG                  takes every mail; one JSON line each: helo, mail, rcpt, data
    smtp.py find LOG TEXT                  waits for the mail that has TEXT in its data and shows envelope and data
    smtp.py send [SOURCE:]PORT SENDER RECIPIENT...
                                           sends one mail, its text from standard input or a short one of its own
    smtp.py talk [SOURCE:]PORT LINE...     says these lines and QUIT, up to the first that is refused

MAIL and RCPT are written down as they came, with their parameters. The sink answers 550 to a recipient that begins with
"nouser", also under a tag, and 451 to "tempfail". `find` waits for 30 seconds; it ends with 0 if there is one such mail.
`send` comes from the address SOURCE (127.0.0.1) and prints every reply as "COMMAND | REPLY"; SENDER '<>' or '' is the
null sender. It ends with 0 if every recipient was taken, else with 1. `talk` prints alike; the lines behind a DATA that
was answered 354 are a message, up to the one with a dot.
"""

import json
import smtplib
import socketserver
import sys
import threading
import time

WRITING = threading.Lock()


class Session(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write((text + "\r\n").encode())

    def line(self):
        raw = self.rfile.readline()
        if not raw:
            raise EOFError
        return raw.decode("utf-8", "surrogateescape").rstrip("\r\n")

    def handle(self):
        try:
            self.talk()
        except (EOFError, ConnectionError):
            pass

    def talk(self):
        self.say("220 sink.example ESMTP")
        helo, mail, rcpt = None, None, []
        while True:
            line = self.line()
            verb = line.upper()
            if verb.startswith(("EHLO", "HELO")):
                helo = line[5:]
                self.say("250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-DSN\r\n250 SMTPUTF8")
            elif verb.startswith("MAIL FROM:"):
                mail, rcpt = line[10:], []
                self.say("250 2.1.0 ok")
            elif verb.startswith("RCPT TO:"):
                user = line[8:].lower().strip("< ").partition(">")[0].rsplit("=", 1)[-1]
                if user.startswith("nouser"):
                    self.say("550 5.1.1 no such user")
                elif user.startswith("tempfail"):
                    self.say("451 4.2.0 later")
                else:
                    rcpt.append(line[8:])
                    self.say("250 2.1.5 ok")
            elif verb == "DATA" and not rcpt:
                self.say("554 5.5.1 no recipient")
            elif verb == "DATA":
                self.say("354 go on")
                data = []
                while (text := self.line()) != ".":
                    data.append(text.removeprefix("."))
                with WRITING, open(self.server.log, "a", encoding="utf-8", errors="surrogateescape") as log:
                    log.write(json.dumps({"helo": helo, "mail": mail, "rcpt": rcpt, "data": data}) + "\n")
                self.say("250 2.0.0 taken")
            elif verb == "QUIT":
                self.say("221 2.0.0 bye")
                return
            else:
                self.say("250 2.0.0 ok")


class Sink(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 200


def sink(port, log):
    with Sink(("127.0.0.1", int(port)), Session) as server:
        server.log = log
        server.serve_forever()


def find(log, text):
    for _ in range(300):
        try:
            with open(log, encoding="utf-8", errors="surrogateescape") as lines:
                mails = [json.loads(line) for line in lines if line.endswith("\n")]
        except FileNotFoundError:
            mails = []
        found = [mail for mail in mails if any(text in line for line in mail["data"])]
        if found:
            break
        time.sleep(0.1)
    for mail in found:
        print("MAIL FROM:" + mail["mail"])
        for rcpt in mail["rcpt"]:
            print("RCPT TO:" + rcpt)
        print("", *mail["data"], sep="\n")
    return 0 if len(found) == 1 else 1


def connected(source, port):
    """A server that was just started may need a moment."""
    for _ in range(100):
        try:
            return smtplib.SMTP(
                "127.0.0.1", int(port), local_hostname="client.example", timeout=30, source_address=(source, 0)
            )
        except (ConnectionRefusedError, smtplib.SMTPServerDisconnected):
            time.sleep(0.1)
    raise SystemExit(f"smtp.py: nothing listens on port {port}")


def send(port, sender, *recipients):
    text = "From: a@header.example\nTo: b@header.example\nSubject: a test\n\nhello\n"
    if not sys.stdin.isatty():
        text = sys.stdin.read() or text
    sender = "<" + sender.strip("<>") + ">"
    source, _, port = port.rpartition(":")
    with connected(source or "127.0.0.1", port) as client:
        client.ehlo_or_helo_if_needed()

        def command(line):
            code, reply = client.docmd(line)
            print(f"{line} | {code} {reply.decode('utf-8', 'replace')}")
            return code < 400

        taken = command(f"MAIL FROM:{sender}") and [r for r in recipients if command(f"RCPT TO:<{r}>")]
        done = False
        if taken:
            try:
                code, reply = client.data(text.replace("\n", "\r\n").encode())
            except smtplib.SMTPDataError as refused:
                code, reply = refused.args
            print(f"DATA | {code} {reply.decode('utf-8', 'replace')}")
            done = code == 250 and len(taken) == len(recipients)
    return 0 if done else 1


def talk(port, *lines):
    source, _, port = port.rpartition(":")
    with connected(source or "127.0.0.1", port) as client:
        code, within = 0, False
        for line in lines:
            within = within and line != "."
            if within:
                client.send(line + "\r\n")
                continue
            code, reply = client.docmd(line)
            print(f"{line} | {code} {reply.decode('utf-8', 'replace')}")
            within = code == 354
            if code >= 400:
                return 1
    return 0


if __name__ == "__main__":
    verbs = {"sink": sink, "find": find, "send": send, "talk": talk}
    if len(sys.argv) < 4 or sys.argv[1] not in verbs:
        raise SystemExit(__doc__)
    sys.exit(verbs[sys.argv[1]](*sys.argv[2:]))
