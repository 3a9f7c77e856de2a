"""Character references, read in any text."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.domain.entities import unescaped

NUL = "\ufffd"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (f"a&#{'9' * 5000};b", f"a{NUL}b"),
        (f"&#{'0' * 5000}65;&#x41;&amp;&lt;", "AA&<"),
        (f"&#{'0' * 5000};", NUL),
        (f"&#x{'f' * 5000};", NUL),
        ("&#9999999999 and more", f"{NUL} and more"),
    ],
)
def test_numbers_of_any_length_are_read(written: str, said: str) -> None:
    assert unescaped(written) == said


@given(st.text(alphabet="&#x0123456789aAlt;g "))
def test_what_the_library_reads_is_read_as_it_reads_it(text: str) -> None:
    assert unescaped(text) == html.unescape(text)
