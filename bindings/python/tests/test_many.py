"""Many addresses in one call: each answer is that of the single verb, bad ones spoil nothing, and other threads run."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Callable, Union

import backstop
import pytest
from conftest import DAY
from hypothesis import given
from hypothesis import strategies as st
from test_properties import ADDRESSES, DAYS, KEYS, TEXTS

Text = Union[str, bytes]
Many = Callable[..., Union["list[Union[backstop.Signed, backstop.Error]]", "list[Union[backstop.Verdict, backstop.Error]]"]]
Alone = Callable[..., Union[backstop.Signed, backstop.Verdict]]
VERBS: list[tuple[Many, Alone]] = [(backstop.sign_many, backstop.sign), (backstop.verify_many, backstop.verify)]


def shown(answer: object) -> object:
    """What can be compared of an answer, also of an error."""
    if isinstance(answer, backstop.Error):
        return (str(answer), answer.code, answer.offset, answer.line)
    return answer


def alone(verb: Alone, *arguments: object) -> object:
    try:
        return verb(*arguments)
    except backstop.Error as error:
        return shown(error)


@given(st.lists(st.one_of(ADDRESSES, TEXTS, ADDRESSES.map(str.encode)), max_size=150), DAYS, st.integers(0, 20))
def test_each_answer_is_that_of_the_single_verb(texts: list[Text], day: object, age: int) -> None:
    # Half of them signed, some of those too long ago.
    tagged = [alone(backstop.sign, KEYS, text, day) for text in texts]
    texts += [it.address for it in tagged if isinstance(it, backstop.Signed)]
    later = day + timedelta(days=age)  # type: ignore[operator]
    for many, single in VERBS:
        answers = [shown(answer) for answer in many(KEYS, texts, later)]
        assert answers == [alone(single, KEYS, text, later) for text in texts]


@pytest.mark.parametrize("count", [0, 1, 3, 4, 63, 64, 65, 1000])
def test_any_count_is_signed_and_verified(ring: backstop.KeyRing, count: int) -> None:
    senders = [f"alice{number}@example.com" for number in range(count)]
    signed = backstop.sign_many(ring, senders, DAY)
    assert type(signed) is list and len(signed) == count
    back = backstop.verify_many(ring, [str(it) for it in signed], DAY)
    assert [it.mailbox for it in back if isinstance(it, backstop.Verdict) and it.verdict == "genuine"] == senders


def test_a_bad_address_spoils_no_other(ring: backstop.KeyRing) -> None:
    senders: list[Text] = ["alice@example.com"] * 100
    senders[50:53] = ["no address", b"\xff@example.com", "\udcff@example.com"]
    answers = backstop.sign_many(ring, senders, DAY)
    errors = {at: it for at, it in enumerate(answers) if isinstance(it, backstop.Error)}
    assert {at: (it.code, it.offset) for at, it in errors.items()} == {
        50: ("BACKSTOP_ERR_ADDRESS", 2),
        51: ("BACKSTOP_ERR_ADDRESS", 0),
        52: ("BACKSTOP_ERR_ADDRESS", 0),
    }
    good = backstop.sign(ring, "alice@example.com", DAY)
    assert all(it == good for at, it in enumerate(answers) if at not in errors)


def test_any_iterable_will_do_but_no_text(ring: backstop.KeyRing) -> None:
    senders: list[Text] = ["alice@example.com", b"bob@example.com"]
    expected = [backstop.sign(ring, sender, DAY) for sender in senders]

    def one_by_one() -> Iterator[Text]:
        yield from senders

    for given_senders in (senders, tuple(senders), one_by_one(), dict.fromkeys(senders)):
        assert backstop.sign_many(ring, given_senders, DAY) == expected
    for many, _ in VERBS:
        for wrong in ("alice@example.com", b"alice@example.com", None, 7, [7], ["alice@example.com", None]):
            with pytest.raises(TypeError):
                many(ring, wrong, DAY)


def test_an_iterable_that_fails_is_not_half_signed(ring: backstop.KeyRing) -> None:
    def failing() -> Iterator[str]:
        yield "alice@example.com"
        raise KeyError("mine")

    for many, _ in VERBS:
        with pytest.raises(KeyError, match="mine"):
            many(ring, failing(), DAY)
        with pytest.raises(backstop.Error) as error:
            many(ring, ["alice@example.com"], 10**15)
        assert error.value.code == "BACKSTOP_ERR_TIME"


def runs_beside(work: Callable[[], object]) -> bool:
    """Whether this thread runs before another has done its work, which gives nothing up but of its own will."""
    finished = threading.Event()

    def all_of_it() -> None:
        work()
        finished.set()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    try:
        thread = threading.Thread(target=all_of_it)
        thread.start()
        beside = not finished.is_set()
        thread.join()
    finally:
        sys.setswitchinterval(interval)
    return beside


def test_other_threads_run_meanwhile(ring: backstop.KeyRing) -> None:
    senders = ["alice@example.com"] * 100_000
    # One after the other they do not; else this would tell nothing.
    assert not any(runs_beside(lambda: [backstop.sign(ring, it, DAY) for it in senders[:20_000]]) for _ in range(3))
    # On a busy machine a thread may be woken too late.
    for many, _ in VERBS:
        assert any(runs_beside(lambda: many(ring, senders, DAY)) for _ in range(10)), many
