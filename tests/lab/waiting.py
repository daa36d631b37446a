"""What scripts share that show facts of running programs: a folder for them, waiting, and saying which was not shown."""

import pathlib
import shutil
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]

PATIENCE = 20


class Wrong(Exception):
    """A fact that was not shown."""


class Cannot(Exception):
    """Why a mail system cannot run here."""


def work_folder(name):
    """A new folder that the users of the mail systems can enter, and whether it is to be removed in the end."""
    target = ROOT / "target"
    target.mkdir(exist_ok=True)
    if all(folder.stat().st_mode & 0o1 for folder in (target, *target.parents)):
        work = target / name
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        return work, False
    work = pathlib.Path(tempfile.mkdtemp(prefix=f"backstop-{name}.", dir="/var/tmp"))
    work.chmod(0o755)
    return work, True


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
