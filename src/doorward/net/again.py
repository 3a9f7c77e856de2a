"""HTTP heads that come again, byte for byte but for the digits of their length: known without being read (RFC 9112). Pure.

What a parser makes of bytes follows from the bytes. Who has read a head, and found it good, need not read the same one again on the same
connection; who sends it has only put another body behind it.
"""

from collections.abc import Mapping
from typing import Final

_LENGTH: Final = b"\r\ncontent-length: "
_DIGITS: Final = 7
"""Of a length: bodies of ten megabytes and more are read."""


class Same:
    """The bytes of a head, by which it is known."""

    __slots__ = ("_after", "_before", "_many", "_size", "digits")

    def __init__(self, before: bytes, digits: bytes, after: bytes) -> None:
        self._before, self._after = before, after
        self._many, self._size = len(digits), len(before) + len(digits) + len(after)
        self.digits = digits
        """The length that it said."""

    def body(self, octets: bytes) -> bytes | None:
        """The body, where the octets are this head and one body as long as it says, and nothing else; never an empty one."""
        length = len(octets) - self._size
        digits = b"%d" % length
        if len(digits) == self._many and length:
            # Nearly always: a length of as many digits as the last one had, for which one look does.
            return octets[self._size :] if octets.startswith(b"%b%b%b" % (self._before, digits, self._after)) else None
        place = self.found(octets)
        return octets[place[0] :] if place is not None and place[0] + place[1] == len(octets) else None

    def found(self, octets: bytes) -> tuple[int, int] | None:
        """Where the body begins in octets that begin with this head, and how long it is; never 0."""
        before, after = self._before, self._after
        if not octets.startswith(before):
            return None
        start = len(before)
        end = octets.find(b"\r", start, start + _DIGITS + 1)
        digits = octets[start:end]
        # Only as `%d` prints it: whoever could read `007` otherwise has it read by the parser.
        if end < 0 or not digits.isdigit() or digits.startswith(b"0") or not octets.startswith(after, end):
            return None
        return end + len(after), int(digits)


def same(octets: bytes, fields: Mapping[bytes, bytes], most_bytes: int) -> Same | None:
    """How the head is known with which the octets begin; None for one that is better read, or is not whole.

    `fields`: what was read of that very head, its length there once; `most_bytes`: how large a head may be.
    """
    end = octets.find(b"\r\n\r\n") + 4
    if end < 4 or end + _DIGITS > most_bytes:
        return None
    start = octets[:end].lower().find(_LENGTH) + len(_LENGTH)
    stop = octets.find(b"\r", start)
    digits = octets[start:stop]
    if start < len(_LENGTH) or fields.get(b"content-length") != digits or len(digits) > _DIGITS:
        return None
    return Same(octets[:start], digits, octets[stop:end])
