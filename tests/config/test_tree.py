"""YAML 1.2 as plain values with places."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.config.problems import ConfigError, Place
from doorward.config.tree import NODES, locate, parse, plain, resolve


def value(text: str) -> object:
    tree, problems = parse(text)
    assert problems == ()
    return plain(tree)


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as raised:
        parse(text)
    (line,) = raised.value.lines
    return line


def test_words_of_yaml_1_1_are_texts() -> None:
    assert value("[yes, no, on, off, 12:30:45, 2027-01-01, 1_000]") == ["yes", "no", "on", "off", "12:30:45", "2027-01-01", "1_000"]


def test_the_core_schema_resolves_numbers_and_words() -> None:
    assert value("[1, -2, 0777, 0o17, 0x1F, 1.5, .5, 1e3, true, False, null, ~, '1', !!str 2]") == [
        1, -2, 777, 15, 31, 1.5, 0.5, 1000.0, True, False, None, None, "1", "2",
    ]  # fmt: skip


def test_what_no_field_can_mean_stays_text() -> None:
    assert value("[.inf, .nan, 99999999999999999999, 0xFFFFFFFFFFFFFFFFFF]") == [
        ".inf",
        ".nan",
        "99999999999999999999",
        "0xFFFFFFFFFFFFFFFFFF",
    ]


def test_keys_are_texts_whatever_they_look_like() -> None:
    assert value("{1: a, true: b, ~: c}") == {"1": "a", "true": "b", "~": "c"}


def test_an_empty_document_is_an_empty_mapping() -> None:
    assert [value(""), value("# only a remark\n")] == [{}, {}]


def test_an_alias_stands_for_the_whole_value() -> None:
    assert value("a: &slow {connect: 1}\nb: *slow\n") == {"a": {"connect": 1}, "b": {"connect": 1}}


def test_a_key_that_stands_twice_is_a_problem_with_both_lines() -> None:
    tree, problems = parse("a: 1\nb:\n  c: 2\n  c: 3\n")
    assert [str(problem) for problem in problems] == ["4:3: b.c: this key stands here twice, first on line 3"]
    assert plain(tree) == {"a": 1, "b": {"c": 2}}


def test_tags_and_merge_keys_are_problems() -> None:
    _, problems = parse("a: !python/object:os.system ls\nb: &b {c: 1}\nd:\n  <<: *b\n")
    assert [(problem.path, problem.line) for problem in problems] == [("a", 1), ('d["<<"]', 4)]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: &a [*a]", "1:8: this alias stands inside what it names"),
        ("a: *Passw0rd", "1:4: no anchor of this name stands before this alias; quote a text that begins with *"),
        ("a: 1\n---\nb: 2", "2:1: expected one document, a second one begins here"),
        ("%YAML 1.1\n---\na: 1", "2:1: expected YAML 1.2, which needs no %YAML line"),
        ("? [a]\n: b", "1:3: expected a text as key"),
        ("a: b: c", "1:5: this is not YAML: mapping values are not allowed here"),
        ('a: "\\uD83D\\uDE00"', "1:4: half a character may not stand in a text; beyond \\uFFFF write \\U and eight digits"),
        ("a: 1\n\x07", "2:1: a control character may not stand in YAML"),
        pytest.param("[" * 100_000, "1:34: expected at most 32 levels and 50000 values, aliases written out", id="deep"),
    ],
)
def test_what_is_no_plain_document_is_refused(text: str, line: str) -> None:
    assert refusal(text) == line


def test_aliases_cannot_multiply_beyond_the_bound() -> None:
    laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    laughs += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))
    assert str(NODES) in refusal(laughs)


def test_an_error_of_the_parser_repeats_nothing_of_the_document() -> None:
    for text in ("a: !hunter2!x y", "a: &hunter2* x", "%hunter2 x\n---\na: 1\n%", 'a: "hunter2', "{a: hunter2"):
        try:
            _, problems = parse(text)
        except ConfigError as error:
            problems = error.problems
        assert "hunter2" not in " ".join(map(str, problems))


def test_a_path_is_located_at_its_key_or_around_what_is_missing() -> None:
    tree, _ = parse("a:\n  b: 1\n  c: [x,\n    y]\n")
    assert [locate(tree, path) for path in (("a", "b"), ("a", "c", 1), ("a", "d", "e"), ())] == [
        Place(2, 3),
        Place(4, 5),
        Place(1, 1),
        Place(1, 1),
    ]


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn"), exclude_characters="\ufeff"))
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc <:#", min_size=1, max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(PLAIN)
def test_json_reads_as_the_same_values(given_value: object) -> None:
    assert value(json.dumps(given_value, ensure_ascii=False)) == given_value


@given(st.text())
def test_any_text_gives_values_or_problems(text: str) -> None:
    with contextlib.suppress(ConfigError):
        tree, _ = parse(text)
        json.dumps(plain(tree), allow_nan=False, ensure_ascii=False).encode()


@given(st.integers(-(10**17), 10**17))
def test_integers_resolve_to_themselves(number: int) -> None:
    assert resolve(str(number)) == number
