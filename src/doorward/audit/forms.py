"""The two leaves of a plain call, filled into forms: what is the same from call to call is encoded once.

INVARIANT: a form is made by `Bodies` and by the encoder of every other leaf, with holes in the places of what differs; filled, it is byte
for byte the leaf that they would have made. Whatever is not plain (findings, a grant, draws, what policy read of the context) goes their way.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple, TypeVar

import msgspec

from doorward.audit.leaf import BODY_BYTES, EXACT, Bodies, cut, encoded, lease
from doorward.audit.sides import Said
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

_NO_EXTRA = ((), None, (), None, None, None, None)
"""What a plain intent has of findings, a grant, draws, what was read of its context or observed, and of its decision's would and waiver."""
_PLAIN = ((), None, "", "")
"""What a plain outcome has of findings, a reason, a detail, and a rule that endorsed its answer."""

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

    def intent(self, intent: Intent, said: Said) -> bytes:
        """The first leaf of a call, as an entry has it; `said` of its arguments."""
        call, decision, box = intent.call, intent.decision, said.box
        fields = self._bodies.fields(call.arguments)
        extra = (intent.findings, intent.grant, intent.draws, intent.flowed, intent.observed, decision.would, decision.waiver)
        if extra == _NO_EXTRA:
            key = (
                id(call.principal),
                id(call.target),
                call.method,
                intent.credential,
                box is None,
                not intent.trace,
                type(decision),
                decision.policies,
                intent.generation,
                intent.policy_set,
            )
            form = self._same.get(key) or self._form(key, call, partial(self._intended, intent, box))
            told: tuple[bytes, ...] = (_encode(call.id), said.commitment.encode(), _encode(fields))
            if box is not None:
                told += (said.side.encode(),)
            if intent.trace:
                told += (_encode(cut(intent.trace)),)
            body = form.text % told
            if len(body) <= BODY_BYTES:
                return body
        return encoded(self._bodies.intent(intent, {"commitment": said.commitment, "fields": fields}, box))

    def outcome(self, outcome: Outcome, said: Said | None) -> bytes:
        """The second leaf of a call, as an entry has it; `said` of the reply, where there is one."""
        call, answer, took = outcome.call, outcome.answer, outcome.milliseconds
        is_plain = (outcome.findings, outcome.reason, outcome.detail, outcome.endorsed) == _PLAIN and outcome.lease and 0 <= took < EXACT
        if is_plain and answer is not None and said is not None and said.box is not None:
            key = (id(call.principal), id(call.target), outcome.status)
            form = self._same.get(key) or self._form(key, call, partial(self._ended, outcome, said.box))
            told = (_encode(call.id), took, answer.size_bytes, said.commitment.encode(), said.side.encode(), self._lease(outcome.lease))
            body = form.text % told
            if len(body) <= BODY_BYTES:
                return body
        commitment, box = (None, None) if said is None else (said.commitment, said.box)
        return encoded(self._bodies.outcome(outcome, commitment, box))

    def _form(self, key: Key, call: Call, body: Callable[[], dict[str, object]]) -> _Form:
        """The form of a key that begins with the principal as an object; of a target that no other call has, it is not remembered."""
        if call.target.kind not in _LASTING:
            return _Form(_format(body()), (call.principal, call.target))
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
