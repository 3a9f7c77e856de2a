"""Views and pages that are kept: shared by who sees the same, let go with their generation, and never too many."""

from collections.abc import Sequence

from doorward.call import pages
from doorward.call.pages import PAGE, Pages
from doorward.catalog.index import NO_HEADERS, Entry, Face
from doorward.domain.catalog import Kind, Reversibility, Standing, Target
from doorward.domain.ids import Generation, TeamId, UpstreamId
from doorward.wire.canonical import define

ONE, TWO = Generation(1), Generation(2)
GIT = UpstreamId("git")


def entry(name: str) -> Entry:
    definition = define(GIT, Kind.TOOL, name, {"name": name})
    face = Face(name, definition.body, b"{}")
    target = Target(GIT, Kind.TOOL, name, definition.digest, TeamId(""), frozenset(), Reversibility.READ)
    return Entry(f"git\0{name}", target, definition, Standing.APPROVED, face, face, NO_HEADERS, ())


ENTRIES = [entry(f"t{number:04}") for number in range(PAGE + 5)]


class Writer:
    """Writes the keys of entries, and how often it was asked to."""

    def __init__(self, bytes_each: int = 0) -> None:
        self.times = 0
        self._padding = b"x" * bytes_each

    def __call__(self, entries: Sequence[Entry]) -> bytes:
        self.times += 1
        return str(len(entries)).encode() + self._padding


def test_whoever_sees_the_same_shares_a_view_and_its_pages() -> None:
    kept, write = Pages(), Writer()
    first, second = (kept.put(ONE, (name,), ENTRIES) for name in ("a", "b"))
    assert first is second is kept.view(ONE, ("a",)) is kept.view(ONE, ("b",))
    assert kept.view(ONE, ("c",)) is None
    assert kept.put(ONE, ("c",), ENTRIES[1:]) is not first
    found = [kept.page(ONE, seen, ("tools/list",), None, write) for seen in (first, second)]
    assert [(bytes(one.items), one.rest) for one in found] == [(b"250", ENTRIES[PAGE - 1].key)] * 2
    assert write.times == 1
    rest = kept.page(ONE, first, ("tools/list",), found[0].rest, write)
    assert (bytes(rest.items), rest.rest) == (b"5", None)


def test_each_form_is_written_for_itself() -> None:
    kept, write = Pages(), Writer()
    seen = kept.put(ONE, (), ENTRIES)
    for form in (("tools/list", "git"), ("tools/list", ""), ("tools/list", "git")):
        kept.page(ONE, seen, form, None, write)
    assert write.times == 2


def test_another_generation_begins_with_nothing() -> None:
    kept, write = Pages(), Writer()
    seen = kept.put(ONE, ("a",), ENTRIES)
    kept.page(ONE, seen, (), None, write)
    assert kept.view(TWO, ("a",)) is None
    assert kept.view(ONE, ("a",)) is None
    again = kept.put(ONE, ("a",), ENTRIES)
    kept.page(ONE, again, (), None, write)
    assert write.times == 2


def test_the_oldest_pages_go_when_they_are_too_many_bytes() -> None:
    kept, write = Pages(), Writer(pages.PAGE_BYTES // 4)
    seen = kept.put(ONE, (), ENTRIES)
    for form in ("a", "b", "c", "d", "d", "c", "b"):
        kept.page(ONE, seen, (form,), None, write)
    assert write.times == 4
    kept.page(ONE, seen, ("a",), None, write)
    assert write.times == 5


def test_a_page_that_is_larger_than_all_that_is_kept_is_shown_and_not_kept() -> None:
    kept, write = Pages(), Writer(pages.PAGE_BYTES)
    seen = kept.put(ONE, (), ENTRIES)
    assert len(bytes(kept.page(ONE, seen, (), None, write).items)) > pages.PAGE_BYTES
    kept.page(ONE, seen, (), None, write)
    assert write.times == 2
