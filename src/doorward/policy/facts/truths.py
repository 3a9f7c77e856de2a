"""Questions about an argument with yes or no for an answer: does it match a pattern, is it one of a list."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import msgspec
import re2

from doorward.policy.facts.kind import text
from doorward.policy.shapes import Field, Fields, Shape, Text, Truth, Whole

_ALL_AND_ANY = Fields({"all": Field(Truth(), required=True), "any": Field(Truth(), required=True)}, {})


def _all_and_any(truths: Sequence[bool]) -> dict[str, object]:
    return {"all": all(truths), "any": any(truths)}


@dataclass(frozen=True, slots=True)
class Match:
    """Whether the whole of a text matches a pattern of RE2, whose time is linear in the text."""

    pattern: str
    word: str = "match"
    _compiled: "re2._Regexp" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raises `re2.error` for what is no pattern."""
        options = re2.Options()
        options.log_errors = False
        object.__setattr__(self, "_compiled", re2.compile(self.pattern, options))

    @property
    def takes(self) -> tuple[type, ...]:
        """Text."""
        return (Text,)

    @property
    def options(self) -> tuple[object, ...]:
        """The pattern."""
        return (self.pattern,)

    @property
    def shape(self) -> Shape:
        """True or false."""
        return Truth()

    @property
    def shape_of_many(self) -> Shape:
        """Whether all match, and whether any does."""
        return _ALL_AND_ANY

    def one(self, value: object) -> bool:
        """Whether it matches."""
        return self._compiled.fullmatch(text(value)) is not None

    def many(self, values: Sequence[object]) -> dict[str, object]:
        """Whether all match, and whether any does."""
        return _all_and_any([self.one(value) for value in values])


class Member(msgspec.Struct, frozen=True):
    """Whether a text or whole number is one of a list, letter by letter."""

    values: frozenset[str]
    word: str = "member"

    @property
    def takes(self) -> tuple[type, ...]:
        """Text and whole numbers."""
        return (Text, Whole)

    @property
    def options(self) -> tuple[object, ...]:
        """The digest of the list."""
        return (sha256("\0".join(sorted(self.values)).encode()).hexdigest(),)

    @property
    def shape(self) -> Shape:
        """True or false."""
        return Truth()

    @property
    def shape_of_many(self) -> Shape:
        """Whether all are, and whether any is."""
        return _ALL_AND_ANY

    def one(self, value: object) -> bool:
        """Whether it is in the list."""
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**64:
            return str(value) in self.values
        return text(value) in self.values

    def many(self, values: Sequence[object]) -> dict[str, object]:
        """Whether all are in the list, and whether any is."""
        return _all_and_any([self.one(value) for value in values])
