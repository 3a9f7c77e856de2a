"""Many patterns asked in one pass over a text: which of them may match. Never silent: where RE2 gives up, all of them may."""

from collections.abc import Iterable, Sequence

import re2


class Probe:
    """One pattern, of which only is asked whether it matches; it stops where it does, and never gives up."""

    __slots__ = ("_match",)

    def __init__(self, pattern: "re2._Regexp") -> None:
        # What `search` makes of a text and of a match takes longer than looking for one in a short text does.
        self._match = pattern._regexp.Match  # noqa: SLF001 -- the binding shows it nowhere else

    def may(self, text: bytes) -> Sequence[int]:
        """The place of the pattern, which is the first, if it matches somewhere in a text."""
        return _FIRST if self._match(_ANYWHERE, text, 0, len(text))[0][0] >= 0 else ()


_ANYWHERE = re2._Anchor.UNANCHORED  # noqa: SLF001 -- as above
_FIRST = (0,)


class Row:
    """Patterns asked in one call, each with an automaton of its own: none multiplies the states of another, and none ever gives up."""

    __slots__ = ("_match",)

    def __init__(self, patterns: Iterable[tuple[bytes, re2.Options]]) -> None:
        """Raises `re2.error` for patterns that RE2 cannot read."""
        row = re2.Filter()
        # Each matches an empty text, too, and so needs no letters: of those that do, RE2 would look for the letters first.
        count = len([row.Add(b"(?:" + pattern + rb")|\A\z", options) for pattern, options in patterns])
        row.Compile()
        self._match = row._filter.Match  # noqa: SLF001 -- for the same reason as a probe's
        if self._match(b"", True) != list(range(count)):
            raise re2.error("expected patterns of which each is tried on every text")

    def met(self, text: bytes) -> Sequence[int]:
        """Those that match somewhere in a text, which is not empty, by their places, in order."""
        matched: list[int] = self._match(text, False)
        return matched


class Sieve:
    """An `re2.Set` that tells a text in which nothing matches from one that it could not read for want of memory."""

    __slots__ = ("_all", "_match", "_set")

    def __init__(self, patterns: Iterable[str | bytes], options: re2.Options) -> None:
        """Raises `re2.error` for patterns that RE2 cannot read, and where its automaton has no room in `options.max_mem`."""
        self._set = re2.Set.SearchSet(options)
        # Matches where a text begins, each time, and costs nothing from there on: that not even this one does says that RE2 gave up.
        self._set.Add(r"\A")
        self._all = range(len([self._set.Add(pattern) for pattern in patterns]))
        self._set.Compile()
        self._match = self._set._set.Match  # noqa: SLF001 -- for the same reason as a probe's

    def may(self, text: str | bytes) -> Sequence[int]:
        """The patterns that may match somewhere in a text, by their places, in order."""
        matched = self._match(text) if isinstance(text, bytes) else self._set.Match(text)
        # What `told` says of nearly every text, without asking it.
        return () if matched and len(matched) == 1 else told(matched, self._all)


def told(matched: Sequence[int] | None, patterns: Sequence[int]) -> Sequence[int]:
    """What a set says that matched: the first, which always does, is none of the patterns; all of them may where not even it did."""
    if matched and len(matched) == 1:
        return ()
    return sorted(map(_BEFORE, matched))[1:] if matched else patterns


_BEFORE = (-1).__add__
