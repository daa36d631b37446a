"""A fork beside a thread that inspects for the first time: what is made once must have been made at import."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

# Processes that have inspected nothing yet; each forks again and again while its thread inspects, and ends with how many
# of its children hung.
SCRIPT = """
import os, signal, sys, threading, warnings
import backstop

warnings.simplefilter("ignore", DeprecationWarning)  # Of forks beside threads, which is what is tested.
sys.setswitchinterval(1e-6)
ring = backstop.KeyRing.parse("version 1\\nprvs 4 sha256 10 2026-11-01 - example.com text:an example\\n")
policy = backstop.Policy.parse('[policy]\\nown-domains = ["example.com"]\\nmode = "enforce"\\n')
bounce = open(sys.argv[1], "rb").read()

def inspect():
    backstop.inspect(policy, ring, bounce, b"<>", b"alice@example.com", 1795219200)

def hung(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGALRM

def process():
    thread = threading.Thread(target=inspect)
    thread.start()
    children = []
    for _ in range(6):
        child = os.fork()
        if child == 0:
            signal.alarm(10)
            inspect()
            os._exit(0)
        children.append(child)
    count = sum([hung(child) for child in children])
    thread.join()
    return count

for _ in range(100):
    child = os.fork()
    if child == 0:
        os._exit(process())
    count = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if count != 0:
        sys.exit(f"{count} children hang")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_inspects_though_a_thread_of_its_parent_was_inspecting_for_the_first_time(tmp_path: Path) -> None:
    message = tmp_path / "bounce"
    message.write_bytes(
        b"Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nTo: alice@example.com\n"
        b"Subject: Undelivered Mail Returned to Sender\n\n<x@example.net>: 550 5.1.1 user unknown\n"
    )
    done = subprocess.run([sys.executable, "-c", SCRIPT, message], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
