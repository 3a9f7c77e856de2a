"""What principals see of lists, kept for as long as a generation lasts: views by everything that they rest on, pages as the bytes that go out.

INVARIANT: what is kept could be worked out again at any time. A view is found only by all that policy could read of who asks and when, and
by what is waived; whoever sees the same entries shares one view, and its pages.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from operator import attrgetter

import msgspec

from doorward.catalog.index import Entry
from doorward.domain.ids import Generation
from doorward.policy.memo import Memo
from doorward.wire.lists import page

VIEWS = 4_096
"""Answers to who sees what; each points to a view."""
DIFFERENT = 256
"""Views that are kept: at most 4 KiB each for 500 entries."""
PAGE_BYTES = 16 * 2**20
"""Of all pages that are kept, as they go out."""
_BESIDES = 512
"""What keeping a page takes besides."""
PAGE = 250
"""Items of one page: most catalogues fit in one; a client that ignores cursors still sees plenty."""

_KEY = attrgetter("key")

Form = tuple[str, ...]
"""How entries look to a client: all that tells one form from another."""
Written = Callable[[Sequence[Entry]], bytes]
"""Entries in a form, as a JSON array."""


class Seen(msgspec.Struct, frozen=True, eq=False):
    """The entries of one view, in the order of their keys."""

    entries: tuple[Entry, ...]
    digests: tuple[tuple[str, str], ...]
    """Keys and digests: what a later view is compared with. Of all who see the same there is one."""


def seen_of(entries: Sequence[Entry]) -> Seen:
    """The view that some entries are."""
    return Seen(tuple(entries), tuple((entry.key, str(entry.definition.digest)) for entry in entries))


class Page(msgspec.Struct, frozen=True):
    """A part of a view: its items as a JSON array, and the key to go on after; None at the end."""

    items: msgspec.Raw
    rest: str | None


class _Kept(msgspec.Struct):
    generation: Generation
    views: Memo[tuple[object, ...], Seen] = msgspec.field(default_factory=lambda: Memo(VIEWS))
    different: Memo[tuple[int, ...], Seen] = msgspec.field(default_factory=lambda: Memo(DIFFERENT))
    pages: OrderedDict[tuple[Seen, Form, str | None], Page] = msgspec.field(default_factory=OrderedDict)
    bytes: int = 0


class Pages:
    """Views and pages of the last generation that was asked for."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept = _Kept(Generation(-1))

    def view(self, generation: Generation, key: tuple[object, ...]) -> Seen | None:
        """A view that was put here, in this generation."""
        return self._of(generation).views.get(key)

    def put(self, generation: Generation, key: tuple[object, ...], entries: Sequence[Entry]) -> Seen:
        """A view; the same one for whoever sees the same."""
        kept = self._of(generation)
        # A view holds its entries, so that their ids are nobody else's.
        same = tuple(map(id, entries))
        seen = kept.different.get(same)
        if seen is None:
            seen = kept.different.put(same, seen_of(entries))
        return kept.views.put(key, seen)

    def page(self, generation: Generation, seen: Seen, form: Form, after: str | None, written: Written) -> Page:
        """The part of a view that begins after a key, in a form."""
        kept = self._of(generation)
        known = kept.pages.get((seen, form, after))
        if known is not None:
            return known
        entries, rest = page(seen.entries, after, PAGE, _KEY)
        raw = written(entries)
        found = Page(msgspec.Raw(raw), rest)
        kept.bytes += _BESIDES + len(raw)
        kept.pages[seen, form, after] = found
        while kept.bytes > PAGE_BYTES:
            kept.bytes -= _BESIDES + len(memoryview(kept.pages.popitem(last=False)[1].items))
        return found

    def _of(self, generation: Generation) -> _Kept:
        """What is kept of a generation; whatever was kept of another one is let go."""
        if self._kept.generation != generation:
            self._kept = _Kept(generation)
        return self._kept
