"""A key file that changes under a host that runs, with threads and forks."""

from __future__ import annotations

import os
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any, Callable

import backstop
import pytest
from conftest import DAY, RING, SECRET, write_keys

PAUSE = 1.1
OTHER = RING.replace("prvs 4", "prvs 5")
BAD = RING.replace("sha256", "sha")


def test_a_changed_file_is_taken_within_a_second(key_file: Path) -> None:
    store = backstop.KeyStore.open(key_file)
    first = store.get().fingerprint
    assert first == backstop.KeyRing.parse(RING).fingerprint
    write_keys(key_file, OTHER)
    assert store.get().fingerprint == first, "it looks once a second at most"
    time.sleep(PAUSE)
    assert store.get().fingerprint == backstop.KeyRing.parse(OTHER).fingerprint
    assert store.report() is None


@pytest.mark.parametrize("damage", ["text", "mode", "gone"])
def test_a_bad_file_keeps_the_ring_and_is_reported(key_file: Path, damage: str) -> None:
    store = backstop.KeyStore.open(str(key_file))
    ring = store.get()
    if damage == "gone":
        key_file.unlink()
    else:
        write_keys(key_file, *((BAD, 0o600) if damage == "text" else (RING, 0o644)))
    time.sleep(PAUSE)
    assert store.get().fingerprint == ring.fingerprint
    report = store.report()
    assert report is not None and str(key_file) in report and SECRET not in report
    with pytest.raises(backstop.Error) as raised:
        store.reload()
    assert raised.value.code == "BACKSTOP_ERR_FILE" and str(raised.value) == report
    write_keys(key_file, OTHER)
    store.reload()
    assert store.report() is None
    assert store.get().fingerprint == backstop.KeyRing.parse(OTHER).fingerprint
    assert backstop.sign(ring, "alice@example.com", DAY).reason is None, "a ring that was given stays"


def test_a_reload_is_at_once(key_file: Path) -> None:
    store = backstop.KeyStore.open(key_file)
    write_keys(key_file, OTHER)
    store.reload()
    assert store.get().fingerprint == backstop.KeyRing.parse(OTHER).fingerprint


def run(workers: list[Callable[[], None]]) -> None:
    """Runs all at once and passes on what any of them raised."""
    failures: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in workers]
    interval = sys.getswitchinterval()
    # More turns in less time.
    sys.setswitchinterval(interval / 50)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    if failures:
        raise failures[0]


def test_eight_threads_share_a_ring_and_get_what_one_gets(ring: backstop.KeyRing) -> None:
    addresses = [f"user{number}@example.com" for number in range(50)]
    expected = [backstop.sign(ring, address, DAY) for address in addresses]

    def work() -> None:
        for _ in range(40):
            assert [backstop.sign(ring, address, DAY) for address in addresses] == expected
            verdicts = [backstop.verify(ring, signed.address, DAY) for signed in expected]
            assert [verdict.mailbox for verdict in verdicts] == addresses

    run([work] * 8)


def test_threads_sign_while_another_changes_the_file(key_file: Path) -> None:
    store = backstop.KeyStore.open(key_file)
    rings = [backstop.KeyRing.parse(text) for text in (RING, OTHER)]
    allowed = {backstop.sign(ring, "alice@example.com", DAY) for ring in rings}
    done = threading.Event()
    seen = set()

    def work() -> None:
        while not done.is_set():
            seen.add(backstop.sign(store.get(), "alice@example.com", DAY))

    def change() -> None:
        try:
            for turn in range(150):
                write_keys(key_file, [OTHER, BAD, RING][turn % 3])
                try:
                    store.reload()
                except backstop.Error as error:
                    assert error.code == "BACKSTOP_ERR_FILE"
        finally:
            done.set()

    run([work] * 7 + [change])
    assert seen == allowed and len(allowed) == 2


def test_reloads_that_fail_hold_nobody_up(key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # An error is made by the interpreter, which lets other threads run meanwhile. Then the store must not be locked.
    made = backstop.Error.__init__

    def slow(self: backstop.Error, *arguments: Any) -> None:
        time.sleep(0.005)
        made(self, *arguments)

    monkeypatch.setattr(backstop.Error, "__init__", slow)
    store = backstop.KeyStore.open(key_file)
    write_keys(key_file, BAD)
    failed = []

    def fail() -> None:
        for _ in range(50):
            with pytest.raises(backstop.Error):
                store.reload()
            failed.append(store.report())

    def work() -> None:
        while len(failed) < 100:
            assert store.get().fingerprint

    run([fail, fail, work, work])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_goes_on_though_threads_of_its_parent_used_the_store(key_file: Path) -> None:
    store = backstop.KeyStore.open(key_file)
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            store.reload()
            store.get()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(50):
            with warnings.catch_warnings():
                # Python warns of forks beside threads; this is what is tested.
                warnings.simplefilter("ignore", DeprecationWarning)
                child = os.fork()
            if child == 0:
                store.reload()
                os._exit(0 if backstop.sign(store.get(), "alice@example.com", DAY).reason is None else 1)
            deadline = time.monotonic() + 10
            while (waited := os.waitpid(child, os.WNOHANG)) == (0, 0):
                if time.monotonic() > deadline:
                    os.kill(child, 9)
                    os.waitpid(child, 0)
                    pytest.fail("the child hangs")
                time.sleep(0.001)
            assert waited[1] == 0
    finally:
        done.set()
        for thread in threads:
            thread.join()
