"""The type hints name the words of the C header, all of them and no others."""

from __future__ import annotations

import ast
import re

import pytest
from conftest import HEADER, ROOT

HINTS = ROOT / "bindings" / "python" / "python" / "backstop" / "_backstop.pyi"


def literals() -> dict[str, set[str]]:
    """The values of each `_Name = Literal[...]`, in which other names may stand."""
    found: dict[str, set[str]] = {}
    for node in ast.parse(HINTS.read_text(encoding="utf-8")).body:
        if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript)):
            continue
        words: set[str] = set()
        for part in ast.walk(node.value.slice):
            if isinstance(part, ast.Constant):
                words.add(str(part.value))
            elif isinstance(part, ast.Name):
                words |= found.get(part.id, set())
        assert isinstance(node.targets[0], ast.Name)
        found[node.targets[0].id] = words
    return found


@pytest.mark.parametrize(
    ("hint", "prefix"),
    [
        ("_Unsigned", "UNSIGNED_"),
        ("_Verdict", "(?=(?:GENUINE|EXPIRED|FORGED|UNKNOWN_KEY|MALFORMED|FOREIGN|UNTAGGED) )"),
        ("_Reason", "REASON_"),
        ("_Tag", "TAG_"),
        ("_Use", "USE_"),
        ("_Rule", "RULE_"),
        ("_Origin", "ORIGIN_"),
        ("_Client", "CLIENT_"),
        ("_Action", "ACTION_"),
        ("_Mode", "MODE_"),
        ("_RefuseAt", "REFUSE_AT_"),
        ("_Kind", "KIND_"),
        ("_Message", "MESSAGE_"),
        ("_Why", "WHY_"),
        ("_Advice", "ADVICE_"),
        ("_Failure", "FAILURE_"),
        ("_Restraint", "RESTRAINT_"),
    ],
)
def test_the_words_are_those_of_the_header(hint: str, prefix: str) -> None:
    numbers = re.findall(rf"#define BACKSTOP_{prefix}(\w+) \d", HEADER)
    words = {name.lower().replace("_", "-") for name in numbers} - {"none"}
    assert len(words) > 2 and literals()[hint] == words


def test_every_function_of_the_header_has_its_verb() -> None:
    functions = set(re.findall(r"^[a-z].*\bbackstop_(\w+)\(", HEADER, re.MULTILINE))
    # Exim calls its own ones. An inspection has attributes here. References are counted and words are strings here, errors say why, and a file is loaded with its diagnosis.
    of_c = r"exim_.*|version_number|strerror|.*_(free|ref|diagnose|diagnose_file|name)|rule_text|srs_new|version|inspection_.*|restraint_text"
    verbs = {name for name in functions if not re.fullmatch(of_c, name)}
    text = HINTS.read_text(encoding="utf-8")
    classes = {"KeyRing": "keyring", "KeyStore": "keystore", "Policy": "policy"}
    here = set(re.findall(r"^def (\w+)", text, re.MULTILINE))
    for name, prefix in classes.items():
        body = text.partition(f"class {name}:")[2].partition("\n@final")[0]
        here |= {f"{prefix}_{method}" for method in re.findall(r"^    def (\w+)", body, re.MULTILINE)}
    assert verbs == here
