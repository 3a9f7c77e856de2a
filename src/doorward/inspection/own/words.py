"""Words and phrases, tens of thousands of them: a set of patterns says which a text holds, one more pattern where."""

from collections.abc import Iterator, Sequence
from typing import Any

import re2

from doorward.domain.errors import DoorwardError
from doorward.domain.findings import Severity
from doorward.inspection.places import Hit
from doorward.wire.sieve import Sieve

MOST = 100_000
"""Words and phrases of one dictionary."""

_MEMORY_BYTES = 512 * 2**20
"""What the set may take at most: a hundred thousand phrases take a part of it."""


class WordsError(DoorwardError):
    """Words that cannot be looked for."""


class Words:
    """Looks for the words of a dictionary (`Seeker`)."""

    __slots__ = ("_gate", "_is_whole", "_options", "_patterns", "_rule", "_severity")

    def __init__(self, rule: str, severity: Severity, words: Sequence[str], *, case: str = "ignore", match: str = "word") -> None:
        """`case`: `ignore` or `keep`; `match`: `word` or `anywhere`. Raises `WordsError`."""
        self._rule, self._severity, self._is_whole = rule, severity, match == "word"
        self._options = re2.Options()
        self._options.max_mem = _MEMORY_BYTES
        self._options.case_sensitive = case == "keep"
        self._options.log_errors = False
        self._patterns = sorted({written for word in words for written in _written(word)}, key=len, reverse=True)
        try:
            self._gate = Sieve(self._patterns, self._options)
        except re2.error as error:
            raise WordsError("expected fewer words, or shorter ones") from error

    def hits(self, flat: bytes, told: Sequence[int] | None = None) -> list[Hit]:
        """What stands in a flat JSON text, in its order."""
        fired = self._gate.may(flat)
        if not fired:
            return []
        # The longest first, as the patterns are.
        where = re2.compile(b"|".join(self._patterns[index] for index in fired), self._options)
        return [Hit(self._rule, self._severity, start, end) for start, end in _apart(self._spans(where, flat))]

    def _spans(self, where: Any, flat: bytes) -> Iterator[tuple[int, int]]:
        match = where.search(flat)
        while match is not None:
            start, end = match.span()
            is_one = not self._is_whole or not (_is_joined(flat, start) or _is_joined(flat, end))
            if is_one:
                yield start, end
            match = where.search(flat, end if is_one else start + 1)


def _written(word: str) -> Iterator[bytes]:
    """A phrase as a pattern, whatever blanks are between its words; in a flat text blanks stand for quotes and backslashes."""
    parts = [re2.escape(part) for part in word.split()]
    if parts:
        yield r"[ \t\r\n]+".join(parts).replace('\\"', '(?:["]|  )').replace("\\\\", "  ").encode()


def _is_joined(flat: bytes, at: int) -> bool:
    """Whether a word goes on at a place, so that neither what stands before it nor after it is a whole one."""
    around = flat[max(0, at - 1) : at + 1]
    return len(around) == 2 and at > 0 and all(letter >= 0x80 or chr(letter).isalnum() for letter in around)


def _apart(spans: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    last = -1
    for start, end in spans:
        if start >= last:
            yield start, end
            last = end
