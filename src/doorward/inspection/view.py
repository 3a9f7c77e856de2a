"""What a guard is shown: one message, its carrier, and the texts in it, walked at most once."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import islice
from typing import Protocol, runtime_checkable

import msgspec

from doorward.domain.calls import Call, Fault
from doorward.domain.findings import Finding
from doorward.inspection.characters import Span, is_plain, is_plain_json, spans
from doorward.inspection.flat import flat
from doorward.inspection.gate import CLOSED, Abreast, Gate, Together, Told
from doorward.inspection.normal import Other, others
from doorward.inspection.normal.gates import WRITINGS
from doorward.inspection.walk import Leaf, leaves

MOST_HIDDEN = 1024
"""Texts with hidden characters that are told of one message: more than any honest one has, and enough to withhold it."""

_ENCODER = msgspec.json.Encoder()

_OF_FEW = 512
"""Bytes for each quote in the JSON text of a message whose texts are few and long."""


class Carrier(StrEnum):
    """What sort of message is looked at."""

    REQUEST = "request"
    RESPONSE = "response"
    NOTICE = "notice"


class View:
    """One message. `encoded` is its JSON text: what a guard searches first, to be spared the walk.

    `flat` is that text with each escape as blanks, byte for byte: what patterns search before anybody walks. Where a pattern matches in a text
    of the message it matches here, too, if it asks for no quote, backslash or line break (a blank stands for these) and not for the text's
    ends; what matches here need not match in any text. `is_plain`: none of the characters that are not seen is in any text, reason or not.
    """

    __slots__ = (
        "_abreast",
        "_hidden",
        "_is_of_few",
        "_known",
        "_leaves",
        "_others",
        "_told",
        "body",
        "call",
        "carrier",
        "encoded",
        "flat",
        "is_plain",
    )

    def __init__(self, carrier: Carrier, call: Call, body: Mapping[str, object]) -> None:
        self.carrier = carrier
        self.call = call
        self.body = body
        self.encoded = encoded = _ENCODER.encode(body)
        self.flat, has_controls = flat(encoded)
        # Of ASCII they are control characters, which are escaped, all but one.
        self.is_plain = not has_controls and b"\x7f" not in encoded if encoded.isascii() else is_plain_json(encoded)
        self._told: Told | None = None
        self._abreast: Abreast | None = None
        self._known: Told | None = None
        self._is_of_few: bool | None = None
        self._leaves: tuple[Leaf, ...] | None = None
        self._others: tuple[tuple[Leaf, Other], ...] | None = None
        self._hidden: tuple[tuple[Leaf, tuple[Span, ...]], ...] | None = None

    @property
    def others(self) -> tuple[tuple[Leaf, Other], ...]:
        """What stands in the texts in another writing (base64, HTML entities and the like), read; raises `WalkError`."""
        if self._others is None:
            self._others = tuple(others(self.leaves)) if self.is_worth_walking(WRITINGS) else ()
        return self._others

    def ask(self, gates: Together) -> Told:
        """Which of some gates are open for this message; none of these is asked again."""
        self._told = gates.told(self.flat)
        return self._told

    def abreast(self, gates: Abreast) -> None:
        """Has some gates of this message, which is long, be asked as one, once one of them is."""
        self._abreast = gates

    def told(self, gate: Gate) -> Sequence[int] | None:
        """Which patterns of a gate may match; None where it was not asked with others."""
        return None if self._told is None else self._told.get(gate, ())

    def may(self, gate: Gate) -> Sequence[int]:
        """Which patterns of a gate may match in this message: nothing where it is closed."""
        if self._told is not None:
            return self._told.get(gate, ())
        if self._known is None:
            self._known = CLOSED if self._abreast is None else self._abreast.told(self.flat)
        known = self._known.get(gate)
        return gate.may(self.flat) if known is None else known

    def is_worth_walking(self, gate: Gate) -> bool:
        """Whether a text may hold what a gate opens for: of a long message of few texts not asked, for each of these says so itself."""
        if self._told is None and self._is_of_few is None:
            self._is_of_few = self.flat.count(b'"') * _OF_FEW <= len(self.flat)
        return self._is_of_few is True or bool(self.may(gate))

    @property
    def hidden(self) -> tuple[tuple[Leaf, tuple[Span, ...]], ...]:
        """The first texts that have characters which are not seen and have no reason, with their places; raises `WalkError`."""
        if self._hidden is None:
            self._hidden = () if self.is_plain else tuple(islice(self._found(), MOST_HIDDEN + 1))
        return self._hidden

    def _found(self) -> Iterator[tuple[Leaf, tuple[Span, ...]]]:
        for leaf in self.leaves:
            places = () if is_plain(leaf[1]) else spans(leaf[1])
            if places:
                yield leaf, places

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        """Every string and key of the body; raises `WalkError`."""
        if self._leaves is None:
            self._leaves = leaves(self.body)
        return self._leaves


class Guard(Protocol):
    """Looks at messages for one sort of thing. Pure: the same view gives the same findings."""

    def look(self, view: View) -> tuple[Finding, ...]:
        """What was found, in the order of the text. An error here refuses the message."""
        ...


@runtime_checkable
class Gated(Protocol):
    """A guard that finds nothing in a message where none of its gates is open, nothing is written otherwise and nothing is hidden."""

    def gates(self, carrier: Carrier) -> Sequence[Gate]:
        """The gates for messages of a sort. INVARIANT: it asks a view (`View.may`, `View.told`) for none but these."""
        ...


def request_body(call: Call) -> dict[str, object]:
    """What of a call is looked at: pointers of its findings begin with `/arguments` or `/extras`."""
    return {"arguments": call.arguments, "extras": call.extras}


def response_body(body: Mapping[str, object] | Fault) -> Mapping[str, object]:
    """What of an answer is looked at: the result, or the fields of a JSON-RPC error."""
    if isinstance(body, Fault):
        return {"code": body.code, "message": body.message, "data": body.data}
    return body
