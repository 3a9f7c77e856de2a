"""Parts of documents: found from twenty words on, never for fewer than twelve."""

from hypothesis import given
from hypothesis import strategies as st

from doorward.domain.findings import Severity
from doorward.inspection.own.documents import FOUND, RUN, Parts, prints

DOCUMENT = [f"word{number}" for number in range(400)]
PARTS = Parts("documents_x", Severity.HIGH, prints([" ".join(DOCUMENT)]))


def found(text: str) -> list[str]:
    flat = text.encode()
    return [flat[hit.start : hit.end].decode() for hit in PARTS.hits(flat)]


@given(st.integers(0, len(DOCUMENT) - FOUND), st.integers(FOUND, 60))
def test_every_part_of_twenty_words_is_found_whole(start: int, length: int) -> None:
    part = " ".join(DOCUMENT[start : start + length])
    (only,) = found(f"before it, {part} and after it")
    assert part in only


@given(st.integers(0, len(DOCUMENT) - RUN), st.integers(0, RUN - 1))
def test_fewer_words_than_are_hashed_together_are_not_found(start: int, length: int) -> None:
    assert found(" ".join(DOCUMENT[start : start + length])) == []


def test_case_blanks_and_signs_do_not_hide_a_part() -> None:
    part = DOCUMENT[100:130]
    for written in (" ".join(part).upper(), ",   ".join(part), "\u201c" + "\u201d \u2013 ".join(part)):
        assert len(found(written)) == 1


def test_parts_do_not_go_on_from_one_text_to_the_next() -> None:
    head, tail = " ".join(DOCUMENT[:10]), " ".join(DOCUMENT[10:20])
    assert found(f'["{head}","{tail}"]') == []
    assert len(found(f'["{" ".join(DOCUMENT[:30])}","{" ".join(DOCUMENT[200:230])}"]')) == 2


def test_words_of_another_order_are_not_found() -> None:
    assert found(" ".join(reversed(DOCUMENT))) == []
