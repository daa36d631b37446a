"""What bindings/mta/tests/guide plays on Postfix itself: forwards, and settings that other sites have in main.cf and master.cf.

Each `do_VERB` is one of `<!-- test: VERB ... -->`; it puts back what it changed but where it says otherwise.
"""

import os
import pathlib
import re
import shutil
import signal

from guide_stage import SINK, SMTP, SUBMISSION, USER, WORK, WORLD, Stage, check, inside


class Mailserver(Stage):
    """The verbs; `do_returned` is the guide's."""

    def do_submission(self):
        """Postfix has a submission service, on a port of the test, with milters of its own in master.cf."""
        port = inside("submission/inet").split("/")[0]
        service = f"{port} inet n - n - - smtpd -o {{ smtpd_milters = {inside('inet:127.0.0.1:10039')} }}"
        code, said = self.shell(f"postconf -M '{port}/inet = {service}' && postfix reload")
        check(code == 0, said)

    def do_submitted(self, sender):
        """A user's mail that comes by the submission service leaves with the tag of the ring in force."""
        name, replies = self.dialogue(USER, sender, "carol@elsewhere.example", SUBMISSION)
        check(replies[-1][0] == 250 and self.arrived(name)["mail"] == self.tag(sender), f"unsigned: {replies}")

    def do_classes(self, user):
        """The same with the domain in each class of recipients that Postfix has: tags come off, strangers' mail comes in."""
        mailbox, elsewhere = f"{user}@example.com", f"{user}@mailbox.example"
        kept = {name: self.shell(f"postconf -h {name}")[1].strip() for name in ("mydestination", "virtual_transport")}
        for settings, to, strict in (
            ({"relay_domains": "example.com", "relay_recipient_maps": ""}, mailbox, False),
            ({"relay_domains": "example.com", "relay_recipient_maps": f"inline:{{{mailbox}=x}}"}, mailbox, True),
            ({"virtual_mailbox_domains": "example.com", "virtual_mailbox_maps": f"inline:{{{mailbox}=x}}"}, mailbox, True),
            ({"virtual_alias_domains": "example.com", "virtual_alias_maps": f"inline:{{{mailbox}={elsewhere}}}"}, elsewhere, True),
        ):
            sink = {"mydestination": "", "virtual_transport": self.shell("postconf -h local_transport")[1].strip()}
            self.postfix_with({**sink, **settings})
            self.do_returned(self.tag(mailbox), "delivered", to)
            name, replies = self.dialogue(WORLD, "dave@origin.example", mailbox)
            check(replies[-1][0] == 250 and self.arrived(name)["rcpt"] == [to], f"{settings}: {replies}")
            if strict:
                self.do_returned(f"prvs=0798ba3cb5={mailbox}", "refused", "User unknown")
                _, replies = self.dialogue(WORLD, "dave@origin.example", "nobody@example.com")
                check(replies[-1][0] == 550, f"{settings}: {replies}")
            code, said = self.shell(f"postconf -X {' '.join(settings)}")
            check(code == 0, said)
        self.postfix_with(kept)

    def do_forward(self, recipient, to):
        """A stranger's mail to this recipient goes on with a rewritten sender, and its bounce goes back to the stranger."""
        name, replies = self.dialogue(WORLD, "dave@origin.example", recipient)
        check(replies[-1][0] == 250, replies)
        left = self.arrived(name)
        check(left["rcpt"] == [to] and left["mail"].startswith("SRS0=") and left["mail"].endswith("@fwd.example.com"), left)
        self.do_returned(left["mail"], "delivered", "dave@origin.example")
        return left["mail"]

    def do_plain(self, recipient, *to):
        """A stranger's mail to this recipient goes on to these as it came."""
        self.sent_on(recipient, {it: False for it in to})

    def do_copy(self, recipient, to):
        """A stranger's mail to this recipient stays as it came, and goes on with a rewritten sender."""
        self.sent_on(recipient, {recipient: False, to: True})

    def sent_on(self, recipient, rewritten):
        name, replies = self.dialogue(WORLD, "dave@origin.example", recipient)
        check(replies[-1][0] == 250, replies)
        came = {mail["rcpt"][0]: mail["mail"].split("=")[0] for mail in self.arrivals(name, len(rewritten))}
        check(came == {to: "SRS0" if srs else "dave@origin.example" for to, srs in rewritten.items()}, came)
        lines = [it for it in (WORK / "sink.log").read_text().splitlines() if name in it]
        check(all('"To: friends"' in it for it in lines), f"a header was changed: {lines}")

    def do_alias(self, recipient, to, at_last):
        """A forward by an alias of the local delivery agent, to an address that the site's own maps lead on."""
        transport = WORK / "postfix/etc/forward-transport"
        transport.write_text(transport.read_text() + f"{recipient} local:\n")
        self.postfix_with({"alias_maps": f"inline:{{{recipient.split('@')[0]}={to}}}"})
        self.do_forward(recipient, at_last)

    def do_list(self, address, to):
        """A list by an alias of the local delivery agent leaves as its owner, unsigned, and a bounce to that comes in."""
        user = address.split("@")[0]
        kept = {name: self.shell(f"postconf -h {name}")[1].strip() for name in ("alias_maps", "local_recipient_maps")}
        known = kept["local_recipient_maps"].replace("}", f", owner-{user}=x}}")
        there = {"myorigin": "example.com", "transport_maps": f"inline:{{{address}=local:}}"}
        code, said = self.shell("postconf -M 'local/unix = local unix - n n - - local'")
        check(code == 0, said)
        aliases = f"inline:{{{user}={to}, owner-{user}=alice}}"
        self.postfix_with({**there, "alias_maps": aliases, "local_recipient_maps": known})
        name, replies = self.dialogue(USER, "alice@example.com", address)
        check(replies[-1][0] == 250 and self.arrived(name) == {"mail": f"owner-{address}", "rcpt": [to]}, replies)
        self.do_returned(f"owner-{address}", "delivered", f"owner-{address}")
        code, said = self.shell(f"postconf -X {' '.join(there)} && postconf -MX local/unix")
        check(code == 0, said)
        self.postfix_with(kept)

    def do_bounces_only(self, recipient, to):
        """With the milter in place of the map, and enforce, an SRS address takes bounces back and no other mail."""
        policy = WORK / "mx1/etc/backstop/backstopd.toml"
        milter = f'[milter]\nlisten = ["{inside("inet:127.0.0.1:10030")}"]\n'
        policy.write_text(policy.read_text().replace('mode = "sign"', 'mode = "enforce"') + milter)
        code, said = self.shell("systemctl reload backstopd")
        check(code == 0, said)
        milters = f"{{ {inside('inet:127.0.0.1:10030')}, default_action=tempfail }}"
        self.postfix_with({"smtpd_milters": milters, "recipient_canonical_maps": "", "mydestination": "example.com"})
        left = self.do_forward(recipient, to)
        _, replies = self.dialogue(WORLD, "spam@elsewhere.example", left)
        check(replies[-1][0] == 550 and "5.7.1" in replies[-1][1], replies)

    def do_named(self):
        """The guide's look at the end finds a face of the daemon that main.cf or master.cf still names."""
        look = re.search(r"^\$ (\(postconf -n; postconf -P\).*)", self.text, re.M)[1]
        faces = ("check_policy_service,inet:127.0.0.1:10029", "check_recipient_access,socketmap:inet:127.0.0.1:10028:verify")
        for setting in (f"smtpd_data_restrictions={it}" for it in faces):
            code, said = self.shell(f"postconf -e '{inside(setting)}'; {look}")
            check(said.strip() == "1", f"{setting}: {said}")
            self.shell(f"postconf -X {setting.split('=')[0]}")

    def do_forwards(self, recipient, copied, to):
        """Forwards in each class of domains, behind a catch-all, and to an address that the site's own maps lead on."""
        _, replies = self.dialogue(WORLD, "dave@origin.example", recipient.replace("@example.com", "@srs.invalid"))
        check(replies[-1][0] == 554 and "Relay access denied" in replies[-1][1], replies)
        files = {WORK / f"postfix/etc/{name}": text for name, text in (
            ("virtual", "office@example.com office@srs.invalid\n@example.com alice@example.com\n"),
            ("forward-to", "office@srs.invalid sales@example.com\n"),
        )}  # fmt: skip
        before = {path: path.read_text() for path in files}
        for path, text in files.items():
            path.write_text(before[path] + text)
        kept = {name: self.shell(f"postconf -h {name}")[1].strip() for name in ("mydestination", "virtual_transport")}
        sink = {"mydestination": "", "virtual_transport": self.shell("postconf -h local_transport")[1].strip()}
        for settings in (
            {},
            {"virtual_mailbox_domains": "example.com", "virtual_mailbox_maps": f"inline:{{{copied}=x, alice@example.com=x}}"},
            {"virtual_alias_domains": "example.com"},
        ):
            self.postfix_with({**(settings and sink), **settings} or kept)
            for it in (recipient, "office@example.com"):
                self.do_forward(it, to)
            if "virtual_alias_domains" not in settings:
                self.do_copy(copied, to)
                self.do_plain("whoever@example.com", "alice@example.com")
            if settings:
                code, said = self.shell(f"postconf -X {' '.join(settings)}")
                check(code == 0, said)
        for path, text in before.items():
            path.write_text(text)
        self.postfix_with(kept)

    def do_usual(self, recipient, copied, to):
        """The same where main.cf has a filter as in FILTER_README, restrictions that ask DNS first, networks without loopback,
        an address to send from, and an archive."""
        port = inside("127.0.0.1:10031")
        service = (
            f"{port} inet n - n - - smtpd -o content_filter= -o mynetworks=127.0.0.0/8"
            " -o receive_override_options=no_milters,no_unknown_recipient_checks,no_header_body_checks"
            " -o smtpd_relay_restrictions= -o smtpd_recipient_restrictions=permit_mynetworks,reject"
        )
        checks = "reject_non_fqdn_recipient, reject_unknown_recipient_domain, permit_mynetworks, reject_unauth_destination"
        settings = {
            "content_filter": f"smtp:[127.0.0.1]:{port.split(':')[1]}", "receive_override_options": "no_address_mappings",
            "smtpd_recipient_restrictions": checks, "smtpd_relay_restrictions": checks, "mynetworks": "192.0.2.0/24",
            "smtp_bind_address": "127.0.0.5", "always_bcc": "archive@example.com",
        }  # fmt: skip
        kept = {name: self.shell(f"postconf -h {name}")[1].strip() for name in ("mynetworks", "smtpd_relay_restrictions")}
        code, said = self.shell(f"postconf -M '{port}/inet = {service}'")
        check(code == 0, said)
        self.postfix_with(settings)
        self.sent_on(recipient, {to: True, "archive@example.com": False})
        self.sent_on(copied, {copied: False, to: True, "archive@example.com": False})
        code, said = self.shell(f"postconf -X {' '.join(it for it in settings if it not in kept)} && postconf -MX {port}/inet")
        check(code == 0, said)
        self.postfix_with(kept)

    def do_gone(self, recipient):
        """One more forward, which the next host refuses: the host's own bounce goes back to the stranger."""
        user = recipient.split("@")[0]
        for name, line in (
            ("virtual", f"{recipient} {user}@srs.invalid"), ("forward-to", f"{user}@srs.invalid nouser@elsewhere.example"),
        ):  # fmt: skip
            with open(WORK / f"postfix/etc/{name}", "a") as file:
                file.write(f"{line}\n")
        self.postfix_with({})
        name, replies = self.dialogue(WORLD, "dave@origin.example", recipient)
        check(replies[-1][0] == 250, replies)
        came = self.arrived(name)
        check(came == {"mail": "", "rcpt": ["dave@origin.example"]}, came)

    def do_watch(self, *watched):
        """From here on, after each step, with this program begun anew and the others not, as happens at any time: a stranger's
        mail to this recipient is not taken, or goes on, never to srs.invalid, which no other host finds. Without one, no more.
        """
        self.watched = watched

    def watch(self):
        if not self.watched:
            return
        program, recipient = self.watched
        self.begin_anew(program)
        name, replies = self.dialogue(WORLD, "dave@origin.example", recipient)
        if replies[-1][0] == 250:
            check("srs.invalid" not in self.arrived(name)["rcpt"][0], f"mail to {recipient} leaves for srs.invalid")

    def do_believed(self, sender):
        """In the next block, after each step and with processes begun anew: a bounce to what leaves signed comes in."""
        self.flags.add("believed")
        self.signer = sender

    def believe(self):
        self.begin_anew("smtpd", "cleanup")
        name, replies = self.dialogue(USER, self.signer, "carol@elsewhere.example")
        check(replies[-1][0] == 250, replies)
        left = self.arrived(name)["mail"]
        if left != self.signer:
            self.do_returned(left, "delivered", self.signer)

    def begin_anew(self, *programs):
        """Ends these processes of Postfix, as max_idle does, so that the next ones read its files as they are."""
        master = (WORK / "postfix/spool/pid/master.pid").read_text().strip()
        for it in pathlib.Path("/proc").glob("[0-9]*/status"):
            try:
                status = it.read_text()
                name, parent = (re.search(rf"^{key}:\t(.*)", status, re.M)[1] for key in ("Name", "PPid"))
                if parent == master and name in programs:
                    os.kill(int(it.parent.name), signal.SIGTERM)
            except (FileNotFoundError, ProcessLookupError):
                pass

    def do_relayed(self, sender):
        """A map by sender that is written as the guide says finds a signed one: the mail leaves by that relay alone."""
        pattern = re.search(r"`(/\^\(prvs=[^`]*/)`", self.text)[1]
        (WORK / "postfix/etc/by-sender").write_text(f"{pattern} [127.0.0.1]:{SINK}\n")
        kept = {"relayhost": self.shell("postconf -h relayhost")[1].strip()}
        by_sender = f"regexp:{WORK}/postfix/etc/by-sender"
        self.postfix_with({"relayhost": "[127.0.0.1]:1", "sender_dependent_relayhost_maps": by_sender})
        self.do_signed(sender)
        code, said = self.shell("postconf -X sender_dependent_relayhost_maps")
        check(code == 0, said)
        self.postfix_with(kept)

    def do_socket(self, sender):
        """Milter and map by Unix sockets that main.cf names as the guide does: a tag comes off, in a chroot and elsewhere."""
        policy, folder = WORK / "mx1/etc/backstop/backstopd.toml", WORK / "postfix/spool/backstop"
        kept, name = policy.read_text(), re.search(r"`(unix:[^`]*)NAME` in main.cf", self.text)[1]
        folder.mkdir()
        shutil.chown(folder, "postfix", "postfix")
        listen = lambda it: f'{it[1]}["unix:{folder}/{it[2]}", '
        policy.write_text(re.sub(r'(\[(milter|socketmap)\]\nlisten = )\[', listen, kept))
        names = ("smtpd_milters", "recipient_canonical_maps")
        before = {it: inside(self.shell(f"postconf -h {it}")[1].strip()) for it in names}
        faces = (f"{{ {name}milter, default_action=tempfail }}", f"socketmap:{name}socketmap:verify")
        for chroot in "yn":
            code, said = self.shell(
                f"systemctl reload backstopd && postconf -F '127.0.0.1:{SMTP}/inet/chroot={chroot}' cleanup/unix/chroot={chroot}"
            )
            check(code == 0, said)
            self.postfix_with(dict(zip(names, faces)))
            self.do_signed(sender)
            self.do_returned(self.tag(sender), "delivered", sender)
        policy.write_text(kept)
        self.postfix_with(before)
        code, said = self.shell("systemctl reload backstopd")
        check(code == 0 and not list(folder.iterdir()), said)
        folder.rmdir()

    def do_filtered(self, option):
        """Behind a content filter, forged mail is signed where the filter's smtpd asks the milter, and not with this option."""
        port = inside("127.0.0.1:10031")
        for options, left in (("", self.tag("alice@example.com")), (f" -o {option}", "alice@example.com")):
            service = f"{port} inet n - n - - smtpd -o content_filter={options}"
            code, said = self.shell(f"postconf -M '{port}/inet = {service}'")
            check(code == 0, said)
            self.postfix_with({"content_filter": f"smtp:[127.0.0.1]:{port.split(':')[1]}"})
            name, replies = self.dialogue(WORLD, "alice@example.com", "newsletter@example.com")
            check(replies[-1][0] == 250 and self.arrived(name)["mail"] == left, f"{options}: {replies}")
        code, said = self.shell(f"postconf -X content_filter && postconf -MX {port}/inet && postfix reload")
        check(code == 0, said)

    def do_renamed(self, former, sender):
        """A user's mail under a former name leaves signed under the right one, in the From too, by maps in place of the milter."""
        policy, port = WORK / "mx1/etc/backstop/backstopd.toml", inside("submission/inet").split("/")[0]
        kept, milters = policy.read_text(), self.shell("postconf -Ph submission/inet/smtpd_milters")[1].strip()
        policy.write_text(re.sub("(internal-hosts|no-sign-recipients).*", "", kept).replace('maps = ["verify"', 'maps = ["sign", "verify"'))
        maps = f"inline:{{{former}={sender}}}"
        options = re.findall(r"-o \{[^`]* MAPS[^`]*", re.sub(r"\n *", " ", self.text))
        check(len(options) == 2, f"the guide says {options}")
        cleanup = f"sign-cleanup unix n - n - 0 cleanup {inside(' '.join(options)).replace('MAPS', maps)}"
        service = f"{port} inet n - n - - smtpd -o cleanup_service_name=sign-cleanup -o smtpd_milters="
        service += " -o local_header_rewrite_clients=static:all"
        code, said = self.shell(
            f"systemctl reload backstopd && postconf -M 'sign-cleanup/unix = {cleanup}' '{port}/inet = {service}'"
            f" && postconf -e 'sender_canonical_maps = {maps}' sender_canonical_classes=envelope_sender && postfix reload"
        )
        check(code == 0, said)
        name, replies = self.dialogue(USER, former, "carol@elsewhere.example", SUBMISSION)
        check(replies[-1][0] == 250 and self.arrived(name)["mail"] == self.tag(sender), lambda: f"{self.arrived(name)}")
        lines = [it for it in (WORK / "sink.log").read_text().splitlines() if name in it]
        check(f'"From: <{sender}>"' in lines[0], lines)
        policy.write_text(kept)
        service = f"{port} inet n - n - - smtpd -o {{ smtpd_milters = {inside(milters)} }}"
        code, said = self.shell(
            f"systemctl reload backstopd && postconf -MX sign-cleanup/unix && postconf -M '{port}/inet = {service}'"
            " && postconf -X sender_canonical_maps sender_canonical_classes && postfix reload"
        )
        check(code == 0, said)

    def do_piped(self, sender):
        """Forged mail that a filter hands to sendmail(1) is signed where those milters are smtpd's, and not if written out."""
        kept = {name: inside(self.shell(f"postconf -h {name}")[1].strip()) for name in ("smtpd_milters", "non_smtpd_milters")}
        face = re.search(r'^\$ (postconf -e "smtpd_milters = .*)$', self.text, re.M)[1]
        apart = re.search(r'`(postconf -e "non_smtpd_milters = [^`]*)`', self.text)[1]
        for commands, left in ((face, self.tag(sender)), (f"{apart} && {face}", sender)):
            self.postfix_with({"smtpd_milters": inside("inet:127.0.0.1:10039"), "non_smtpd_milters": "$smtpd_milters"})
            self.number += 1
            name = f"<{self.number}@guide.example>"
            text = f"From: <{sender}>\\nMessage-ID: {name}\\n\\nx\\n"
            send = f"printf '{text}' | sendmail -i -f {sender} carol@elsewhere.example"
            code, said = self.shell(f"{commands} && postfix reload && {send}")
            check(code == 0 and self.arrived(name)["mail"] == left, lambda: f"{commands}: {said}{self.arrived(name)}")
        self.postfix_with(kept)
