"""A call: who wants what with which arguments, in bytes that are decided on and sent."""

from collections.abc import Mapping
from enum import StrEnum

from doorward.domain.actors import Principal
from doorward.domain.catalog import Target
from doorward.domain.ids import CallId, Digest, SessionId
from doorward.domain.record import record


class Era(StrEnum):
    """A family of protocol revisions: with `initialize` and sessions, or one exchange per request."""

    SESSION = "session"
    EXCHANGE = "exchange"


@record(frozen=True, slots=True)
class Call:
    """One governed message. INVARIANT: `digest` is the SHA-256 of `canonical`, which holds method, target name, arguments and extras."""

    id: CallId
    principal: Principal
    target: Target
    method: str
    """The MCP method, such as `tools/call`."""
    arguments: Mapping[str, object]
    """What policy reads: a tool's or prompt's arguments, `{"uri": …}` of a resource, a completion's `ref` and `argument`."""
    extras: Mapping[str, object]
    """Every other field of `params` that goes upstream (input responses, opened request state, unknown fields)."""
    canonical: bytes
    digest: Digest
    session: SessionId | None = None
    """The session-era session it came in; what is decided on does not depend on it."""


@record(frozen=True, slots=True)
class Notice:
    """A notification on its way from an upstream to the caller (progress or log message)."""

    method: str
    params: Mapping[str, object]


@record(frozen=True, slots=True)
class Fault:
    """A JSON-RPC error as an upstream gave it."""

    code: int
    message: str
    data: object = None


@record(frozen=True, slots=True)
class Answer:
    """What an upstream said to a call, before anybody has looked at it."""

    body: Mapping[str, object] | Fault
    size_bytes: int


@record(frozen=True, slots=True)
class Reply:
    """What the caller may see: an answer that has been inspected."""

    body: Mapping[str, object] | Fault
    is_edited: bool = False
    """Whether it answers other arguments than the caller's: those that an approver put in their place."""
    left: tuple[Mapping[str, int | str], ...] = ()
    """What is left of each limit that concerns the call (`wire/limits.py` says how it is told)."""
    labels: tuple[Mapping[str, str], ...] = ()
    """What was found in it and passed marked (`inspection/labels.py` says how it is told)."""
    withheld: tuple[Mapping[str, str], ...] = ()
    """Where something else than a mask stands in the place of a value (`inspection/fitted.py`)."""
