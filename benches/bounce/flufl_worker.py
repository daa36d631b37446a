"""flufl.bounce for benches/bounce/measure: flufl_worker.py SECONDS < PATHS; see there.

It looks for recipients that failed, for a time or for good; a message in which it finds one is a bounce to it.
"""

import email
import logging
import pathlib
import sys
import time

from flufl.bounce import all_failures


def judge(octets):
    try:
        return "bounce" if any(all_failures(email.message_from_bytes(octets))) else "other"
    except Exception:  # Odd messages raise what its manual does not name.
        return "failed"


logging.disable()
messages = [pathlib.Path(path).read_bytes() for path in sys.stdin.read().splitlines()]
for message in messages:
    print(judge(message))
count, wall, cpu = 0, time.monotonic(), time.process_time()
while time.process_time() - cpu < float(sys.argv[1]):
    for message in messages:
        judge(message)
    count += len(messages)
print(count, time.process_time() - cpu, time.monotonic() - wall)
