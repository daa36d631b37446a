"""The one exception of the package."""

from __future__ import annotations

from typing import Optional


class Error(ValueError):
    """Misuse, bad keys, bad configuration or input that is no address; what an address is, is a value instead.

    The message is one sentence: what is wrong, where, and what to do. No message shows a secret. `code` is a name of the
    C header, such as "BACKSTOP_ERR_ADDRESS"; `offset` counts octets (of the UTF-8, for a str) from the start of an
    address; `line` counts the lines of a key ring or policy from 1.
    """

    code: str
    offset: Optional[int]
    line: Optional[int]

    def __init__(self, message: str, code: str, offset: Optional[int] = None, line: Optional[int] = None) -> None:
        super().__init__(message, code, offset, line)
        self.code = code
        self.offset = offset
        self.line = line

    def __str__(self) -> str:
        return str(self.args[0])
