"""What a returned message is, and whom a host may answer."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from typing import Literal

import backstop
import pytest
from conftest import ROOT

DAY = date(2026, 11, 21)
RING = backstop.KeyRing.parse("version 1\nprvs 0 sha1 7 - - * text:secret\nmark m sha256 14 - - * text:mark\n")
POLICY = backstop.Policy.parse(
    '[policy]\nown-domains = ["example.com"]\nmode = "enforce"\nmarks-since = 2026-09-01\n'
)
BOUNCE = (
    "From: Mail Delivery System <MAILER-DAEMON@mx.reflector.example>\n"
    "Subject: Undelivered Mail Returned to Sender\nMIME-Version: 1.0\n"
    "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nuser unknown\n"
    "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.reflector.example\n\n"
    "Final-Recipient: rfc822; x@reflector.example\nAction: failed\nStatus: 5.1.1\n\n"
    "--b\nContent-Type: text/rfc822-headers\n\n"
    "Received: from zombie.isp.example ([198.51.100.17]) by mx.reflector.example with SMTP;\n"
    "\tFri, 20 Nov 2026 10:11:12 +0000\nFrom: Cheap Pills <user@example.com>\nTo: x@reflector.example\n"
    "Subject: You won\nDate: Fri, 20 Nov 2026 10:11:10 +0000\nMessage-ID: <1@zombie>\n\n--b--\n"
)


def test_spam_that_came_back_is_backscatter_with_its_source() -> None:
    it = backstop.inspect(POLICY, RING, BOUNCE, "<>", "user@example.com", DAY)
    assert (it.kind, it.verdict, it.why, it.advice) == ("dsn-failed", "backscatter", None, "refuse")
    assert (it.failure, it.reporting, it.injector) == ("bad-address", "mx.reflector.example", "198.51.100.17")
    assert (it.subject, it.returned_from, it.returned_message_id) == ("You won", "user@example.com", "1@zombie")
    assert it.proof is None and it.checks == [] and it.reply is not None and it.reply.startswith("550 5.7.1 ")
    assert it.score >= 50 and len(it.evidence) > 2
    assert all(weight != 0 and why.endswith(".") for _, weight, why in it.evidence)


def test_what_mode_enforce_would_do_is_told_beside_the_advice() -> None:
    observing = backstop.Policy.parse('[policy]\nown-domains = ["example.com"]\nmarks-since = 2026-09-01\n')
    it = backstop.inspect(observing, RING, BOUNCE, "<>", "user@example.com", DAY)
    assert (it.advice, it.would) == ("flag", "refuse")


def test_a_message_has_the_last_word_where_the_policy_says_so() -> None:
    policy = backstop.Policy.parse(
        '[policy]\nown-domains = ["example.com"]\nmode = "enforce"\nmarks-since = 2026-09-01\nrefuse-at = "message"\n'
    )
    mark = backstop.mark_header(RING, "user@example.com", bytes(8), DAY).value
    marked = (
        "From: MAILER-DAEMON@mx.example.net\nSubject: Undelivered Mail Returned to Sender\n"
        f"Content-Type: message/rfc822\n\nFrom: user@example.com\nBackstop-Mark: {mark}\n\nhello\n"
    )

    def judged(client: Literal["other", "exempt"], message: str) -> backstop.Decision:
        seen = backstop.inspect(policy, RING, message, "<>", "user@example.com", DAY)
        return policy.incoming_message(RING, "<>", "user@example.com", client, seen, DAY)

    first = policy.incoming(RING, "<>", "user@example.com", "other", DAY)
    assert (first.action, first.rule, first.by_message) == ("refuse", "untagged", True)
    assert (judged("other", marked).action, judged("other", marked).rule) == ("unchanged", "mark-genuine")
    assert (judged("other", BOUNCE).action, judged("other", BOUNCE).rule) == ("refuse", "backscatter")
    assert (judged("exempt", BOUNCE).action, judged("exempt", BOUNCE).by_message) == ("unchanged", False)


def test_a_tag_proves_and_tells_its_days() -> None:
    it = backstop.inspect(POLICY, RING, BOUNCE.encode(), "", "prvs=07853508f8=user@example.com", DAY)
    assert (it.verdict, it.mailbox, it.reply) == ("genuine", "user@example.com", None)
    assert it.proof is not None and it.checks == [it.proof] and hash(it.proof) == hash(it.checks[0])
    assert (it.proof.place, it.proof.verdict, it.proof.key) == ("recipient-tag", "genuine", "0")
    assert it.proof.signed == DAY and it.proof.expires == date(2026, 11, 28) and it.proof.token
    assert "genuine" in repr(it)


def test_what_the_envelope_does_not_name_is_read_from_the_message() -> None:
    head = "Return-Path: <>\nDelivered-To: prvs=07853508f8=user@example.com\n"
    assert backstop.inspect(POLICY, RING, head + BOUNCE, now=DAY).verdict == "genuine"
    it = backstop.inspect(POLICY, RING, head.replace("Delivered-To", "To") + BOUNCE, now=DAY)
    assert (it.verdict, it.why) == ("unproven", "unchecked")
    assert backstop.inspect(POLICY, RING, "Return-Path: <bob@example.org>\n\nhello\n", now=DAY).kind == "not-a-bounce"


def test_fixtures_of_the_repository_are_no_ordinary_mail() -> None:
    found = [
        backstop.inspect(POLICY, RING, (ROOT / "tests" / "bounce" / f"{name}.eml").read_bytes(), now=DAY).kind
        for name in ("exim", "exim_delayed", "auto_reply", "challenge")
    ]
    assert found == ["dsn-failed", "dsn-delayed", "auto-reply", "challenge"]


def test_a_host_is_told_whom_it_may_answer() -> None:
    mail = "From: bob@example.org\nTo: alice@example.com\n\nhello\n"
    assert backstop.may_bounce(mail, "bob@example.org", True) is None
    assert backstop.may_bounce(mail, "bob@example.org") == "unauthenticated"
    assert backstop.may_bounce(mail, "<>", True) == "null-sender"
    own = ["carol@example.com", "alice@example.com"]
    assert backstop.may_autorespond(mail, own, "bob@example.org", True) is None
    assert backstop.may_autorespond(mail, own[:1], "bob@example.org", True) == "not-addressed"
    with pytest.raises(backstop.Error, match="not UTF-8"):
        backstop.may_autorespond(mail, [b"\xff@example.com"], "bob@example.org", True)


def test_the_json_object_has_file_and_zones() -> None:
    it = backstop.inspect(POLICY, RING, BOUNCE, "<>", "user@example.com", DAY)
    found = json.loads(it.json("a\x1b\u0085", ["zen.example", b"b.example"]))
    assert list(found) == "file kind verdict proof reason score evidence returned source mailbox advice would".split()
    assert (found["file"], found["kind"], found["verdict"]) == ("a\x1b\u0085", "dsn-failed", "backscatter")
    assert found["source"]["dnsbl"] == ["17.100.51.198.zen.example", "17.100.51.198.b.example"]
    assert json.loads(it.json())["file"] is None and json.loads(it.json(b"\xff"))["file"] == "\ufffd"
    assert it.json("a\x1b\u0085").isprintable()
    with pytest.raises(backstop.Error, match="not UTF-8 from octet 1 on") as caught:
        it.json(dnsbl=[b"a\xff"])
    assert caught.value.code == "BACKSTOP_ERR_DOMAIN"
    with pytest.raises(TypeError):
        it.json(dnsbl="zen.example")


def test_the_json_object_of_every_fixture_is_that_of_the_command() -> None:
    # bindings/python/test writes them (tests/objects).
    folder = Path(os.environ["BACKSTOP_OBJECTS"])
    ring = backstop.KeyRing.parse((folder / "keys").read_bytes())
    policy = backstop.Policy.parse((folder / "policy.toml").read_text(encoding="utf-8"))
    recipient = (folder / "recipient").read_text(encoding="ascii").strip()
    files = (folder / "files").read_text(encoding="utf-8").splitlines()
    wanted = (folder / "objects.jsonl").read_text(encoding="utf-8").split("\n")
    assert len(files) > 70 and len(wanted) == len(files) + 1
    for file, line in zip(files, wanted):
        it = backstop.inspect(policy, ring, (ROOT / file).read_bytes(), recipient=recipient, now=date(2026, 11, 22))
        assert it.json(file, ["dnsbl.example"]) == line
