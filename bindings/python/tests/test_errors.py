"""Every error has its name from the C header; every argument of a wrong type is a TypeError; nothing else is raised."""

from __future__ import annotations

import copy
import pickle
import re
from datetime import date, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Any, Callable, Optional

import backstop
import pytest
from conftest import DAY, HEADER, POLICY, RING, SECRET

RINGS = backstop.KeyRing.parse(RING)
SRS = backstop.Srs("fwd.example.net")
JUDGE = backstop.Policy.parse(POLICY)

Call = Callable[..., Any]

TEXT = "text"
OTHER = "other"
# What can be called, with arguments that are right, and which of them are texts.
CALLS: list[tuple[Call, dict[str, tuple[Any, str]]]] = [
    (backstop.KeyRing.parse, {"text": (RING, TEXT)}),
    (backstop.KeyRing.load, {"path": ("/nowhere/keys", OTHER)}),
    (backstop.KeyStore.open, {"path": ("/nowhere/keys", OTHER)}),
    (backstop.Policy.parse, {"text": (POLICY, TEXT)}),
    (JUDGE.needs, {}),
    (JUDGE.origin, {"authenticated": (False, OTHER), "ip": ("192.0.2.1", TEXT), "port": (25, OTHER)}),
    (JUDGE.client, {"authenticated": (False, OTHER), "ip": ("192.0.2.1", TEXT), "port": (25, OTHER)}),
    (
        JUDGE.outgoing,
        {
            "ring": (RINGS, OTHER),
            "sender": ("alice@example.com", TEXT),
            "recipients": (["bob@example.org"], OTHER),
            "origin": ("submitted", TEXT),
            "now": (DAY, OTHER),
        },
    ),
    (
        JUDGE.forward,
        {
            "ring": (RINGS, OTHER),
            "sender": ("bob@example.org", TEXT),
            "recipient": ("alice@example.com", TEXT),
            "now": (DAY, OTHER),
        },
    ),
    (
        JUDGE.incoming,
        {
            "ring": (RINGS, OTHER),
            "sender": ("<>", TEXT),
            "recipient": ("alice@example.com", TEXT),
            "client": ("other", TEXT),
            "now": (DAY, OTHER),
        },
    ),
    (
        JUDGE.incoming_message,
        {
            "ring": (RINGS, OTHER),
            "sender": ("<>", TEXT),
            "recipient": ("alice@example.com", TEXT),
            "client": ("other", TEXT),
            "inspection": (backstop.inspect(JUDGE, RINGS, ""), OTHER),
            "now": (DAY, OTHER),
        },
    ),
    (backstop.sign, {"ring": (RINGS, OTHER), "address": ("a@example.com", TEXT), "now": (DAY, OTHER)}),
    (backstop.sign_subaddress, {"ring": (RINGS, OTHER), "address": ("a@example.com", TEXT), "now": (DAY, OTHER)}),
    (backstop.verify, {"ring": (RINGS, OTHER), "address": ("a@example.com", TEXT), "now": (DAY, OTHER)}),
    (backstop.sign_many, {"ring": (RINGS, OTHER), "addresses": (["a@example.com"], OTHER), "now": (DAY, OTHER)}),
    (backstop.verify_many, {"ring": (RINGS, OTHER), "addresses": (["a@example.com"], OTHER), "now": (DAY, OTHER)}),
    (backstop.strip, {"address": ("a@example.com", TEXT)}),
    (backstop.explain, {"ring": (RINGS, OTHER), "address": ("a@example.com", TEXT), "now": (DAY, OTHER)}),
    (
        backstop.srs_forward,
        {"ring": (RINGS, OTHER), "srs": (SRS, OTHER), "address": ("b@example.org", TEXT), "now": (DAY, OTHER)},
    ),
    (
        backstop.srs_reverse,
        {"ring": (RINGS, OTHER), "srs": (SRS, OTHER), "address": ("b@example.org", TEXT), "now": (DAY, OTHER)},
    ),
    (
        backstop.Srs,
        {
            "domain": ("fwd.example.net", TEXT),
            "own": ("b.example", TEXT),
            "separator": ("=", TEXT),
            "hash_length": (4, OTHER),
            "hash_min": (4, OTHER),
            "max_age": (21, OTHER),
            "always_rewrite": (False, OTHER),
            "alphabet": ("classic", TEXT),
            "over_long": ("leave", TEXT),
        },
    ),
    (backstop.mark_address_of_from, {"field": ("a@example.com", TEXT)}),
    (
        backstop.mark_header,
        {"ring": (RINGS, OTHER), "from_": ("a@example.com", TEXT), "nonce": (bytes(8), OTHER), "now": (DAY, OTHER)},
    ),
    (
        backstop.mark_message_id,
        {
            "ring": (RINGS, OTHER),
            "left": ("1", TEXT),
            "domain": ("example.com", TEXT),
            "from_": ("a@example.com", TEXT),
            "now": (DAY, OTHER),
        },
    ),
    (
        backstop.mark_verify_header,
        {
            "ring": (RINGS, OTHER),
            "value": ("v=1", TEXT),
            "recipient": ("a@example.com", TEXT),
            "now": (DAY, OTHER),
        },
    ),
    (
        backstop.mark_verify_message_id,
        {
            "ring": (RINGS, OTHER),
            "id": ("<1@example.com>", TEXT),
            "recipient": ("a@example.com", TEXT),
            "now": (DAY, OTHER),
        },
    ),
    (
        backstop.inspect,
        {
            "policy": (JUDGE, OTHER),
            "ring": (RINGS, OTHER),
            "message": (b"", OTHER),
            "sender": ("a@example.com", OTHER),
            "recipient": ("b@example.com", OTHER),
            "now": (DAY, OTHER),
        },
    ),
    (backstop.may_bounce, {"message": (b"", OTHER), "sender": ("a@b", OTHER), "authenticated": (True, OTHER)}),
    (
        backstop.may_autorespond,
        {"message": (b"", OTHER), "own": (["a@b"], OTHER), "sender": ("a@b", OTHER), "authenticated": (True, OTHER)},
    ),
]


def arguments(kind: Optional[str] = None) -> list[Any]:
    """Every argument of every call, or all that are of a kind."""
    return [
        pytest.param(call, given, name, id=f"{getattr(call, '__qualname__', call)}-{name}")
        for call, given in CALLS
        for name, (_, its_kind) in given.items()
        if kind in (None, its_kind)
    ]


def with_one(given: dict[str, tuple[Any, str]], name: str, value: object) -> dict[str, Any]:
    return {**{other: right for other, (right, _) in given.items()}, name: value}


def test_the_table_has_every_function_and_method() -> None:
    public = {name for name in backstop.__all__ if not name.startswith("_") and name[0].islower()}
    assert public <= {call.__name__ for call, _ in CALLS}
    methods = {name for one in (JUDGE, RINGS, SRS) for name in dir(one) if not name.startswith("_")}
    assert methods - {"fingerprint"} <= {call.__name__ for call, _ in CALLS}


@pytest.mark.parametrize(("call", "given", "name"), arguments())
def test_an_argument_of_a_wrong_type_is_a_type_error(call: Call, given: dict[str, Any], name: str) -> None:
    # The recipients may be any iterable, and so much is wrong only because it is one of ints.
    for wrong in [object(), 2.5, 1j, [3], {1: "a"}, bytearray(b"a"), memoryview(b"a"), Exception]:
        with pytest.raises(TypeError):
            call(**with_one(given, name, wrong))


@pytest.mark.parametrize(("call", "given", "name"), arguments())
def test_none_is_taken_only_where_it_means_something(call: Call, given: dict[str, Any], name: str) -> None:
    srs = {"own", "separator", "hash_length", "hash_min", "max_age", "alphabet", "over_long"}
    optional = {"now", "nonce", "ip"} | (srs if call is backstop.Srs else set())
    read_from_the_message = call is backstop.inspect and name == "recipient" or name == "sender" and call in (
        backstop.inspect, backstop.may_bounce, backstop.may_autorespond
    )
    if name in optional or read_from_the_message or (call is backstop.explain and name == "ring"):
        call(**with_one(given, name, None))
    else:
        with pytest.raises(TypeError):
            call(**with_one(given, name, None))


@pytest.mark.parametrize(("call", "given", "name"), arguments(TEXT))
def test_no_text_raises_anything_but_our_error(call: Call, given: dict[str, Any], name: str) -> None:
    odd = ["", "\0", "a\0@example.com", "\ud800", "a\udcff@example.com", "\U0001f4e7@example.com", "x" * 2_000_000]
    for text in [*odd, *(text.encode("utf-8", "surrogatepass") for text in odd), b"\xff", b"\xc3(@example.com"]:
        try:
            call(**with_one(given, name, text))
        except backstop.Error as error:
            assert error.code in HEADER and len(str(error)) < 300


@pytest.mark.parametrize(("call", "given", "name"), arguments(TEXT))
def test_a_surrogate_is_like_octets_that_are_not_utf8(call: Call, given: dict[str, Any], name: str) -> None:
    def outcome(text: object) -> object:
        try:
            return repr(call(**with_one(given, name, text)))
        except backstop.Error as error:
            return (str(error), error.code, error.offset, error.line)

    assert outcome("a\udcff@example.com") == outcome("a\udcff@example.com".encode("utf-8", "surrogatepass"))


def sign(address: object = "alice@example.com", now: Any = DAY) -> Call:
    return lambda: backstop.sign(RINGS, address, now)  # type: ignore[arg-type]


ERRORS: list[tuple[Call, str, Optional[int], Optional[int], str]] = [
    (sign("alice"), "ADDRESS", 5, None, "there is no `@`"),
    (sign("a\0b@example.com"), "ADDRESS", 1, None, "this octet may stand"),
    (sign("ü\udcff@example.com"), "ADDRESS", 2, None, "this is not UTF-8"),
    (sign("x" * 65 + "@example.com"), "ADDRESS", 64, None, "longer than 64 octets"),
    (lambda: backstop.strip("<alice@example.com"), "ADDRESS", 18, None, "not closed"),
    (lambda: backstop.verify(RINGS, "<>", DAY), "NULL_RECIPIENT", None, None, "no recipient"),
    (lambda: backstop.srs_reverse(RINGS, SRS, "", DAY), "NULL_RECIPIENT", None, None, "no recipient"),
    (sign(now=-1), "TIME", None, None, "no time between 1970 and 9999"),
    (sign(now=1795219200000), "TIME", None, None, "not milliseconds"),
    (sign(now=10**30), "TIME", None, None, "no time between 1970 and 9999"),
    (sign(now=-(10**30)), "TIME", None, None, "no time between 1970 and 9999"),
    (sign(now=253402300800), "TIME", None, None, "no time between 1970 and 9999"),
    (sign(now=date(1969, 12, 31)), "TIME", None, None, "between 1970 and 9999"),
    (sign(now=datetime(2026, 11, 21)), "TIME", None, None, "has no time zone"),
    (sign(now=datetime.max.replace(tzinfo=timezone(-timedelta(hours=1)))), "TIME", None, None, "1970 and 9999"),
    (sign(now=datetime.min.replace(tzinfo=timezone.utc)), "TIME", None, None, "between 1970 and 9999"),
    (lambda: backstop.KeyRing.parse(""), "KEYRING", None, 1, "version 1"),
    (lambda: backstop.KeyRing.parse("version 1\n\nprvs x\n"), "KEYRING", None, 3, "line 3"),
    (lambda: backstop.KeyRing.parse("version 1\n#" + "x" * 2_000_000), "KEYRING", None, 1, "key ring"),
    (lambda: backstop.KeyRing.load("/nowhere/keys"), "FILE", None, None, "/nowhere/keys"),
    (lambda: backstop.KeyRing.load("a\0b"), "FILE", None, None, "cannot be opened"),
    (lambda: backstop.KeyStore.open("/"), "FILE", None, None, "no regular file"),
    (lambda: backstop.Policy.parse("[policy]\nmode = 3\n"), "POLICY", None, 2, "line 2"),
    (lambda: backstop.Policy.parse(b"[policy]\n\nx = '\xff'"), "POLICY", None, 3, "not UTF-8"),
    (lambda: backstop.Srs(""), "DOMAIN", None, None, "domain"),
    (lambda: backstop.Srs("*.example.com"), "DOMAIN", None, None, "one domain"),
    (lambda: backstop.Srs("a.example,b.example"), "DOMAIN", None, None, "one domain"),
    (lambda: backstop.Srs("a.example", b"\xff"), "DOMAIN", None, None, "UTF-8"),
    (lambda: backstop.Srs("a.example", "b..example"), "DOMAIN", None, None, "pattern 2"),
    (lambda: backstop.Srs("a.example", separator="=="), "OPTION", None, None, "separator"),
    (lambda: backstop.Srs("a.example", separator=""), "OPTION", None, None, "separator"),
    (lambda: backstop.Srs("a.example", hash_length=0), "OPTION", None, None, "1 to 27"),
    (lambda: backstop.Srs("a.example", hash_length=10**30), "OPTION", None, None, "1 to 27"),
    (lambda: backstop.Srs("a.example", hash_min=5), "OPTION", None, None, "1 to 4"),
    (lambda: backstop.Srs("a.example", max_age=0), "OPTION", None, None, "1 to 500"),
    (lambda: backstop.Srs("a.example", max_age=-1), "OPTION", None, None, "1 to 500"),
    (lambda: backstop.Srs("a.example", max_age=65537), "OPTION", None, None, "1 to 500"),
    (lambda: backstop.Srs("a.example", alphabet="x"), "OPTION", None, None, "classic or url or alt"),  # type: ignore[arg-type]
    (lambda: backstop.Srs("a.example", over_long=""), "OPTION", None, None, "leave or emit"),  # type: ignore[arg-type]
    (lambda: JUDGE.client(False, "192.0.2.1", 65536), "OPTION", None, None, "0 to 65535"),
    (lambda: JUDGE.outgoing(RINGS, "", [], "me"), "OPTION", None, None, "submitted or"),  # type: ignore[arg-type]
    (lambda: JUDGE.incoming(RINGS, "", "", ""), "OPTION", None, None, "internal or"),  # type: ignore[arg-type]
    (lambda: backstop.mark_header(RINGS, "a@example.com", bytes(7)), "OPTION", None, None, "8 octets"),
    (lambda: backstop.mark_message_id(RINGS, '"', "b.example", "a@example.com"), "MESSAGE_ID", None, None, "700"),
    (lambda: backstop.mark_message_id(RINGS, b"\xff", "b.example", "a@example.com"), "MESSAGE_ID", None, None, "UTF-8"),
    (lambda: JUDGE.origin(False, "localhost", 25), "IP", None, None, "no IP address"),
    (lambda: JUDGE.client(False, "192.0.2", 25), "IP", None, None, "no IP address"),
]


@pytest.mark.parametrize(("call", "code", "offset", "line", "words"), ERRORS)
def test_an_error_says_which_where_and_what(
    call: Call, code: str, offset: Optional[int], line: Optional[int], words: str
) -> None:
    with pytest.raises(backstop.Error) as raised:
        call()
    error = raised.value
    assert (error.code, error.offset, error.line) == (f"BACKSTOP_ERR_{code}", offset, line), str(error)
    assert words in str(error) and isinstance(error, ValueError)


def test_every_code_of_the_header_that_python_can_meet_was_met() -> None:
    there = set(re.findall(r"#define BACKSTOP_ERR_(\w+) ", HEADER))
    # Of pointers, buffers and structures, and a fault of the library itself.
    of_c = {"NULL", "TOO_SMALL", "SIZE", "LENGTH", "INTERNAL"}
    assert {code for _, code, *_ in ERRORS} == there - of_c


def test_a_number_that_is_a_bool_is_a_mistake() -> None:
    calls: list[Call] = [
        sign(now=True),
        lambda: JUDGE.client(False, None, True),
        lambda: backstop.Srs("a.example", hash_length=True),
    ]
    for call in calls:
        with pytest.raises(TypeError):
            call()


def test_one_text_is_no_list_of_recipients() -> None:
    for recipients in ["bob@example.org", b"bob@example.org"]:
        with pytest.raises(TypeError, match="iterable"):
            JUDGE.outgoing(RINGS, "alice@example.com", recipients, "submitted", DAY)  # type: ignore[arg-type]


def test_what_a_foreign_object_raises_comes_through() -> None:
    class Odd(tzinfo):
        def utcoffset(self, when: Optional[datetime]) -> Optional[timedelta]:
            raise LookupError("odd")

        def dst(self, when: Optional[datetime]) -> Optional[timedelta]:
            return None

        def tzname(self, when: Optional[datetime]) -> Optional[str]:
            return None

    with pytest.raises(LookupError, match="odd"):
        sign(now=datetime(2026, 11, 21, tzinfo=Odd()))()

    def recipients() -> Any:
        yield "bob@example.org"
        raise LookupError("odd")

    with pytest.raises(LookupError, match="odd"):
        JUDGE.outgoing(RINGS, "alice@example.com", recipients(), "submitted", DAY)


def test_objects_are_made_by_their_functions_only() -> None:
    for made in (backstop.KeyRing, backstop.KeyStore, backstop.Verdict, backstop.Signed, backstop.Policy):
        with pytest.raises(TypeError):
            made()
        with pytest.raises(TypeError):
            type("Other", (made,), {})


def test_an_error_can_be_copied_and_pickled() -> None:
    with pytest.raises(backstop.Error) as raised:
        backstop.strip("alice")
    for twin in (copy.copy(raised.value), pickle.loads(pickle.dumps(raised.value))):
        assert type(twin) is backstop.Error and str(twin) == str(raised.value)
        assert (twin.code, twin.offset, twin.line) == ("BACKSTOP_ERR_ADDRESS", 5, None)


def test_no_error_shows_a_secret(tmp_path: Path) -> None:
    slips = [
        RING.replace("sha256", "sha"),
        RING.replace("text:", "txt:"),
        RING.replace("10 2026-11-01", f"10 {SECRET}"),
        RING + RING.partition("\n")[2],
        f"version {SECRET}\n",
    ]
    for text in slips:
        path = tmp_path / "keys"
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        for load, given in ((backstop.KeyRing.parse, text), (backstop.KeyRing.load, str(path))):
            with pytest.raises(backstop.Error) as raised:
                load(given)
            assert SECRET not in f"{raised.value} {raised.value!r} {raised.value.args}"
