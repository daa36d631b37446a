"""The package over the fixed vectors in tests/vectors, row by row as tests/vectors.rs does it for the crate.

A row of a peer is either ordinary, and then we give its bytes, or it stands in choices.md with our answer and the reason.
"""

from __future__ import annotations

import base64
import json
import re
from datetime import date, timedelta
from typing import Any, Callable, Union

import backstop
from conftest import ROOT

VECTORS = ROOT / "tests" / "vectors"
MAX_LOCAL = 64

Row = dict[str, Any]
Outcome = Callable[[], Union[backstop.Signed, backstop.Verdict]]


def rows(name: str) -> list[Row]:
    with open(VECTORS / name, encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    assert len(found) > 5, "the vectors are gone"
    return found


def choices(header: str, columns: int) -> list[list[str]]:
    """The cells of a table of the choices whose header begins like this, without their back-ticks."""
    lines = (VECTORS / "choices.md").read_text(encoding="utf-8").splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith(header)) + 2
    found = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        cells = [re.sub(r"^`(.*)`$", r"\1", cell) for cell in line.strip("| ").split(" | ")]
        found.append(["" if cell == "(empty)" else cell for cell in cells])
    assert len(found) > 5 and all(len(row) == columns and row[-1].endswith(".") for row in found)
    return found


def day(number: int) -> date:
    return date(1970, 1, 1) + timedelta(days=number)


def ring(*lines: str) -> backstop.KeyRing:
    return backstop.KeyRing.parse("\n".join(["version 1", *lines, ""]))


def answer(ask: Outcome) -> str:
    """The new address or the mailbox of a genuine one, or the words of what else it is."""
    try:
        outcome = ask()
    except backstop.Error as error:
        return {"BACKSTOP_ERR_ADDRESS": "unparsable", "BACKSTOP_ERR_NULL_RECIPIENT": "null"}[error.code]
    if isinstance(outcome, backstop.Signed):
        return outcome.reason or outcome.address
    if outcome.verdict == "genuine":
        assert outcome.mailbox is not None
        return outcome.mailbox
    return " ".join(word for word in (outcome.verdict, outcome.reason) if word)


def is_legal(address: str) -> bool:
    """Whether it is an address with a domain, within the lengths."""
    try:
        stripped = backstop.strip(address)
    except backstop.Error:
        return False
    local = address.rpartition("@")[0].encode()
    return "@" in stripped.address and len(local) <= MAX_LOCAL and len(address.encode()) <= 254


def is_ordinary_sender(address: str) -> bool:
    """Neither quoted nor with blanks, within the lengths, neither tagged nor rewritten."""
    known = address.startswith(("prvs=", "btv1==", "SRS0="))
    return not known and '"' not in address and " " not in address and address.rfind("@") + 16 <= MAX_LOCAL


def test_exim_and_we_sign_alike_and_the_rest_is_in_the_choices() -> None:
    table = choices("| Exim signs", 5)
    met = set()
    for row in rows("exim_prvs.jsonl"):
        sender, output, on = row["input"], row["output"], day(row["unix_day"])
        keys = ring(f"prvs {row['keynum'] or 0} sha1 7 - - * hex:{row['secret'].encode().hex()}")
        made = answer(lambda: backstop.sign(keys, sender, on))
        checked = answer(lambda: backstop.verify(keys, output, on))
        if is_ordinary_sender(sender):
            assert (made, checked) == (output, sender)
            continue
        at = next(at for at, choice in enumerate(table) if choice[1] == output)
        met.add(at)
        assert [sender, output, made, checked] == table[at][:4]
        if "@" in made:
            assert answer(lambda: backstop.verify(keys, made, on)) == sender
    assert met == set(range(len(table))), "a choice without a row"


def srs_answer(row: Row, over_long: str = "leave") -> str:
    secrets = enumerate(row["secrets"])
    keys = ring(*(f"srs {at} sha1 21 - - * hex:{secret.encode().hex()}" for at, secret in secrets))
    domain = row["alias"] if row["op"] == "forward" else "fwd.example.net"
    options: dict[str, Any] = {
        "separator": row["separator"],
        "hash_length": row["hashlength"],
        "hash_min": row["hashmin"],
        "max_age": row["maxage"],
        "always_rewrite": row["alwaysrewrite"],
        "over_long": over_long,
    }
    srs = backstop.Srs(domain, "fwd.example.net", **options)
    verb = backstop.srs_forward if row["op"] == "forward" else backstop.srs_reverse
    return answer(lambda: verb(keys, srs, row["input"], row["time"]))


def test_all_peers_and_we_rewrite_alike_and_the_rest_is_in_the_choices() -> None:
    table = {choice[0]: choice for choice in choices("| row", 5)}
    met = set()
    for row in rows("srs_classic.jsonl"):
        reference = row["reference_output"] or "error"
        ours = srs_answer(row)
        if not row["peers_differ"] and is_legal(row["input"]) and is_legal(reference):
            assert ours == reference, row["id"]
            continue
        _, sender, theirs, expected, _ = table[row["id"]]
        met.add(row["id"])
        assert (row["input"], reference) == (sender, theirs), row["id"]
        assert ours == (reference if expected == "the same" else expected), row["id"]
        if expected == "too-long":
            assert srs_answer(row, "emit") == reference, row["id"]
    assert met == set(table), "a choice without a row"


def test_prvs_over_sha256_is_as_fixed() -> None:
    for row in rows("prvs_sha256.jsonl"):
        keys = ring(f"prvs {row['key']} sha256 {row['days']} - - * hex:{row['secret_hex']}")
        assert backstop.sign(keys, row["input"], day(row["day"])).address == row["output"]
        assert answer(lambda: backstop.verify(keys, row["output"], day(row["day"]))) == row["input"]


def test_bst1_is_as_fixed() -> None:
    for row in rows("bst1.jsonl"):
        keys = ring(f"bst1 {row['id']} sha256 10 - - * hex:{row['secret_hex']}")
        made = answer(lambda: backstop.sign(keys, row["input"], day(row["day"])))
        # One SRS hop puts 14 octets and the domain before the local part.
        with_hop = len(row["output"].encode()) - 1 + 14
        assert made == (row["output"] if with_hop <= MAX_LOCAL else "too-long")
        assert answer(lambda: backstop.verify(keys, row["output"], day(row["day"]))) == row["input"]


def test_marks_are_as_fixed() -> None:
    headers = ids = 0
    for row in rows("mark.jsonl"):
        keys = ring(f"mark {row['id']} sha256 14 - - * hex:{row['secret_hex']}")
        sender, output, on = row["from"], row["output"], day(row["day"])
        if row["form"] == "header":
            nonce = base64.b32decode(row["nonce"].upper() + "===")
            # A nonce with its last bit set is not of eight octets, and is only verified.
            if base64.b32encode(nonce).decode().lower().startswith(row["nonce"]):
                assert backstop.mark_header(keys, sender, nonce, on).value == output
                headers += 1
            verdict = backstop.mark_verify_header(keys, output, sender, on)
        else:
            assert backstop.mark_message_id(keys, row["left"], row["domain"], sender, on).value == output
            ids += 1
            verdict = backstop.mark_verify_message_id(keys, output, sender, on)
        assert (verdict.verdict, verdict.mailbox) == ("genuine", sender), output
    assert (headers, ids) == (4, 5)
