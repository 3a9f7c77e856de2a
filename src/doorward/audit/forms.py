"""The two leaves of a plain call, filled into forms: what is the same from call to call is encoded once.

INVARIANT: a form is made by `Bodies` and by the encoder of every other leaf, with holes in the places of what differs; filled, it is byte
for byte the leaf that they would have made. Whatever is not plain (findings, a grant, draws, what policy read of the context) goes their way.
"""

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

import msgspec

from doorward.audit.leaf import BODY_BYTES, Bodies, cut, encoded, exact, lease
from doorward.audit.store import Box
from doorward.domain.catalog import Kind, Target
from doorward.domain.receipts import Intent, Outcome

K = TypeVar("K")
V = TypeVar("V")

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

    __slots__ = ("_bodies", "_intents", "_leases", "_outcomes")

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies
        self._intents: dict[tuple[object, ...], _Form] = {}
        self._outcomes: dict[tuple[object, ...], _Form] = {}
        self._leases: dict[tuple[str, ...], bytes] = {}

    def intent(self, intent: Intent, commitment: str, box: Box | None) -> bytes:
        """The first leaf of a call; `commitment` to its arguments."""
        call = intent.call
        fields = self._bodies.fields(call.arguments)
        if _is_plain_intent(intent):
            form = self._intent_form(intent, box)
            told = [_encode(call.id), commitment.encode(), _encode(fields)]
            if box is not None:
                told.append(box.digest.encode())
            if intent.trace:
                told.append(_encode(cut(intent.trace)))
            body = form % tuple(told)
            if len(body) <= BODY_BYTES:
                return body
        return encoded(self._bodies.intent(intent, {"commitment": commitment, "fields": fields}, box))

    def outcome(self, outcome: Outcome, commitment: str | None, box: Box | None) -> bytes:
        """The second leaf of a call; `commitment` to the reply, where there is one."""
        answer = outcome.answer
        if _is_plain_outcome(outcome) and answer is not None and commitment is not None and box is not None:
            form = self._outcome_form(outcome, box)
            told = (_encode(outcome.call.id), exact(outcome.milliseconds), answer.size_bytes, commitment.encode(), box.digest.encode())
            body = form % (*told, self._lease(outcome.lease))
            if len(body) <= BODY_BYTES:
                return body
        return encoded(self._bodies.outcome(outcome, commitment, box))

    def _intent_form(self, intent: Intent, box: Box | None) -> bytes:
        call, decision = intent.call, intent.decision
        principal = self._bodies.principal(call.principal)
        decided = (type(decision), decision.policies, intent.generation, intent.policy_set)
        key = (id(principal), id(call.target), call.method, intent.credential, box is None, not intent.trace, *decided)
        form = self._intents.get(key)
        if form is None:
            body = self._bodies.intent(intent, {"commitment": _HEX, "fields": _JSON}, box)
            if intent.trace:
                body["trace"] = _JSON
            form = _Form(_format(body), (principal, call.target))
            _remember(self._intents, key, form)
        return form.text

    def _outcome_form(self, outcome: Outcome, box: Box) -> bytes:
        call = outcome.call
        principal = self._bodies.principal(call.principal)
        key = (id(principal), id(call.target), outcome.status)
        form = self._outcomes.get(key)
        if form is None:
            body = self._bodies.outcome(outcome, "", box)
            result = body["result"]
            assert isinstance(result, dict)
            body["result"] = result | {"ms": _NUMBER, "bytes": _NUMBER, "commitment": _HEX}
            body["credential"] = _JSON
            form = _Form(_format(body), (principal, call.target))
            _remember(self._outcomes, key, form)
        return form.text

    def _lease(self, told: Mapping[str, str]) -> bytes:
        key = (*told, *told.values())
        known = self._leases.get(key)
        if known is None:
            known = _encode(lease(told))
            _remember(self._leases, key, known)
        return known


def _is_plain_intent(intent: Intent) -> bool:
    decision = intent.decision
    extra = intent.findings or intent.grant or intent.draws or intent.flowed or intent.observed
    return not (extra or decision.would or decision.waiver) and intent.call.target.kind in _LASTING


def _is_plain_outcome(outcome: Outcome) -> bool:
    extra = outcome.findings or outcome.reason or outcome.detail or outcome.endorsed
    return bool(not extra and outcome.lease) and outcome.call.target.kind in _LASTING


def _format(body: dict[str, object]) -> bytes:
    """A body as a format, with its call and side record for holes."""
    holes = {"call": _JSON, "side": _HEX} if "side" in body else {"call": _JSON}
    return _encode(body | holes).replace(b"%", b"%%").replace(b"\xff", b"%b").replace(b"\xfe", b"%d")


def _remember(known: dict[K, V], key: K, value: V) -> None:
    if len(known) >= MOST:
        known.clear()
    known[key] = value
