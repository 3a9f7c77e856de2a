"""One request that has passed the edge, and who sent it."""

import re
from dataclasses import dataclass, field

from doorward.domain.actors import Principal
from doorward.domain.calls import Era
from doorward.domain.ids import UpstreamId
from doorward.identity.chain import Presented
from doorward.serving.edge import Takes
from doorward.serving.port import Headers
from doorward.wire.headers import Routing

VERSION = b"mcp-protocol-version"
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(slots=True)
class Passed:
    """What the edge concludes from a head alone, besides the length of the body. (Not frozen: one is made for each head that is not known.)

    INVARIANT: it follows from the head's bytes and from settings that stay, never from who asks, the time, or what has happened.
    """

    fields: dict[bytes, bytes] = field(repr=False)
    """By name; what matters is in there once. Without the length, which may be another one each time."""
    endpoint: UpstreamId | None
    """The upstream of the path; None for all."""
    headers: Headers
    """Of the answer, whatever it is."""
    is_near: bool
    """Whether it asks for this machine, and nobody says to stand between."""
    authorization: str | None = field(repr=False)
    dpop: str | None = field(repr=False)
    certificates: tuple[bytes | None, bytes | None] = field(repr=False)
    """`Client-Cert` and `Client-Cert-Chain`."""
    routing: Routing
    era: Era | None
    """That of the revision which it declares; None where none such is spoken here."""
    takes: Takes
    """What a client of a POST can read."""
    presented: Presented | None = field(default=None, repr=False)
    """What this head presented when it came first on its connection."""
    always: Presented | None = field(default=None, repr=False)
    """The same where it is the same each time on a connection without a certificate: there is no proof in it, and no word of a certificate."""


class Arrival:
    """What the engines of both eras know of a request besides its body."""

    __slots__ = ("headers", "passed", "presented", "principal")

    presented: Presented
    """Set before anybody is asked who that is."""
    principal: Principal
    """Set once that is known; nothing reads it before."""

    def __init__(self, headers: Headers, passed: Passed) -> None:
        self.headers = headers
        """As received, in order."""
        self.passed = passed

    def text(self, name: bytes) -> str | None:
        """A header as text, without white space around it; None if it was not sent."""
        return text_of(self.passed.fields, name)

    def trace(self, declared: object) -> str:
        """The W3C `traceparent`: the one in the message's `_meta`, else the header's, else empty; ill-formed ones count for none."""
        for candidate in (declared, self.text(b"traceparent")):
            if isinstance(candidate, str) and _TRACEPARENT.fullmatch(candidate):
                return candidate
        return ""


def text_of(fields: dict[bytes, bytes], name: bytes) -> str | None:
    """One of the fields as text, without white space around it; None if it is not there."""
    value = fields.get(name)
    return None if value is None else value.decode("latin-1").strip(" \t")
