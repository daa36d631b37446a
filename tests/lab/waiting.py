"""What scripts share that show facts of running programs: waiting for them, and saying which one was not shown."""

import time

PATIENCE = 20


class Wrong(Exception):
    """A fact that was not shown."""


class Cannot(Exception):
    """Why a mail system cannot run here."""


def check(holds, what):
    if not holds:
        raise Wrong(what() if callable(what) else what)


def wait_for(found, what):
    """The first true value of found() within PATIENCE."""
    end = time.monotonic() + PATIENCE
    while True:
        if value := found():
            return value
        check(time.monotonic() < end, what)
        time.sleep(0.05)
