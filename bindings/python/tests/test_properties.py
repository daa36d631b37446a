"""What holds for any address, day and text."""

from __future__ import annotations

from datetime import date, timedelta
from string import ascii_letters, digits
from typing import Callable, Union

import backstop
from hypothesis import given, settings
from hypothesis import strategies as st

ATOM = ascii_letters + digits + "!#$%&'*/?^_`{|}~.-üñ"
DOMAINS = st.lists(st.text(ascii_letters + digits, min_size=1, max_size=12), min_size=1, max_size=4).map(".".join)
LOCALS = st.text(ATOM, min_size=1, max_size=20).filter(lambda text: len(text.encode()) <= 24)
ADDRESSES = st.builds("{}@{}".format, LOCALS, DOMAINS)
DAYS = st.dates(date(1971, 1, 1), date(2059, 9, 1))
SECRETS = st.binary(min_size=1, max_size=80).map(bytes.hex)
TEXTS: st.SearchStrategy[Union[str, bytes]] = st.one_of(
    st.text(st.characters(), max_size=80), st.binary(max_size=80), st.text("prvs=bt1SR0@.+<>\"0a", max_size=80)
)
KEYS = backstop.KeyRing.parse(
    "version 1\nprvs 4 sha256 10 - - * text:one\nbst1 k sha256 10 - - *.example text:two\n"
    "srs 0 sha1 21 - - * text:three\nmark m sha256 14 - - * text:four\n"
)
SRS = backstop.Srs("fwd.example.net")
POLICY = backstop.Policy.parse('[policy]\nown-domains = ["*.example"]\n[policy.srs]\ndomain = "fwd.example"\n')


@given(ADDRESSES, DAYS, SECRETS, st.sampled_from(["prvs 4 sha256", "prvs 4 sha1", "bst1 k sha256"]), st.data())
def test_what_was_signed_verifies_on_each_of_its_days_and_on_no_other(
    address: str, day: date, secret: str, key: str, data: st.DataObject
) -> None:
    ring = backstop.KeyRing.parse(f"version 1\n{key} 10 - - * hex:{secret}\n")
    signed = backstop.sign(ring, address, day)
    if signed.reason is not None:
        assert (signed.reason, signed.address) == ("too-long", address) and key.startswith("bst1"), "prvs has room"
        return
    assert backstop.sign(ring, signed.address, day).reason == "already"
    verdict = backstop.verify(ring, signed.address, day + timedelta(days=data.draw(st.integers(0, 10))))
    assert (verdict.verdict, verdict.mailbox, verdict.signed) == ("genuine", address, day)
    assert backstop.strip(signed.address).address == address
    late = backstop.verify(ring, signed.address, day + timedelta(days=data.draw(st.integers(11, 400))))
    assert late.verdict == "expired"


@given(ADDRESSES, DAYS, st.integers(0, 5), st.sampled_from("0123456789abcdef"))
def test_a_changed_digit_is_forged(address: str, day: date, at: int, digit: str) -> None:
    ring = backstop.KeyRing.parse("version 1\nprvs 4 sha256 10 - - * text:an example\n")
    signed = backstop.sign(ring, address, day).address
    start = len("prvs=KDDD") + at
    changed = signed[:start] + digit + signed[start + 1 :]
    assert backstop.verify(ring, changed, day).verdict == ("genuine" if changed == signed else "forged")


@given(ADDRESSES, DAYS, st.integers(0, 21))
def test_what_was_forwarded_returns(address: str, day: date, age: int) -> None:
    forward = backstop.srs_forward(KEYS, SRS, address, day)
    if forward.reason is None:
        back = backstop.srs_reverse(KEYS, SRS, forward.address, day + timedelta(days=age))
        assert (back.verdict, back.mailbox, back.signed) == ("genuine", address, day)
    else:
        assert forward.reason == "too-long" and forward.address == address


@settings(max_examples=400)
@given(TEXTS, TEXTS, DAYS)
def test_no_text_raises_anything_but_our_error(one: Union[str, bytes], two: Union[str, bytes], day: date) -> None:
    calls: list[Callable[[], object]] = [
        lambda: backstop.sign(KEYS, one, day),
        lambda: backstop.verify(KEYS, one, day),
        lambda: backstop.strip(one),
        lambda: backstop.explain(KEYS, one, day),
        lambda: backstop.srs_forward(KEYS, SRS, one, day),
        lambda: backstop.srs_reverse(KEYS, SRS, one, day),
        lambda: backstop.mark_address_of_from(one),
        lambda: backstop.mark_header(KEYS, one, bytes(8), day),
        lambda: backstop.mark_message_id(KEYS, one, two, "a@example.com", day),
        lambda: backstop.mark_verify_header(KEYS, one, two, day),
        lambda: backstop.mark_verify_message_id(KEYS, one, two, day),
        lambda: backstop.KeyRing.parse(one),
        lambda: backstop.Policy.parse(one),
        lambda: backstop.Srs(one, two),
    ]
    for call in calls:
        try:
            call()
        except backstop.Error as error:
            assert error.code.startswith("BACKSTOP_ERR_") and error.code != "BACKSTOP_ERR_INTERNAL"
    POLICY.outgoing(KEYS, one, [two], "submitted", day)
    POLICY.forward(KEYS, one, two, day)
    POLICY.incoming(KEYS, one, two, "other", day)


@given(st.one_of(ADDRESSES, st.text(st.characters(exclude_categories=["Cs"]), max_size=80)), DAYS)
def test_a_str_is_its_utf8(address: str, day: date) -> None:
    def outcome(text: Union[str, bytes]) -> object:
        try:
            return backstop.sign(KEYS, text, day), backstop.verify(KEYS, text, day), backstop.strip(text)
        except backstop.Error as error:
            return error.args

    assert outcome(address) == outcome(address.encode())
