"""The head of a request as a value: what is refused in it whatever it asks for, and how it is known when it comes again.

A client sends the same head with each of its calls, but for the length of the body. One that was read and found good is read no second
time on its connection: what a parser makes of bytes follows from the bytes. Pure.
"""

from dataclasses import dataclass, field
from typing import Final

from doorward.net.again import Same, same
from doorward.serving.bounds import Limits
from doorward.serving.port import Again, Headers

KNOWN: Final = 4
"""Heads that a connection knows: those of the tools that an agent is busy with."""
_READ_EACH_TIME: Final = frozenset({b"connection", b"dpop", b"expect", b"traceparent", b"transfer-encoding", b"upgrade"})
"""Headers that say how to go on with the connection, or are never the same twice."""


class StrictError(Exception):
    """A request that is refused while it is being read: HTTP status and a reason for the client."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(slots=True)
class Head:
    """A head that was read and may be answered. (Not frozen: one is made for each that is not known.)"""

    method: str
    target: bytes
    headers: Headers = field(repr=False)
    """Names in lower case, in the order in which they came."""
    is_kept: bool
    """Whether the connection may carry another request after this one."""
    expects: bool
    """Whether the client waits to be told to go on before it sends the body."""
    again: Again | None = field(default=None, repr=False)
    """Answers further requests with it on this connection, by what the app has concluded from it; None before that."""


def check(head: Head, limits: Limits, version: str, read_bytes: int) -> None:
    """Raises `StrictError` for a head that is too large (`read_bytes` came with it), or that nobody answers or two readers read differently."""
    names = [name for name, _ in head.headers]
    if len(names) > limits.headers:
        raise StrictError(431, "there are too many headers")
    if read_bytes > limits.head_bytes and _size(head) > limits.head_bytes:
        raise StrictError(431, "the headers are too large")
    if version != "1.1":
        raise StrictError(505, "only version 1.1 is spoken here")
    if names.count(b"host") != 1:
        raise StrictError(400, "exactly one Host header is expected")
    if not head.target.startswith(b"/"):
        raise StrictError(400, "the request target must be a path")
    if head.method == "HEAD":
        raise StrictError(405, "HEAD is not answered here")


def _size(head: Head) -> int:
    return len(head.target) + sum(len(name) + len(value) + 4 for name, value in head.headers)


class Known:
    """A head, and how it is known.

    INVARIANT: it has passed the parser, `check` and the bounds; with other digits it would do so again, and nothing else would be read.
    """

    __slots__ = ("_place", "head", "same")

    def __init__(self, head: Head, same: Same) -> None:
        self.head = head
        self.same = same
        self._place = head.headers.index((b"content-length", same.digits))

    def headers(self, digits: bytes) -> Headers:
        """The headers of a request whose body is so long."""
        headers = self.head.headers.copy()
        headers[self._place] = (b"content-length", digits)
        return headers


class Heads:
    """The heads that one connection knows, the latest first."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: tuple[Known, ...] = ()

    def found(self, octets: bytes) -> tuple[Head, Headers, bytes] | None:
        """Head, headers and body, where the octets are one whole request with a known head and nothing else."""
        for known in self._known:
            body = known.same.body(octets)
            if body is not None:
                digits = b"%d" % len(body)
                return known.head, known.head.headers if digits == known.same.digits else known.headers(digits), body
        return None

    def note(self, head: Head, octets: bytes, most_bytes: int) -> None:
        """Notes a head, unless it is better read each time. `octets` are those from which the parser read it."""
        found = _known(head, octets, most_bytes)
        if found is not None:
            self._known = (found, *self._known)[:KNOWN]

    def forget(self) -> None:
        """Knows none any more."""
        self._known = ()


def _known(head: Head, octets: bytes, most_bytes: int) -> Known | None:
    if head.method != "POST" or not head.is_kept:
        return None
    fields = dict(head.headers)
    if not _READ_EACH_TIME.isdisjoint(fields) or len(fields) != len(head.headers):
        return None
    found = same(octets, fields, most_bytes)
    # If the octets are this request alone, the head is theirs.
    return Known(head, found) if found is not None and found.body(octets) is not None else None
