"""One request that has passed the edge, and who sent it."""

import re
from dataclasses import dataclass, field

from doorward.domain.actors import Principal
from doorward.domain.ids import UpstreamId
from doorward.identity.chain import Presented
from doorward.serving.port import Connection, Headers

_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(slots=True)
class Passed:
    """What the edge concludes from a head alone."""


@dataclass(slots=True)
class Arrival:
    """What the engines of both eras know of a request besides its body. (Not frozen: one is made on each request.)"""

    headers: Headers = field(repr=False)
    """As received, in order."""
    fields: dict[bytes, bytes] = field(repr=False)
    """By name; what matters is in there once."""
    endpoint: UpstreamId | None
    connection: Connection
    presented: Presented
    principal: Principal

    def text(self, name: bytes) -> str | None:
        """A header as text, without white space around it; None if it was not sent."""
        value = self.fields.get(name)
        return None if value is None else value.decode("latin-1").strip(" \t")

    def trace(self, declared: object) -> str:
        """The W3C `traceparent`: the one in the message's `_meta`, else the header's, else empty; ill-formed ones count for none."""
        for candidate in (declared, self.text(b"traceparent")):
            if isinstance(candidate, str) and _TRACEPARENT.fullmatch(candidate):
                return candidate
        return ""
