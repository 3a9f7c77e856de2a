"""What is written as YAML reads back as the same values."""

from hypothesis import given
from hypothesis import strategies as st

from doorward.config.emit import Value, emit
from doorward.config.tree import parse, plain

TEXTS = st.text(st.characters(codec="utf-8")) | st.sampled_from(
    ["", "yes", "null", "0x1F", "1.0", "- a", "a: b", "#", "~", "1_0", "\x85\u2028\x07", "\U0001f600"]
)
SCALARS = st.none() | st.booleans() | st.integers(-(10**17), 10**17) | TEXTS
VALUES = st.recursive(SCALARS | st.lists(SCALARS, max_size=3), lambda inner: st.dictionaries(TEXTS, inner, max_size=3), max_leaves=10)


def test_values_are_written_in_blocks_with_few_quotes() -> None:
    value: dict[str, Value] = {
        "upstreams": {"git": {"url": "https://a.b/mcp", "on": "yes", "list": ["a", "b c", 1], "empty": {}, "none": None, "t": True}}
    }
    assert emit(value) == (
        'upstreams:\n  git:\n    url: https://a.b/mcp\n    "on": "yes"\n    list: [a, "b c", 1]\n    empty: {}\n    none: null\n    t: true\n'
    )


@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_any_mapping_reads_back_as_itself(value: dict[str, Value]) -> None:
    tree, problems = parse(emit(value))
    assert (plain(tree), problems) == (value, ())
