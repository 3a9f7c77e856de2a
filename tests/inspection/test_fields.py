"""Fields by their place, in values and in texts that are JSON."""

import json

from hypothesis import given
from hypothesis import strategies as st

from doorward.inspection.fields import matches, pattern, spans
from doorward.inspection.walk import pointer

PATIENTS = {"patients": [{"name": "Ann", "diagnosis": "flu"}, {"diagnosis": {"code": 7}}, {"diagnosis": None}], "diagnosis": "none"}
DIAGNOSIS = frozenset({pattern("/patients/*/diagnosis")})


def test_a_star_stands_for_any_one_step_and_null_is_no_value() -> None:
    assert [(pointer(path), value) for path, value in matches(PATIENTS, DIAGNOSIS, None)] == [
        ("/patients/0/diagnosis", "flu"),
        ("/patients/1/diagnosis", {"code": 7}),
    ]


def test_the_same_is_found_in_a_text() -> None:
    text = json.dumps(PATIENTS, indent=1)
    assert [text[start:end] for start, end in spans(text, DIAGNOSIS)] == ["flu", '{\n    "code": 7\n   }']


def test_indices_names_with_slashes_and_escapes_are_steps() -> None:
    text = r'{"a/b": [1, "x\"y", true], "caf\u00e9": -2.5e3, "e": ""}'
    for wanted, expected in (("/a~1b/1", r"x\"y"), ("/a~1b/2", "true"), ("/café", "-2.5e3"), ("/*/0", "1")):
        assert [text[start:end] for start, end in spans(text, frozenset({pattern(wanted)}))] == [expected]
    assert spans(text, frozenset({pattern("/e")})) == []


def test_what_is_no_json_holds_no_fields() -> None:
    assert spans('{"patients": [', DIAGNOSIS) == []
    assert spans("patients diagnosis", DIAGNOSIS) == []


STEPS = st.text("ab", min_size=1, max_size=2)
VALUES = st.recursive(
    st.integers() | st.booleans() | st.text(min_size=1),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(STEPS, inner, max_size=3),
)


@given(st.dictionaries(STEPS, VALUES), st.lists(STEPS | st.just("*") | st.just("0"), min_size=1, max_size=3))
def test_texts_and_values_are_followed_alike(value: dict[str, object], wanted: list[str]) -> None:
    patterns, text = frozenset({tuple(wanted)}), json.dumps(value)
    in_text = [text[start:end] for start, end in spans(text, patterns)]
    assert in_text == [json.dumps(found).removeprefix('"').removesuffix('"') for _, found in matches(value, patterns, None)]
