"""The guard of what is not seen."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from doorward.domain.findings import Finding, Part, Severity
from doorward.inspection.characters import spans
from doorward.inspection.guards.unicode import Unicode
from doorward.inspection.view import Carrier, View
from doorward.inspection.walk import leaves
from tests.made import call


def look(body: dict[str, object]) -> tuple[Finding, ...]:
    return Unicode().look(View(Carrier.RESPONSE, call(), body))


def test_a_single_place_is_named_and_several_are_the_whole_text() -> None:
    found = look({"content": [{"type": "text", "text": "a\u200bb"}, {"type": "text", "text": "\x1b[1mx\x1b[0m\u202e"}]})
    assert found == (
        Finding("unicode", "invisible_character", Severity.MEDIUM, "/content/0/text", 1, 2),
        Finding("unicode", "ansi_escape", Severity.MEDIUM, "/content/1/text", 0, 0),
        Finding("unicode", "bidi_control", Severity.MEDIUM, "/content/1/text", 9, 10),
    )


def test_keys_are_looked_at_like_values() -> None:
    assert look({"a": {"b\U000e0041": 1}}) == (Finding("unicode", "tag_character", Severity.HIGH, "/a/b\U000e0041", 1, 2, Part.KEY),)


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8))
def test_whatever_the_walk_would_find_passes_the_gate(value: object) -> None:
    body = {"value": value}
    expected = any(spans(text) for _, text, _ in leaves(body))
    assert bool(look(body)) == expected
    assert msgspec.json.decode(msgspec.json.encode(body)) == body
