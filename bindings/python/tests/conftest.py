"""What the tests share: where the sources are, and rings of keys that are examples."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import backstop
import pytest

ROOT = Path(__file__).resolve().parents[3]
HEADER = (ROOT / "include" / "backstop.h").read_text(encoding="utf-8")
SECRET = "an example of a secret"
RING = f"""version 1
prvs 4 sha256 10 2026-11-01 - example.com text:{SECRET} for prvs
srs  0 sha1   21 -          - *           text:{SECRET} for srs
mark m sha256 14 -          - example.com text:{SECRET} for mark
"""
POLICY = """[policy]
own-domains = ["example.com"]
mode = "enforce"
"""
DAY = date(2026, 11, 21)


@pytest.fixture
def ring() -> backstop.KeyRing:
    return backstop.KeyRing.parse(RING)


@pytest.fixture
def srs() -> backstop.Srs:
    return backstop.Srs("fwd.example.net")


@pytest.fixture
def policy() -> backstop.Policy:
    return backstop.Policy.parse(POLICY)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    write_keys(path, RING)
    return path


def write_keys(path: Path, text: str, mode: int = 0o600) -> None:
    """Puts another file in the place of the one that is there."""
    new = path.with_name("new")
    new.write_text(text, encoding="utf-8")
    new.chmod(mode)
    new.replace(path)
