"""What an upstream's failure is called, and whether the call may have run: one sentence for agents, one detail for operators."""

from doorward.domain.clipping import clipped
from doorward.domain.errors import DoorwardError
from doorward.domain.ids import UpstreamId
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.net.connection import Response
from doorward.net.errors import LATE, NetError, Trouble
from doorward.upstream.circuit import Blame

_ENDS = {Ran.NO: "the call was not made", Ran.MAYBE: "the call may have run", Ran.YES: "the call ran"}

_WORDS = 200
"""Characters of what an upstream says that are kept."""

_UNTOUCHED = frozenset({301, 307, 308, 400, 401, 403, 404, 405, 406, 410, 411, 413, 414, 415, 421, 426, 429, 431})
"""HTTP statuses that say that the request was turned away at the door, or is to be made elsewhere.

302 and 303 are none: servers answer so where something was done, and its result is to be looked at (RFC 9110 §15.4.4).
"""


UNACCEPTED = frozenset({401, 403})
"""HTTP statuses that say that the credential will not do; whatever else such an answer holds is not looked at."""

_CHALLENGE = 2048
"""Bytes of a challenge that are kept."""

_OURS = frozenset({Trouble.BUSY, Trouble.REQUEST, Trouble.SHUT})
"""Failures of our side, which say nothing of the upstream."""

_OF_UPSTREAMS = frozenset({Reason.UPSTREAM_UNREACHABLE, Reason.UPSTREAM_TIMEOUT, Reason.UPSTREAM_BROKEN})
"""Refusals that tell of an upstream; any other is ours, such as a credential that is not there."""


_CAUSES = 8
"""How far back a cause is looked for."""


class MistakenError(DoorwardError):
    """The upstream turned a request away because it speaks another era or version than assumed; nothing ran."""


def _refused(reason: Reason, upstream: UpstreamId, what: str, detail: str, ran: Ran) -> Refused:
    return Refused(reason, clipped(detail, 500), sentence=f"The upstream `{upstream}` {what}; {_ENDS[ran]}.", ran=ran)


def having_said(refused: Refused, words: str) -> Refused:
    """The refusal with what the upstream said about it, in its own words."""
    refused.said = clipped(words, _WORDS)
    return refused


def told(refused: Refused) -> str:
    """A refusal for operators: why, and what the upstream said."""
    return f"{refused.detail}; it last said: {refused.said!r}" if refused.said else refused.detail


def unreachable(upstream: UpstreamId, detail: str) -> Refused:
    """Not one byte of the request was sent."""
    return _refused(Reason.UPSTREAM_UNREACHABLE, upstream, "could not be reached", detail, Ran.NO)


def late(upstream: UpstreamId, detail: str, ran: Ran = Ran.MAYBE) -> Refused:
    """No whole answer within a time-out."""
    return _refused(Reason.UPSTREAM_TIMEOUT, upstream, "did not answer in time", detail, ran)


def broken(upstream: UpstreamId, detail: str, ran: Ran = Ran.MAYBE) -> Refused:
    """What came back is no answer to this request."""
    return _refused(Reason.UPSTREAM_BROKEN, upstream, "gave a broken answer", detail, ran)


def cut(upstream: UpstreamId, detail: str, ran: Ran = Ran.MAYBE) -> Refused:
    """The connection or process ended before the answer did."""
    return _refused(Reason.UPSTREAM_BROKEN, upstream, "broke off", detail, ran)


def turned_away(upstream: UpstreamId, status: int, detail: str = "") -> Refused:
    """An HTTP status other than 200, without a JSON-RPC error that could be passed on."""
    if status < 300:
        return broken(upstream, f"http status {status} without an answer")
    ran = Ran.NO if status in _UNTOUCHED else Ran.MAYBE
    return _refused(Reason.UPSTREAM_BROKEN, upstream, f"turned the request away (HTTP {status})", detail or f"http status {status}", ran)


def turned_down(upstream: UpstreamId, status: int, challenge: bytes) -> Refused:
    """401 or 403: the credential will not do; `challenge` is the `WWW-Authenticate` of the answer, or empty."""
    what = "does not accept the gateway's credential" if status == 401 else "does not allow this with the credential it was shown"
    refused = _refused(Reason.CREDENTIAL_REFUSED, upstream, what, f"http status {status}", Ran.NO)
    refused.challenge = challenge[:_CHALLENGE].decode("latin-1")
    return refused


def of_status(upstream: UpstreamId, response: Response) -> Refused:
    """The refusal behind an HTTP status without an answer in it."""
    if response.status in UNACCEPTED:
        return turned_down(upstream, response.status, response.headers.get(b"www-authenticate", b""))
    return turned_away(upstream, response.status)


def of_net(upstream: UpstreamId, error: NetError) -> Refused:
    """The refusal for an exchange that did not come to its end."""
    detail = f"{error.trouble}: {error}"
    if error.ran is Ran.NO:
        return unreachable(upstream, detail)
    if error.trouble in LATE:
        return late(upstream, detail, error.ran)
    if error.trouble in {Trouble.CLOSED, Trouble.SHUT}:
        return cut(upstream, detail, error.ran)
    return broken(upstream, detail, error.ran)


def before_call(upstream: UpstreamId, error: NetError | Refused) -> Refused:
    """The refusal of a call for what failed before it was sent: a probe, an `initialize`, a start."""
    if isinstance(error, NetError):
        return unreachable(upstream, f"{error.trouble}: {error}")
    return error if error.ran is Ran.NO else having_said(unreachable(upstream, error.detail), error.said)


def sent_in_vain(upstream: UpstreamId, error: NetError | Refused) -> Refused:
    """The refusal of a call that was turned away once and could not be sent again: it did not run, but bytes of it were sent."""
    refused = before_call(upstream, error)
    return having_said(broken(upstream, f"it was turned away, and then: {refused.detail}", Ran.NO), refused.said)


def is_unsent(error: NetError | Refused) -> bool:
    """Whether not one byte of the call was sent, so that it may be sent elsewhere."""
    return error.ran is Ran.NO and (isinstance(error, NetError) or error.reason is Reason.UPSTREAM_UNREACHABLE)


def blame(error: NetError | Refused) -> Blame:
    """Whose failure it was, as far as it tells."""
    is_ours = isinstance(error, Refused) and error.reason not in _OF_UPSTREAMS
    if is_ours or _trouble(error) in _OURS:
        return Blame.NOBODY
    return Blame.ADDRESS if is_unsent(error) else Blame.CALL


def _trouble(error: BaseException) -> Trouble | None:
    """What went wrong on the way, if that is what is behind it. (A refusal that was raised again may name itself as its cause.)"""
    cause: BaseException | None = error
    for _ in range(_CAUSES):
        if isinstance(cause, NetError):
            return cause.trouble
        cause = None if cause is None else cause.__cause__
    return None
