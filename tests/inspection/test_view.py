"""What a guard is shown: the flat text, in which nothing but escapes has become blank."""

import re

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from doorward.inspection.characters import spans
from doorward.inspection.view import Carrier, View
from doorward.testing.guards import Bench

LETTERS = "".join(map(chr, range(0x20))) + 'abfnrtu01/\\"\x7fé\u2028\U0001f600'


def viewed(text: str) -> View:
    """What guards are shown of a result with this text."""
    seen: list[View] = []

    class Keeps:
        def look(self, view: View) -> tuple[()]:
            seen.append(view)
            return ()

    Bench(Keeps()).response({"text": text})
    assert seen[0].carrier is Carrier.RESPONSE
    return seen[0]


def flat(text: str) -> tuple[bytes, bytes]:
    """A result's JSON text, and its flat one."""
    view = viewed(text)
    return view.encoded, view.flat


@given(st.text(alphabet=st.sampled_from(LETTERS)), st.sampled_from(["", "x" * 500, "\n" * 500, "x\n" * 500]))
def test_each_escape_is_as_many_blanks_and_all_else_stays(text: str, rest: str) -> None:
    text += rest
    encoded, made = flat(text)
    assert msgspec.json.decode(encoded) == {"text": text}
    assert made == re.sub(rb"\\(?:u[0-9a-f]{4}|.)", lambda escape: b" " * len(escape[0]), encoded)


@given(st.text(alphabet=st.sampled_from(LETTERS)))
def test_a_text_is_hidden_in_where_a_character_is_not_seen_without_a_reason(text: str) -> None:
    assert [places for _, places in viewed(text).hidden] == ([found] if (found := spans(text)) else [])


def test_a_text_without_escapes_is_not_copied() -> None:
    encoded, made = flat("plain")
    assert made is encoded
