"""Multi round-trip requests (MCP 2026-07-28, patterns/mrtr): an upstream's state travels sealed, bound to who asked what."""

from collections.abc import Callable, Mapping

from doorward.call.inbound import Inbound
from doorward.domain.catalog import Target
from doorward.domain.reasons import Reason, Refused
from doorward.wire.canonical import canonical
from doorward.wire.jsonrpc import Limits, dump, parse_value
from doorward.wire.sealed import Seal

LIFE_SECONDS = 600
"""How long a client may take to answer: ten minutes, as the official SDK does."""

_LIMITS = Limits()


class Rounds:
    """Seals the state of an unfinished call on its way out, and opens it when the retry brings it back."""

    __slots__ = ("_nonce", "_now", "_seal")

    def __init__(self, seal: Seal, now: Callable[[], float], nonce: Callable[[], bytes]) -> None:
        self._seal = seal
        self._now = now
        self._nonce = nonce

    def sealed(self, inbound: Inbound, target: Target, arguments: Mapping[str, object], state: object) -> str:
        """The request state as the client may hold it: unreadable, bound to principal, endpoint, target and arguments, expiring."""
        plain = dump({"state": state, "until": int(self._now()) + LIFE_SECONDS})
        return self._seal.seal(plain, _context(inbound, target, arguments), self._nonce())

    def opened(self, inbound: Inbound, target: Target, arguments: Mapping[str, object], sealed: object) -> dict[str, object]:
        """The upstream's own state as the extras of the retry, empty where it gave none; raises `Refused` INVALID_PARAMS."""
        plain = self._seal.open(sealed, _context(inbound, target, arguments)) if isinstance(sealed, str) else None
        if plain is None:
            raise _refused("the request state does not open for this caller and call")
        held = parse_value(plain, _LIMITS)
        assert isinstance(held, dict)
        if held["until"] < self._now():
            raise _refused("the request state has expired")
        return {} if held["state"] is None else {"requestState": held["state"]}


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
