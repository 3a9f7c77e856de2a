"""What has flowed into the context of an agent: how far it may be trusted, how far it may go, and what of it is in a call."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from doorward.domain.record import record


class Integrity(StrEnum):
    """Whether what is said may have been written by somebody who means harm."""

    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"


class Confidentiality(StrEnum):
    """How far something may go, from anywhere to nowhere but where it is expected."""

    PUBLIC = "public"
    INTERNAL = "internal"
    RESTRICTED = "restricted"

    def is_beyond(self, other: "Confidentiality") -> bool:
        """Whether it may go less far than the other."""
        return _FAR[self] > _FAR[other]


_FAR = {one: place for place, one in enumerate(Confidentiality)}


@dataclass(frozen=True, slots=True)
class Label:
    """Integrity and confidentiality of something; `categories` say of what sort the restricted in it is (`customer`, `health`)."""

    integrity: Integrity = Integrity.TRUSTED
    confidentiality: Confidentiality = Confidentiality.PUBLIC
    categories: frozenset[str] = frozenset()

    def joined(self, other: "Label") -> "Label":
        """What holds of both together: untrusted if either is, as confidential as the more confidential one."""
        if other is self or other == self:
            return self
        return Label(
            Integrity.UNTRUSTED if Integrity.UNTRUSTED in (self.integrity, other.integrity) else Integrity.TRUSTED,
            other.confidentiality if other.confidentiality.is_beyond(self.confidentiality) else self.confidentiality,
            self.categories | other.categories,
        )


CLEAN = Label()
"""Of a context into which nothing has flowed: the least of all labels."""


@dataclass(frozen=True, slots=True)
class Taint:
    """A text among a call's arguments that stood in something untrusted before: its JSON pointer, and the upstream it came from."""

    pointer: str
    source: str
    """Empty where it is not known any more whether, and from where: then every text counts that could be a destination."""
    is_prose: bool = False
    """Whether it is a text to be read, such as the body of a page, and so says nothing of where the call goes."""


@dataclass(frozen=True, slots=True)
class Flow:
    """What policy may know of the context that a call comes from: the authenticated instance's (RULINGS 8), before the call."""

    label: Label = CLEAN
    """What may be in the call: the context's label, but for what a named rule says that this call cannot carry."""
    tainted: tuple[Taint, ...] = ()
    """Worked out only for policies that read it."""
    calls: int = 0
    """Calls forwarded for it since the context began."""
    writes: int = 0
    """Of these, how many may have changed something."""
    externals: int = 0
    """Of these, how many reached somewhere outside."""
    findings: frozenset[str] = frozenset()
    """What has been found in what it was given, as `guard/rule`."""
    is_too_confidential: bool = False
    """Whether the context holds what the target says it does not take."""
    is_too_untrusted: bool = False
    """Whether the context has taken in what the target says it must not be led by."""
    declassified: tuple[str, ...] = ()
    """The named rules by which `label` is less confidential than the context: for the log."""


UNMOVED = Flow()
"""Of a context that nothing has flowed into yet."""


class Counts(NamedTuple):
    """The counters of one context, as they stand after a call."""

    context: int
    calls: int
    writes: int
    externals: int
    at: int
    """Of its last call, Unix seconds."""
    tick: int
    """A higher one of the same context is a later one, whichever is written first."""


@dataclass(frozen=True, slots=True)
class Held:
    """What of a context outlives the process, besides its counters. A higher `version` of one context is a later one."""

    context: int
    instance: str
    """Whose it is; empty for what is left of contexts of the agent for which there was no room."""
    agent: str
    label: Label
    findings: frozenset[str]
    began: int
    at: int
    """Of its first call, and of its last one when this was written; Unix seconds."""
    version: int


class Rise(NamedTuple):
    """What a call does to its context, written in the transaction of its intent (or outcome), whole or not at all."""

    counts: Counts
    held: tuple[Held, ...] = ()
    """Labels and findings, of contexts for which the store may not have them yet."""
    gone: tuple[int, ...] = ()
    """Contexts that made room; what was in them is in one of `held`."""


@record(frozen=True, slots=True)
class Risen:
    """What several rises come to, in whichever order they were made: the latest of each context, and which are no more."""

    counts: tuple[Counts, ...]
    held: tuple[Held, ...] = ()
    gone: frozenset[int] = frozenset()


def latest(rises: Iterable[Rise]) -> Risen:
    """The rises of one transaction together."""
    counts: dict[int, Counts] = {}
    beyond: list[Rise] = []
    for rise in rises:
        count, holds, lost = rise
        known = counts.get(count.context)
        if known is None or known.tick < count.tick:
            counts[count.context] = count
        if holds or lost:
            beyond.append(rise)
    if not beyond:
        # As in most transactions.
        return Risen(tuple(counts.values()))
    return Risen(tuple(counts.values()), _latest_held(beyond), frozenset([one for rise in beyond for one in rise.gone]))


def _latest_held(rises: Iterable[Rise]) -> tuple[Held, ...]:
    held: dict[int, Held] = {}
    for one in [one for rise in rises for one in rise.held]:
        last = held.get(one.context)
        if last is None or last.version < one.version:
            held[one.context] = one
    return tuple(held.values())
