"""What has flowed into the context of an agent: how far it may be trusted, how far it may go, and what of it is in a call."""

from dataclasses import dataclass
from enum import StrEnum


class Integrity(StrEnum):
    """Whether what is said may have been written by somebody who means harm."""

    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"


class Confidentiality(StrEnum):
    """How far something may go, from anywhere to nowhere but where it is expected."""

    PUBLIC = "public"
    INTERNAL = "internal"
    RESTRICTED = "restricted"


_FAR = tuple(Confidentiality)


@dataclass(frozen=True, slots=True)
class Label:
    """Integrity and confidentiality of something; `categories` say of what sort the restricted in it is (`customer`, `health`)."""

    integrity: Integrity = Integrity.TRUSTED
    confidentiality: Confidentiality = Confidentiality.PUBLIC
    categories: frozenset[str] = frozenset()

    def joined(self, other: "Label") -> "Label":
        """What holds of both together: untrusted if either is, as confidential as the more confidential one."""
        if other == self:
            return self
        return Label(
            Integrity.UNTRUSTED if Integrity.UNTRUSTED in (self.integrity, other.integrity) else Integrity.TRUSTED,
            max(self.confidentiality, other.confidentiality, key=_FAR.index),
            self.categories | other.categories,
        )


CLEAN = Label()
"""Of a context into which nothing has flowed: the least of all labels."""


@dataclass(frozen=True, slots=True)
class Taint:
    """A text among a call's arguments that stood in something untrusted before: its JSON pointer, and the upstream it came from."""

    pointer: str
    source: str


@dataclass(frozen=True, slots=True)
class Flow:
    """What policy may know of the context that a call comes from: the authenticated instance's (RULINGS 8), before the call."""

    label: Label = CLEAN
    tainted: tuple[Taint, ...] = ()
    calls: int = 0
    """Calls forwarded for it since the context began."""
    writes: int = 0
    """Of these, how many may have changed something."""
    externals: int = 0
    """Of these, how many reached somewhere outside."""
    findings: frozenset[str] = frozenset()
    """Guards that have found something in what it was given, as `guard/rule`."""


UNMOVED = Flow()
"""Of a context that nothing has flowed into yet."""
