"""Multi round-trip requests (MCP 2026-07-28, patterns/mrtr): what a retry needs travels sealed, bound to who asked what.

That is an upstream's own state, and where people must say yes in the middle of such an exchange also what the client had answered
before: it answers only what it was asked last, and the call must be the same one, byte for byte, when it comes again.
"""

from collections.abc import Callable, Mapping
from enum import Enum, auto

import msgspec

from doorward.call.inbound import Inbound
from doorward.domain.calls import Call
from doorward.domain.catalog import Target
from doorward.domain.ids import GrantId
from doorward.domain.reasons import Reason, Refused
from doorward.wire.canonical import canonical
from doorward.wire.jsonrpc import Limits, dump, parse_value
from doorward.wire.sealed import Seal

LIFE_SECONDS = 600
"""How long a client may take to answer: ten minutes, as the official SDK does."""

MOST_BYTES = 256 * 1024
"""Of what a client is given to keep of a call that waits for approval."""

APPROVAL_KEY, CONNECT_KEY = "dev.doorward/approval", "dev.doorward/connect"
"""The names of our own requests for input: what is answered to them is for us, and goes no further."""

UNCONNECTED = GrantId("")
"""Waited for in the place of an approval: that a person connects an account."""

STATE, RESPONSES = "requestState", "inputResponses"
"""The fields of `params` that a retry carries."""

_STATE, _UNTIL, _RESPONSES, _WAITS = "state", "until", "responses", "waits"
"""What a sealed state holds: the upstream's own, its end, and of a call that waits for approval what was answered before, and the question."""

_LIMITS = Limits()


class Heard(Enum):
    """What a client says to our own request for input."""

    NOTHING = auto()
    """It was not asked: this is no retry of a call that waited for approval."""
    GOES_ON = auto()
    """It comes again, to see whether there is an answer by now."""
    CONNECTS = auto()
    """It comes again after it was shown where to connect an account."""
    GIVES_UP = auto()
    """It declined, or closed what it was shown."""


class Round(msgspec.Struct, frozen=True):
    """What a request brings along from earlier rounds."""

    extras: Mapping[str, object] = msgspec.field(default_factory=dict)
    """What of it goes upstream, as it was when the upstream asked for it."""
    heard: Heard = Heard.NOTHING
    approval: str = ""
    """The question that it waits for; `UNCONNECTED` where that is an account."""


_FIRST = Round()


class Rounds:
    """Seals the state of an unfinished call on its way out, and opens it when the retry brings it back."""

    __slots__ = ("_nonce", "_now", "_seal")

    def __init__(self, seal: Seal, now: Callable[[], float], nonce: Callable[[], bytes]) -> None:
        self._seal = seal
        self._now = now
        self._nonce = nonce

    def sealed(self, inbound: Inbound, target: Target, arguments: Mapping[str, object], state: object) -> str:
        """The request state as the client may hold it: unreadable, bound to principal, endpoint, target and arguments, expiring."""
        plain = dump({_STATE: state, _UNTIL: int(self._now()) + LIFE_SECONDS})
        return self._seal.seal(plain, _context(inbound, target, arguments), self._nonce())

    def waiting(self, inbound: Inbound, call: Call, approval: GrantId, seconds: float) -> str | None:
        """The request state of a call that waits for approval, or for an account: all that was brought along so far, for so many seconds.

        None where that is too much for a client to be given to keep.
        """
        held = {_STATE: call.extras.get(STATE), _UNTIL: int(self._now() + seconds), _WAITS: approval}
        if RESPONSES in call.extras:
            held[_RESPONSES] = call.extras[RESPONSES]
        plain = dump(held)
        return self._seal.seal(plain, _context(inbound, call.target, call.arguments), self._nonce()) if len(plain) <= MOST_BYTES else None

    def brought(self, inbound: Inbound, target: Target, arguments: Mapping[str, object]) -> Round:
        """What a request brings along from earlier rounds; raises `Refused` INVALID_PARAMS for a state that is not ours to this call."""
        params = inbound.request.params
        state = params.get(STATE)
        if state is None:
            return Round(_answered(params, {})) if RESPONSES in params else _FIRST
        held = self._opened(inbound, target, arguments, state)
        extras = _answered(params, held)
        if held[_STATE] is not None:
            extras[STATE] = held[_STATE]
        waits = held.get(_WAITS)
        return Round(extras, _heard(params.get(RESPONSES), waits), waits) if isinstance(waits, str) else Round(extras)

    def _opened(self, inbound: Inbound, target: Target, arguments: Mapping[str, object], sealed: object) -> dict[str, object]:
        plain = self._seal.open(sealed, _context(inbound, target, arguments)) if isinstance(sealed, str) else None
        if plain is None:
            raise _refused("the request state does not open for this caller and call")
        held = parse_value(plain, _LIMITS)
        assert isinstance(held, dict)
        if held[_UNTIL] < self._now():
            raise _refused("the request state has expired")
        return held


def _answered(params: Mapping[str, object], held: Mapping[str, object]) -> dict[str, object]:
    """The client's answers as they go upstream: those it gave before with those it gives now, and none that is for us."""
    earlier = {RESPONSES: held[_RESPONSES]} if _RESPONSES in held else {}
    responses = params.get(RESPONSES)
    if not isinstance(responses, Mapping):
        # What is no object is for the upstream to judge.
        return {RESPONSES: responses} if RESPONSES in params else earlier
    now = {key: value for key, value in responses.items() if key not in (APPROVAL_KEY, CONNECT_KEY)}
    if not now and (_WAITS in held or responses):
        return earlier
    before = held.get(_RESPONSES)
    return {RESPONSES: {**before, **now} if isinstance(before, Mapping) else now}


def _heard(responses: object, waits: str) -> Heard:
    key, going_on = (CONNECT_KEY, Heard.CONNECTS) if waits == UNCONNECTED else (APPROVAL_KEY, Heard.GOES_ON)
    answer = responses.get(key) if isinstance(responses, Mapping) else None
    # Without an answer it may still ask again (patterns/mrtr); whatever is no yes is none.
    is_over = answer is not None and not (isinstance(answer, Mapping) and answer.get("action") == "accept")
    return Heard.GIVES_UP if is_over else going_on


def _context(inbound: Inbound, target: Target, arguments: Mapping[str, object]) -> bytes:
    return canonical(
        [
            "request-state",
            inbound.principal.id,
            inbound.endpoint,
            target.upstream,
            inbound.request.method,
            target.name,
            target.definition,
            arguments,
        ]
    )


def _refused(detail: str) -> Refused:
    return Refused(Reason.INVALID_PARAMS, detail, sentence="The request state is not valid here; start the call again without it.")
