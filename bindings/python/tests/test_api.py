"""What each verb answers, and what its answers are like."""

from __future__ import annotations

import copy
import pickle
import re
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Union

import backstop
import pytest
from conftest import DAY, RING, ROOT, SECRET

SIGNED = "prvs=4788"


def test_the_version_is_that_of_the_workspace() -> None:
    manifest = (ROOT / "Cargo.toml").read_text(encoding="utf-8")
    found = re.search(r'\[workspace\.package\]\nversion = "(.*)"', manifest)
    assert found is not None and backstop.__version__ == found[1]


def test_sign_gives_the_address_to_go_on_with(ring: backstop.KeyRing) -> None:
    signed = backstop.sign(ring, "alice@example.com", DAY)
    assert signed.reason is None and signed.address.startswith(SIGNED) and str(signed) == signed.address
    for sender, reason in [("<>", "null"), ("", "null"), (signed.address, "already"), ("bob@example.org", "not-own")]:
        left = backstop.sign(ring, sender, DAY)
        assert (left.address, left.reason) == (sender, reason)
    assert backstop.sign(ring, "alice@example.com", date(2026, 10, 1)).reason == "no-key"
    assert backstop.sign(ring, "a" * 60 + "@example.com", DAY).reason == "too-long"
    assert backstop.sign(ring, '""@example.com', DAY).reason == "shape"


def test_the_tag_stands_behind_as_a_sub_address(ring: backstop.KeyRing) -> None:
    signed = backstop.sign_subaddress(ring, "alice@example.com", DAY)
    assert re.fullmatch(r"alice\+prvs=4788[0-9a-f]{6}@example\.com", signed.address)
    assert backstop.verify(ring, signed.address, DAY).mailbox == "alice@example.com"


def test_verify_tells_all_that_the_tag_proves(ring: backstop.KeyRing) -> None:
    signed = backstop.sign(ring, "alice@example.com", DAY).address
    verdict = backstop.verify(ring, signed, DAY + timedelta(days=4))
    assert (verdict.verdict, verdict.reason, verdict.mailbox) == ("genuine", None, "alice@example.com")
    assert (verdict.key, verdict.key_use, verdict.covered) == ("4", "prvs", False)
    assert (verdict.signed, verdict.expires) == (DAY, DAY + timedelta(days=10))
    assert type(verdict.signed) is date
    late = backstop.verify(ring, signed, DAY + timedelta(days=30))
    assert (late.verdict, late.reason, late.mailbox, late.signed) == ("expired", "lifetime", "alice@example.com", DAY)


def test_what_no_tag_proves_is_nobodys_mailbox(ring: backstop.KeyRing) -> None:
    forged = backstop.verify(ring, "prvs=4788000000=alice@example.com", DAY)
    assert (forged.verdict, forged.mailbox, forged.key, forged.key_use) == ("forged", None, "4", None)
    # One of 99 days that ends a hundred days from now was made tomorrow; one that ends in ten, perhaps before the ring.
    for number, covered in [("878", True), ("788", False)]:
        unknown = backstop.verify(ring, f"prvs=5{number}000000=alice@example.com", DAY)
        assert (unknown.verdict, unknown.key, unknown.covered) == ("unknown-key", "5", covered)
    assert backstop.verify(ring, "prvs=alice@example.com", DAY).reason == "shape"
    assert backstop.verify(ring, "btv1==123456789ab==alice@example.com", DAY).reason == "btv1"
    untagged = backstop.verify(ring, "<@relay.example:alice@example.com>", DAY)
    assert (untagged.verdict, untagged.mailbox, untagged.signed) == ("untagged", "alice@example.com", None)
    assert backstop.verify(ring, "<Postmaster>", DAY).mailbox == backstop.strip("<Postmaster>").address == "Postmaster"


def test_a_verdict_is_neither_true_nor_false(ring: backstop.KeyRing) -> None:
    with pytest.raises(TypeError, match="compare its attribute verdict"):
        bool(backstop.verify(ring, "prvs=4788000000=alice@example.com", DAY))


def test_strip_takes_any_tag_off_and_proves_nothing() -> None:
    assert backstop.strip("btv1==123456789ab==alice@example.com").tag == "btv1"
    stripped = backstop.strip(b"prvs=4788000000=alice@example.com")
    assert (stripped.address, stripped.tag, str(stripped)) == ("alice@example.com", "prvs", "alice@example.com")
    plain = backstop.strip("list-owner+a=b.example@example.org")
    assert (plain.address, plain.tag) == ("list-owner+a=b.example@example.org", None)


def test_explain_is_for_people(ring: backstop.KeyRing) -> None:
    text = backstop.explain(ring, backstop.sign(ring, "alice@example.com", DAY).address, DAY)
    assert "2026-11-21" in text and "genuine" in text and text.endswith("\n")
    assert "\x1b" not in backstop.explain(None, b"\x1b[31m\xff@example.com", DAY)


def test_srs_goes_out_and_comes_back(ring: backstop.KeyRing, srs: backstop.Srs) -> None:
    forward = backstop.srs_forward(ring, srs, "bob@example.org", DAY)
    assert forward.reason is None and forward.address.endswith("=example.org=bob@fwd.example.net")
    back = backstop.srs_reverse(ring, srs, forward.address, DAY)
    assert (back.verdict, back.mailbox, back.key_use) == ("genuine", "bob@example.org", "srs")
    assert backstop.srs_forward(ring, srs, "alice@fwd.example.net", DAY).reason == "own-domain"
    elsewhere = backstop.srs_reverse(ring, backstop.Srs("other.example"), forward.address, DAY)
    assert (elsewhere.verdict, elsewhere.reason) == ("foreign", "not-own")
    both = backstop.Srs("other.example", "fwd.example.net,*.fwd.example")
    assert backstop.srs_reverse(ring, both, forward.address, DAY).verdict == "genuine"


def test_the_options_of_srs_do_what_they_say(ring: backstop.KeyRing) -> None:
    sender = "alice@fwd.example.net"
    assert backstop.srs_forward(ring, backstop.Srs("fwd.example.net", always_rewrite=True), sender, DAY).reason is None
    plus = backstop.Srs("fwd.example.net", separator="+", hash_length=8, hash_min=8)
    address = backstop.srs_forward(ring, plus, "bob@example.org", DAY).address
    assert re.match(r"SRS0\+[^=]{8}=", address)
    short = backstop.srs_forward(ring, backstop.Srs("fwd.example.net"), "bob@example.org", DAY).address
    assert backstop.srs_reverse(ring, plus, short, DAY).reason == "hash-length"
    young = backstop.Srs("fwd.example.net", max_age=1)
    assert backstop.srs_reverse(ring, young, short, DAY + timedelta(days=2)).reason == "lifetime"
    long = "b" * 50 + "@example.org"
    assert backstop.srs_forward(ring, backstop.Srs("fwd.example.net"), long, DAY).reason == "too-long"
    assert backstop.srs_forward(ring, backstop.Srs("fwd.example.net", over_long="emit"), long, DAY).reason is None
    # 27 characters of 30 hashes have both of the characters in which the alphabets differ.
    whole: dict[str, Any] = {"hash_length": 27, "hash_min": 27, "over_long": "emit"}
    for alphabet, allowed in [("classic", "+/"), ("url", "-_"), ("alt", "_.")]:
        other = backstop.Srs("fwd.example.net", alphabet=alphabet, **whole)  # type: ignore[arg-type]
        senders = [f"bob{number}@example.org" for number in range(30)]
        made = [backstop.srs_forward(ring, other, sender, DAY).address for sender in senders]
        assert {letter for address in made for letter in address[5:32] if not letter.isalnum()} == set(allowed)


def test_the_address_of_a_from_is_told_if_it_has_one() -> None:
    assert backstop.mark_address_of_from('"Alice, a@b" <alice@example.com>\n (home)') == "alice@example.com"
    assert backstop.mark_address_of_from(b"bob@example.com, alice@example.com") is None


def test_marks_prove_for_one_address_only(ring: backstop.KeyRing) -> None:
    mark = backstop.mark_header(ring, "alice@example.com", now=DAY)
    assert mark.value is not None and mark.reason is None
    assert mark != backstop.mark_header(ring, "alice@example.com", now=DAY), "a nonce came twice"
    assert backstop.mark_verify_header(ring, mark.value, "alice@example.com", DAY).verdict == "genuine"
    other = backstop.mark_verify_header(ring, mark.value, "bob@example.com", DAY)
    assert (other.verdict, other.mailbox) == ("forged", None)
    ours = backstop.mark_message_id(ring, "20261121.1", "example.com", "alice@example.com", DAY)
    assert ours.value is not None and re.fullmatch(r"<20261121\.1\.bsm1-.*@example\.com>", ours.value)
    assert backstop.mark_verify_message_id(ring, ours.value, "alice@example.com", DAY).verdict == "genuine"
    none = backstop.mark_verify_message_id(ring, "<1@example.com>", "alice@example.com", DAY)
    assert (none.verdict, none.mailbox) == ("untagged", None)
    left = backstop.mark_header(ring, "bob@example.org", now=DAY)
    assert (left.value, left.reason) == (None, "not-own")


def test_the_policy_decides_about_senders(ring: backstop.KeyRing, policy: backstop.Policy) -> None:
    origin = policy.origin(True, "192.0.2.1", 41234)
    assert origin == "submitted"
    out = policy.outgoing(ring, "alice@example.com", ["bob@example.org", b"eve@example.org"], origin, DAY)
    assert out.rule == "signed" and out.rewrite is not None and out.rewrite.startswith(SIGNED)
    inbound = policy.outgoing(ring, "alice@example.com", iter(["bob@example.org"]), "inbound", DAY)
    assert (inbound.rewrite, inbound.rule) == (None, "not-vouched") and inbound.sentence.endswith(".")
    assert policy.outgoing(ring, b"\xff", [], "submitted", DAY).rule == "unparsable"
    assert policy.forward(ring, "bob@example.org", "alice@example.com", DAY).rule == "no-forwarder"
    srs = backstop.Policy.parse('[policy]\nown-domains = ["example.com"]\n[policy.srs]\ndomain = "example.com"\n')
    assert srs.forward(ring, "bob@example.org", "alice@example.com", DAY).rule == "rewritten"


def test_the_policy_tells_what_it_needs(policy: backstop.Policy) -> None:
    assert policy.needs() == ['mode = "enforce"', 'refuse-at = "data"']
    rules = 'refuse-at = "message"\nexempt-clients = ["192.0.2.1"]\n'
    waiting = backstop.Policy.parse(f'[policy]\nown-domains = ["example.com"]\n{rules}')
    assert waiting.needs() == ['refuse-at = "message"', "exempt-clients"]


def test_the_policy_decides_about_recipients(ring: backstop.KeyRing, policy: backstop.Policy) -> None:
    late = date(2026, 12, 21)
    client = policy.client(False, "192.0.2.1", 41234)
    assert client == "other" and policy.client(False, None, 0) == "internal"
    assert policy.client(False, "", 1) == policy.client(False, None, 1) == "other"
    user = policy.client(True, "192.0.2.1", 41234)
    assert user == "submitted"
    assert policy.incoming(ring, "<>", "alice@example.com", user, late).rule == "submitted-client"
    refused = policy.incoming(ring, "<>", "alice@example.com", client, late)
    assert (refused.action, refused.would, refused.rule) == ("refuse", "refuse", "untagged")
    assert (refused.verdict, refused.reason, refused.mode, refused.refuse_at) == ("untagged", None, "enforce", "data")
    assert refused.reply is not None and refused.reply.startswith("550 5.7.1 ")
    assert (refused.address, refused.log) == (None, True) and refused.sentence.endswith(".")
    signed = backstop.sign(ring, "alice@example.com", late).address
    stripped = policy.incoming(ring, "<>", signed, client, late)
    assert (stripped.action, stripped.address, stripped.reply) == ("strip", "alice@example.com", None)
    odd = policy.incoming(ring, b"<>", b"\xff", client, late)
    assert (odd.action, odd.rule, odd.verdict) == ("unchanged", "unparsable", None)


Time = Union[date, int]


@pytest.mark.parametrize(
    "now",
    [
        DAY,
        datetime(2026, 11, 21, 23, 59, 59, 999999, timezone.utc),
        datetime(2026, 11, 22, 13, 59, tzinfo=timezone(timedelta(hours=14))),
        datetime(2026, 11, 20, 12, 0, tzinfo=timezone(-timedelta(hours=12))),
        1795219200,
        1795219200 + 86399,
    ],
)
def test_every_form_of_time_means_its_day_in_utc(ring: backstop.KeyRing, now: Time) -> None:
    signed = backstop.sign(ring, "alice@example.com", now)
    assert signed == backstop.sign(ring, "alice@example.com", DAY)


def test_no_time_is_the_system_clock() -> None:
    ring = backstop.KeyRing.parse(f"version 1\nprvs 4 sha256 10 - - * text:{SECRET}\n")
    before = datetime.now(timezone.utc)
    signed = [backstop.sign(ring, "alice@example.com"), backstop.sign(ring, "alice@example.com", None)]
    after = datetime.now(timezone.utc)
    days = [backstop.sign(ring, "alice@example.com", now) for now in (before, after)]
    assert all(one in days for one in signed)


@pytest.mark.parametrize("now", [0, date(1970, 1, 1), date(9999, 12, 31), 253402300799])
def test_the_first_and_the_last_day_are_days(now: Time) -> None:
    ring = backstop.KeyRing.parse(f"version 1\nprvs 4 sha256 10 - - * text:{SECRET}\n")
    signed = backstop.sign(ring, "alice@example.com", now)
    verdict = backstop.verify(ring, signed.address, now)
    assert verdict.verdict == "genuine" and verdict.signed is not None
    assert verdict.signed.year == (1970 if now in (0, date(1970, 1, 1)) else 9999)


def test_texts_are_str_or_bytes_and_come_out_as_str(ring: backstop.KeyRing) -> None:
    for address in ["alice@example.com", "jürgen@example.com", "<alice@example.com>"]:
        made = backstop.sign(ring, address, DAY)
        assert made == backstop.sign(ring, address.encode(), DAY) and type(made.address) is str
        assert backstop.verify(ring, made.address.encode(), DAY) == backstop.verify(ring, made.address, DAY)
    assert backstop.KeyRing.parse(RING.encode()).fingerprint == ring.fingerprint


def test_answers_are_values(ring: backstop.KeyRing, policy: backstop.Policy, srs: backstop.Srs) -> None:
    def answers() -> list[object]:
        return [
            backstop.sign(ring, "alice@example.com", DAY),
            backstop.verify(ring, "alice@example.com", DAY),
            backstop.strip("prvs=4788000000=alice@example.com"),
            backstop.mark_header(ring, "alice@example.com", bytes(8), DAY),
            backstop.srs_forward(ring, srs, "bob@example.org", DAY),
            policy.outgoing(ring, "alice@example.com", [], "submitted", DAY),
            policy.incoming(ring, "", "alice@example.com", "other", DAY),
        ]

    first, second = answers(), answers()
    assert first == second and len(set(first)) == len(set(first + second)) == 7
    assert all(one != "" and one is not two for one, two in zip(first, second))


def test_nothing_can_be_changed(ring: backstop.KeyRing, srs: backstop.Srs) -> None:
    for answer in [ring, srs, backstop.sign(ring, "a@example.com", DAY), backstop.verify(ring, "a@example.com", DAY)]:
        names = [name for name in dir(answer) if not name.startswith("_")]
        for name in [*names, "other"]:
            with pytest.raises(AttributeError):
                setattr(answer, name, "other")


def test_objects_show_what_they_are(ring: backstop.KeyRing, policy: backstop.Policy) -> None:
    assert repr(ring) == f"KeyRing(fingerprint='{ring.fingerprint}')" and len(ring.fingerprint) == 8
    assert repr(backstop.Srs("fwd.example.net", "b.example")) == "<backstop.Srs for fwd.example.net,b.example>"
    assert repr(policy) == "<backstop.Policy for example.com>"
    assert repr(backstop.verify(ring, "alice@example.com", DAY)) == (
        "Verdict(verdict='untagged', reason=None, mailbox='alice@example.com', key=None, key_use=None, covered=False, "
        "signed=None, expires=None)"
    )
    assert repr(backstop.strip("a@example.com")) == "Stripped(address='a@example.com', tag=None)"
    assert repr(policy.outgoing(ring, "", [], "submitted", DAY)) == "Sender(rewrite=None, rule='null')"
    assert "action='unchanged'" in repr(policy.incoming(ring, "", "a@b.example", "other", DAY))
    assert repr(backstop.mark_header(ring, "", None, DAY)) == "Mark(value=None, reason='null')"


def test_no_object_shows_a_secret(ring: backstop.KeyRing, key_file: Path) -> None:
    store = backstop.KeyStore.open(key_file)
    for holder in [ring, store, store.get()]:
        shown = [repr(holder), str(holder), format(holder), *map(str, (getattr(holder, name) for name in dir(holder)))]
        assert not any(SECRET in text for text in shown)
        for leak in (pickle.dumps, copy.copy, copy.deepcopy, vars):
            with pytest.raises(TypeError):
                leak(holder)
