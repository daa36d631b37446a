"""backstop stops backscatter: it signs envelope senders (BATV), verifies the recipients of returning bounces, rewrites
forwarded senders (SRS), makes and verifies marks inside messages, and decides by a policy what becomes of it all.

Texts go in as str or bytes, addresses with or without <>, and come out as str. `now` is None for the system clock, a
datetime.date, a datetime with a time zone, or an int of unix seconds; all days are UTC. What an address is comes out as
a value; misuse and input that is no address raise Error. All objects are frozen and may be shared by threads.
"""

from ._backstop import *
from ._backstop import __version__
from ._error import Error

__all__ = [
    "Check",
    "Decision",
    "Error",
    "Inspection",
    "KeyRing",
    "KeyStore",
    "Mark",
    "Policy",
    "Sender",
    "Signed",
    "Srs",
    "Stripped",
    "Verdict",
    "__version__",
    "explain",
    "inspect",
    "mark_address_of_from",
    "mark_header",
    "mark_message_id",
    "mark_verify_header",
    "mark_verify_message_id",
    "may_autorespond",
    "may_bounce",
    "sign",
    "sign_many",
    "sign_subaddress",
    "srs_forward",
    "srs_reverse",
    "strip",
    "verify",
    "verify_many",
]
