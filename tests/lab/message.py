"""The facts of refuse-at = message, for tests/lab/run: bounces judged by what they return, at the end of the message.

Each takes a site; its name is the fact. A site of mode "message" enforces, one of "message-observe" observes; both have a
key for marks, marks-since long ago, and a verdict header.
"""

import smtplib

from sites import BINARIES, HEADER, OWN, SMTP, WORLD, run
from waiting import check, wait_for

LARGE = 20_000_000


def converse(site, sender, recipients, text, chunks=0):
    """Sends a mail from the world: the replies to RCPT, and the one to the message, in so many BDAT chunks or by DATA."""
    with smtplib.SMTP(OWN, SMTP, "client.example", 60, (WORLD, 0)) as client:
        client.ehlo()
        options = ["BODY=8BITMIME"] if client.has_extn("8bitmime") else []
        client.mail(sender, options)
        replies = [client.rcpt(recipient) for recipient in recipients]
        replies = [(code, reply.decode("utf-8", "replace")) for code, reply in replies]
        if all(code != 250 for code, _ in replies):
            return replies, None
        octets = text.replace("\n", "\r\n").encode()
        if not chunks:
            code, reply = client.data(octets)
            return replies, (code, reply.decode("utf-8", "replace"))
        for number in range(chunks):
            piece = octets[len(octets) * number // chunks : len(octets) * (number + 1) // chunks]
            last = " LAST" if number == chunks - 1 else ""
            client.send(f"BDAT {len(piece)}{last}\r\n".encode() + piece)
            code, reply = client.getreply()
        return replies, (code, reply.decode("utf-8", "replace"))


def sent(site):
    """The header of a mail of alice as it left, with its mark."""
    name, _ = site.send(OWN, "alice@example.com", "bob@elsewhere.example")
    mail = wait_for(
        lambda: next((it for it in site.lines("sink.log") if any(name in line for line in it["data"])), None),
        f"{name} did not come to the sink",
    )
    header = mail["data"][: mail["data"].index("")]
    if not site.headers:
        # The filter writes no marks; another program of the site does.
        made = run(BINARIES / "backstop", "mark", "header", "--keys", site.folder / "keys", "--from", "alice@example.com")
        header.append(made)
    check(any(line.startswith("Backstop-Mark: v=1; i=example.com") for line in header), f"no mark in {header}")
    check(not site.headers or header[0].startswith("Backstop-Mark: "), f"the mark is not on top: {header}")
    return header


def bounce(site, header, octets=0):
    """A bounce that returns a message with this header and so much of its body; its Message-ID."""
    site.number += 1
    name = f"<{site.name}.{site.mode}.{site.number}@mx.elsewhere.example>"
    filler = "".join(f"this is line {number:>10} of the mail, ü\n" for number in range(octets // 41))
    returned = "\n".join(header)
    return name, (
        f"From: MAILER-DAEMON@mx.elsewhere.example\nTo: alice@example.com\nSubject: Undelivered Mail Returned to Sender\n"
        f"Message-ID: {name}\nDate: Sat, 21 Nov 2026 12:00:00 +0000\nMIME-Version: 1.0\n{HEADER}: genuine; said=by a stranger\n"
        'Content-Type: multipart/report; report-type=delivery-status;\n\tboundary="=_b"\n\n'
        "--=_b\n\nno such user, süß\n--=_b\nContent-Type: message/delivery-status\n\n"
        "Reporting-MTA: dns; mx.elsewhere.example\n\nFinal-Recipient: rfc822; bob@elsewhere.example\nAction: failed\n"
        f"Status: 5.1.1\n\n--=_b\nContent-Type: message/rfc822\n\n{returned}\n\n{filler}\n--=_b--\n"
    )


def unmarked(header):
    return [line for line in header if not line.startswith("Backstop-Mark:")]


def forged(header):
    """The mark with another signature."""
    marks = [at for at, line in enumerate(header) if line.startswith("Backstop-Mark:")]
    line = header[marks[0]]
    check("; t=" in line, f"the mark is folded: {line}")
    head, _, mac = line.rpartition("; t=")
    return [*header[: marks[0]], f"{head}; t={'b' if mac[0] == 'a' else 'a'}{mac[1:]}", *header[marks[0] + 1 :]]


def verdicts(site, name):
    """The verdict headers of a mail at the sink, and its recipients."""
    _, recipients, text = site.arrived(name)
    header = text.partition("\n\n")[0].replace("\n\t", " ").replace("\n ", " ").split("\n")
    return [line.partition(": ")[2] for line in header if line.lower().startswith(HEADER.lower() + ":")], recipients


def admitted(site, text, recipient="alice@example.com", **more):
    replies, (code, reply) = converse(site, "", [recipient], text, **more)
    check(replies[0][0] == 250, f"RCPT was answered {replies}")
    check(code == 250, f"the message was answered {code} {reply}")


def refused(site, text, reason, **more):
    replies, (code, reply) = converse(site, "", ["alice@example.com"], text, **more)
    check(replies[0][0] == 250, f"RCPT was answered {replies}")
    check(code == 550 and reply.startswith("5.7.1 "), f"the message was answered {code} {reply}")
    event = site.event(face=site.face, mode="enforce", action="refuse", stage="message", reason=reason, client=WORLD)
    told = " ".join(reply.replace("\n5.7.1", "").split())
    check(told.endswith(event["reply"].removeprefix("550 5.7.1 ")), f"{event['reply']} became {told}")


def an_untagged_bounce_with_our_mark_gets_in(site):
    name, text = bounce(site, sent(site))
    admitted(site, text)
    event = site.event(face=site.face, reason="mark-genuine")
    told = [event[key] for key in ("kind", "message", "proof", "action")]
    check(told == ["dsn-failed", "genuine", "returned-mark", "unchanged"], f"the event says {told}")
    found, recipients = verdicts(site, name)
    check(recipients == ["alice@example.com"], f"it went to {recipients}")
    wanted = "untagged; rule=mark-genuine; would=unchanged; mode=enforce; message=genuine; kind=dsn-failed; proof=returned-mark"
    check(not site.headers or found == [wanted], f"the verdicts are {found}")


def a_tagged_bounce_gets_in_and_reaches_the_plain_address(site):
    name, text = bounce(site, unmarked(sent(site)))
    admitted(site, text, site.tag("alice@example.com"))
    found, recipients = verdicts(site, name)
    check(recipients == ["alice@example.com"], f"it went to {recipients}")
    check(not site.headers or [it.split(";")[0] for it in found] == ["genuine"], f"the verdicts are {found}")


def backscatter_gets_550_after_the_message(site):
    header = sent(site)
    refused(site, bounce(site, unmarked(header))[1], "backscatter")
    refused(site, bounce(site, forged(header))[1], "mark-forged")
    refused(site, "From: MAILER-DAEMON@x.example\nSubject: Undelivered Mail Returned to Sender\n\nno such user\n", "untagged")


def several_recipients_are_judged_one_at_a_time(site):
    header = sent(site)
    name, text = bounce(site, header)
    recipients = ["alice@example.com", "carol@example.com", site.tag("carol@example.com")]
    replies, (code, reply) = converse(site, "", recipients, text)
    check([it[0] for it in replies] == [250, 452, 452] and code == 250, f"the replies are {replies} {code} {reply}")
    check(site.arrived(name)[1] == ["alice@example.com"], f"it went to {site.arrived(name)[1]}")
    # The client sends it again for the others.
    name, text = bounce(site, header)
    _, (code, reply) = converse(site, "", ["carol@example.com"], text)
    check(code == 550, f"the message was answered {code} {reply}")
    admitted(site, text, recipients[2])
    check(site.arrived(name)[1] == ["carol@example.com"], f"it went to {site.arrived(name)[1]}")


def a_call_out_passes(site):
    before = len(site.lines("backstopd.log"))
    with smtplib.SMTP(OWN, SMTP, "client.example", 30, (WORLD, 0)) as client:
        client.ehlo()
        client.mail("")
        code, reply = client.rcpt("alice@example.com")
        check(code == 250, f"RCPT was answered {code} {reply}")
        client.rset()
    check(len(site.lines("backstopd.log")) == before, "the call-out left an event")


def chunks_and_eight_bits_change_nothing(site):
    with smtplib.SMTP(OWN, SMTP, "client.example", 30, (WORLD, 0)) as client:
        client.ehlo()
        chunking = client.has_extn("chunking")
    header = sent(site)
    for chunks in (0, 1, 2, 7) if chunking else (0,):
        admitted(site, bounce(site, header, 200_000)[1], chunks=chunks)
        refused(site, bounce(site, unmarked(header), 200_000)[1], "backscatter", chunks=chunks)


def a_message_of_twenty_megabytes_costs_bounded_memory(site):
    header = sent(site)
    refused(site, bounce(site, unmarked(header))[1], "backscatter")
    before = site.memory()
    refused(site, bounce(site, unmarked(header), LARGE)[1], "backscatter")
    admitted(site, bounce(site, header, LARGE // 20)[1])
    cost = site.memory() - before
    print(f"{site.name}: a bounce of {LARGE // 1_000_000} MB cost the daemon {cost} KB", flush=True)
    check(cost < 4096, f"it cost {cost} KB")


def lines_and_dots_come_through_as_they_were_and_overlong_lines_not_at_all(site):
    for octets, passes in ((1997, True), (1998, False), (60_000, False)):
        name, text = site.text()
        text += ".\n..\n.x\n" + "y" * octets + "\n|a|b|\n.\n"
        _, (code, reply) = converse(site, "bob@elsewhere.example", ["alice@example.com"], text)
        check(code == (250 if passes else 554), f"a line of {octets} octets was answered {code} {reply}")
        if passes:
            arrived = site.arrived(name)[2]
            check(arrived == text, f"{len(text)} octets became {len(arrived)}")


def backscatter_passes_with_its_verdict_in_log_and_header(site):
    header = sent(site)
    for header, reason, message in ((unmarked(header), "backscatter", "backscatter"), (forged(header), "mark-forged", "forged")):
        name, text = bounce(site, header)
        admitted(site, text)
        event = site.event(face=site.face, mode="observe", would="refuse", reason=reason, client=WORLD)
        told = (event["kind"], event["message"], event["action"], event["stage"])
        check(told == ("dsn-failed", message, "unchanged", None), f"the event says {told}")
        found, _ = verdicts(site, name)
        wanted = f"untagged; rule={reason}; would=refuse; mode=observe; message={message}; kind=dsn-failed"
        check(not site.headers or found == [wanted], f"the verdicts are {found}")


def facts(both):
    """By mode; `both` are facts of tests/lab/run that hold here as well."""
    return {
        "message": [
            *both,
            an_untagged_bounce_with_our_mark_gets_in,
            a_tagged_bounce_gets_in_and_reaches_the_plain_address,
            backscatter_gets_550_after_the_message,
            several_recipients_are_judged_one_at_a_time,
            a_call_out_passes,
            chunks_and_eight_bits_change_nothing,
            a_message_of_twenty_megabytes_costs_bounded_memory,
        ],
        "message-observe": [*both, backscatter_passes_with_its_verdict_in_log_and_header],
    }
