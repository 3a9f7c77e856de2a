"""Redaction: takes away what findings point at, and nothing is ever added but masks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.domain.findings import Finding, Part, Severity
from doorward.inspection.characters import INVISIBLE, SEVERITIES, spans
from doorward.inspection.edit import EditError, redact
from doorward.inspection.walk import leaves, pointer


def finding(pointer: str, start: int = 0, end: int = 0, *, rule: str = "secret", guard: str = "dlp", part: Part = Part.VALUE) -> Finding:
    return Finding(guard, rule, Severity.HIGH, pointer, start, end, part)


BODY: dict[str, object] = {"content": [{"type": "text", "text": "my key is K-123, my pin 42"}], "n": 7, "a/b": {"c": "d"}}


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        ([], BODY),
        (
            [finding("/content/0/text", 10, 15), finding("/content/0/text", 24, 26, rule="pin")],
            {**BODY, "content": [{"type": "text", "text": "my key is [withheld: secret], my pin [withheld: pin]"}]},
        ),
        ([finding("/content/0/text")], {**BODY, "content": [{"type": "text", "text": "[withheld: secret]"}]}),
        (
            [finding("/content/0/text", 3, 8, rule="b"), finding("/content/0/text", 5, 15, rule="a")],
            {**BODY, "content": [{"type": "text", "text": "my [withheld: b], my pin 42"}]},
        ),
        ([finding("/n")], {**BODY, "n": "[withheld: secret]"}),
        ([finding("/n", 0, 5)], {**BODY, "n": "[withheld: secret]"}),
        ([finding("/content/0")], {**BODY, "content": ["[withheld: secret]"]}),
        ([finding("/a~1b/c", part=Part.KEY)], {**BODY, "a/b": {}}),
        ([finding("/a~1b", part=Part.KEY), finding("/a~1b/c")], {"content": BODY["content"], "n": 7}),
    ],
)
def test_only_what_is_pointed_at_goes(findings: list[Finding], expected: dict[str, object]) -> None:
    before = repr(BODY)
    assert redact(BODY, findings) == expected
    assert redact(BODY, list(reversed(findings))) == expected
    assert repr(BODY) == before


def test_what_is_not_seen_is_left_out_everywhere_it_breaks_the_rule() -> None:
    body = {"t": "i\u200bg\u200bn\x1b[0m"}
    whole = finding("/t", rule=INVISIBLE, guard="unicode")
    assert redact(body, [whole]) == {"t": "ign\x1b[0m"}
    assert redact(body, [whole, finding("/t", rule="ansi_escape", guard="unicode", start=5, end=9)]) == {"t": "ign"}


def test_a_mask_and_what_is_left_out_in_it_do_not_disturb_each_other() -> None:
    body = {"t": "key K\u200b1 end\u200b"}
    found = [finding("/t", 4, 7), finding("/t", rule=INVISIBLE, guard="unicode")]
    assert redact(body, found) == {"t": "key [withheld: secret] end"}


@pytest.mark.parametrize(
    "unfit",
    [
        finding(""),
        finding("/missing"),
        finding("/n/deeper"),
        finding("/content/7"),
        finding("/content/x/text"),
        finding("/content/0/text", 5, 500),
        finding("/content/0/text", -1, 3),
        finding("", part=Part.KEY),
    ],
    ids=str,
)
def test_a_finding_that_does_not_fit_is_an_error_and_not_ignored(unfit: Finding) -> None:
    with pytest.raises(EditError):
        redact(BODY, [unfit])


TREES = st.dictionaries(
    st.text(max_size=4),
    st.recursive(
        st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    min_size=1,
    max_size=4,
)


@given(TREES, st.data())
def test_every_text_left_is_a_part_of_what_was_there_or_a_mask(body: dict[str, object], data: st.DataObject) -> None:
    texts = leaves(body)
    chosen = data.draw(st.lists(st.sampled_from(texts), max_size=4))
    found = []
    for path, text, part in chosen:
        start = data.draw(st.integers(0, len(text)))
        found.append(finding(pointer(path), start, data.draw(st.integers(start, len(text))), part=part))
    left = leaves(redact(body, found))
    kept = {text for _, text, _ in texts}
    for _, text, _ in left:
        # A blank sets a mask apart from what would make a link of it.
        pieces = [piece.removeprefix(" ").removesuffix(" ") for piece in text.split("[withheld: secret]")]
        assert text in kept or all(any(piece in one for one in kept) for piece in pieces)
    assert len(left) <= len(texts)


@given(st.dictionaries(st.text(), st.text(), min_size=1))
def test_a_cleaned_message_has_nothing_left_to_clean(body: dict[str, str]) -> None:
    found = [
        finding(pointer(path), rule=rule, guard="unicode", part=part)
        for path, text, part in leaves(body)
        for rule in sorted({rule for _, _, rule in spans(text)})
    ]
    cleaned = redact(body, found)
    assert set(SEVERITIES) >= {one.rule for one in found}
    assert all(not spans(key) for key in cleaned)
    again = [finding(f"/{key}", rule=rule, guard="unicode") for key, text in cleaned.items() for *_, rule in spans(str(text))]
    assert again == []


@pytest.mark.parametrize(
    ("text", "secret", "expected"),
    [
        ("!KEY(https://a.example)", "KEY", "! [withheld: secret] (https://a.example)"),
        ("!KEY[x]", "KEY", "! [withheld: secret] [x]"),
        ("![withheld: secret]\n\n> KEY: https://a.example", "KEY", "![withheld: secret]\n\n> [withheld: secret] : https://a.example"),
        ("!\u200bKEY\u200b(https://a.example)", "KEY", "! [withheld: secret] (https://a.example)"),
        ("(KEY)", "KEY", "([withheld: secret])"),
        ("key KEY: x", "KEY", "key [withheld: secret]: x"),
    ],
)
def test_mask_makes_no_image_or_link_with_what_stands_beside_it(text: str, secret: str, expected: str) -> None:
    found = [finding("/t", text.index(secret), text.index(secret) + len(secret))]
    found += [finding("/t", rule=INVISIBLE, guard="unicode")] if "\u200b" in text else []
    assert redact({"t": text}, found) == {"t": expected}
