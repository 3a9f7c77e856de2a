"""Where policies begin and end in a file, and where in them a word stands."""

from hypothesis import given
from hypothesis import strategies as st

from doorward.policy.text import Spot, find, first_bad, pieces, quoted, spot

FILE = """// a; comment with "quotes
@id("one;") // and another
permit(principal, action, resource)
  when { context.input.a == "x\\"; y" };

@id("two") forbid(principal, action, resource) ; permit(
"""


def test_a_file_is_cut_at_semicolons_outside_strings_and_comments() -> None:
    found = list(pieces(FILE))
    first_lines = [piece.text.splitlines()[0] for piece in found]
    assert first_lines == ['@id("one;") // and another', '@id("two") forbid(principal, action, resource) ;', "permit("]
    assert [spot(FILE, piece.start) for piece in found] == [Spot(2, 1), Spot(6, 1), Spot(6, 50)]


def test_an_open_quote_ends_nothing() -> None:
    assert [piece.text for piece in pieces('permit("a;\nforbid;')] == ['permit("a;', "forbid;"]


def test_a_word_is_found_bare_and_in_quotes_and_not_in_comments() -> None:
    first = next(pieces('// b\npermit /* */ ( a."b" == b );'))
    assert first.text[find(first, "b") :].startswith('"b" == b')
    assert find(first, "nowhere", "") == 0


def test_the_first_bad_token_is_the_first_whose_prefix_is_refused() -> None:
    piece = next(pieces("a b c d e;"))

    def complaint(text: str) -> str | None:
        return "unexpected token `c`" if "c" in text else "unexpected end of input"

    assert first_bad(piece, complaint) == 4
    assert first_bad(piece, lambda text: "unexpected end of input") == 0


@given(st.text())
def test_a_quoted_word_is_one_token_that_holds_no_other(word: str) -> None:
    tokens = next(pieces(f"{quoted(word)} x;")).tokens
    assert [token.text for token in tokens] == [quoted(word), "x", ";"]


@given(st.text(st.sampled_from('ab;"\\/ \n@'), max_size=60))
def test_pieces_lose_nothing_but_blanks_and_comments(text: str) -> None:
    end = 0
    for piece in pieces(text):
        assert text[piece.start : piece.start + len(piece.text)] == piece.text
        assert piece.start >= end
        end = piece.start + len(piece.text)
