"""Lists in pages."""

from hypothesis import given
from hypothesis import strategies as st

from doorward.wire.lists import FIELDS, page
from doorward.wire.methods import METHODS, Route

KEYS = st.lists(st.text(max_size=3), unique=True, max_size=30).map(sorted)


def pages(items: list[str], size: int, after: str | None = None) -> list[list[str]]:
    """Every page from a key on."""
    shown, following = page(items, after, size, str)
    return [list(shown), *(pages(items, size, following) if following is not None else [])]


@given(KEYS, st.integers(1, 12))
def test_the_pages_together_are_the_list_and_all_but_the_last_are_full(items: list[str], size: int) -> None:
    every = pages(items, size)
    assert [item for one in every for item in one] == items
    assert {len(one) for one in every[:-1]} <= {size}
    assert len(every[-1]) <= size


@given(KEYS, st.integers(1, 12), st.data())
def test_what_comes_and_goes_between_pages_neither_repeats_nor_hides_what_stays(items: list[str], size: int, data: st.DataObject) -> None:
    first, following = page(items, None, size, str)
    gone = data.draw(st.sets(st.sampled_from(items))) if items else set()
    after = sorted((set(items) - gone) | data.draw(st.sets(st.text(max_size=3), max_size=5)))
    rest = [item for one in pages(after, size, following) for item in one] if following is not None else []
    assert set(items) - gone <= {*first, *rest}
    assert not {*first} & {*rest}


@given(KEYS, st.text(max_size=3), st.integers(1, 12))
def test_a_page_may_begin_after_a_key_that_is_gone(items: list[str], after: str, size: int) -> None:
    assert list(page(items, after, size, str)[0]) == [item for item in items if item > after][:size]


def test_every_list_method_has_its_field() -> None:
    assert set(FIELDS) == {method for (method, _), found in METHODS.items() if found.route is Route.LIST}
