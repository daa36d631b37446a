"""pysrs (PyPI) for benches/peers/measure: pysrs_worker.py OPERATION PASSES < ADDRESSES; see there.

pysrs 1.0.3 calls `base64.encodestring`, which Python 3.9 dropped; the same function is given back to it under that name.
"""

import base64
import sys

from SRS.Guarded import Guarded

base64.encodestring = base64.encodebytes
operation, passes = sys.argv[1], int(sys.argv[2])
srs = Guarded(secret="a secret for srs")
ask = (lambda address: srs.forward(address, "fwd.example.net")) if operation == "forward" else srs.reverse
addresses = sys.stdin.read().splitlines()
for _ in range(passes):
    for address in addresses:
        ask(address)
for address in addresses:
    print(ask(address))
