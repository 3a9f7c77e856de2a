"""The two leaves of a plain call, filled into forms: what is the same from call to call is encoded once.

INVARIANT: a form is made by `Bodies` and by the encoder of every other leaf, with holes in the places of what differs; filled, it is byte
for byte the leaf that they would have made. Whatever is not plain (findings, a grant, draws, what policy read of the context) goes their way.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple, TypeVar

import msgspec

from doorward.audit.leaf import BODY_BYTES, EXACT, Bodies, cut, encoded, lease
from doorward.audit.store import Box
from doorward.domain.calls import Call
from doorward.domain.catalog import Kind, Target
from doorward.domain.receipts import Intent, Outcome

K = TypeVar("K")
V = TypeVar("V")
Key = tuple[object, ...]

MOST = 4096
"""Forms, and leases, that are remembered; where there are more, all are forgotten."""

_LASTING = frozenset({Kind.TOOL, Kind.PROMPT})
"""Kinds whose targets are the same objects from call to call, one for each generation; every other has a target of its own."""

# No text in UTF-8 has these bytes.
_JSON, _HEX, _NUMBER = msgspec.Raw(b"\xff"), msgspec.Raw(b'"\xff"'), msgspec.Raw(b"\xfe")

_encode = msgspec.json.Encoder().encode


class _Form(NamedTuple):
    """A leaf with holes."""

    text: bytes
    """A format of bytes."""
    of: tuple[object, Target]
    """What its key names by identity: kept, so that nothing else can be taken for it."""


class Forms:
    """The leaves of calls, as `Bodies` makes them."""

    __slots__ = ("_bodies", "_leases", "_made", "_same")

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies
        self._made: dict[Key, _Form] = {}
        self._same: dict[Key, _Form] = {}
        """The same ones, by the principal as an object: most calls come from the same few."""
        self._leases: dict[Key, bytes] = {}

    def intent(self, intent: Intent, commitment: str, box: Box | None) -> bytes:
        """The first leaf of a call, as an entry has it; `commitment` to its arguments."""
        call, decision = intent.call, intent.decision
        fields = self._bodies.fields(call.arguments)
        extra = intent.findings or intent.grant or intent.draws or intent.flowed or intent.observed
        if not (extra or decision.would or decision.waiver):
            decided = (type(decision), decision.policies, intent.generation, intent.policy_set)
            key = (id(call.principal), id(call.target), call.method, intent.credential, box is None, not intent.trace, *decided)
            form = self._same.get(key) or self._form(key, call, partial(self._intended, intent, box))
            if form is not None:
                told: tuple[bytes, ...] = (_encode(call.id), commitment.encode(), _encode(fields))
                if box is not None:
                    told += (box.digest.encode(),)
                if intent.trace:
                    told += (_encode(cut(intent.trace)),)
                body = form.text % told
                if len(body) <= BODY_BYTES:
                    return body
        return encoded(self._bodies.intent(intent, {"commitment": commitment, "fields": fields}, box))

    def outcome(self, outcome: Outcome, commitment: str | None, box: Box | None) -> bytes:
        """The second leaf of a call, as an entry has it; `commitment` to the reply, where there is one."""
        call, answer, took = outcome.call, outcome.answer, outcome.milliseconds
        said = outcome.findings or outcome.reason or outcome.detail or outcome.endorsed
        if not (said or answer is None or commitment is None or box is None or not outcome.lease or not 0 <= took < EXACT):
            key = (id(call.principal), id(call.target), outcome.status)
            form = self._same.get(key) or self._form(key, call, partial(self._ended, outcome, box))
            if form is not None:
                told = (_encode(call.id), took, answer.size_bytes, commitment.encode(), box.digest.encode())
                body = form.text % (*told, self._lease(outcome.lease))
                if len(body) <= BODY_BYTES:
                    return body
        return encoded(self._bodies.outcome(outcome, commitment, box))

    def _form(self, key: Key, call: Call, body: Callable[[], dict[str, object]]) -> _Form | None:
        """The form of a key that begins with the principal as an object; None for a target that no other call has."""
        if call.target.kind not in _LASTING:
            return None
        principal = self._bodies.principal(call.principal)
        made = (id(principal), *key[1:])
        form = self._made.get(made)
        if form is None:
            form = _Form(_format(body()), (principal, call.target))
            _remember(self._made, made, form)
        _remember(self._same, key, _Form(form.text, (call.principal, call.target)))
        return form

    def _intended(self, intent: Intent, box: Box | None) -> dict[str, object]:
        body = self._bodies.intent(intent, {"commitment": _HEX, "fields": _JSON}, box)
        return {**body, "trace": _JSON} if intent.trace else body

    def _ended(self, outcome: Outcome, box: Box) -> dict[str, object]:
        body = self._bodies.outcome(outcome, "", box)
        result = body["result"]
        assert isinstance(result, dict)
        return {**body, "result": result | {"ms": _NUMBER, "bytes": _NUMBER, "commitment": _HEX}, "credential": _JSON}

    def _lease(self, told: Mapping[str, str]) -> bytes:
        key = tuple(told.items())
        known = self._leases.get(key)
        if known is None:
            known = _encode(lease(told))
            _remember(self._leases, key, known)
        return known


def _format(body: dict[str, object]) -> bytes:
    """A body as a format, with its call and side record for holes."""
    holes = {"call": _JSON, "side": _HEX} if "side" in body else {"call": _JSON}
    return _encode(body | holes).replace(b"%", b"%%").replace(b"\xff", b"%b").replace(b"\xfe", b"%d")


def _remember(known: dict[K, V], key: K, value: V) -> None:
    if len(known) >= MOST:
        known.clear()
    known[key] = value
