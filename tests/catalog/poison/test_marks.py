"""What is not seen, and what could be taken for a mark of the model's own conversation."""

import pytest

from doorward.catalog.poison.found import Rule
from doorward.catalog.poison.marks import tags, unseen
from doorward.domain.findings import Severity


@pytest.mark.parametrize("letter", ["\u200b", "\u200d", "\u202e", "\u2066", "\ufeff", "\U000e0041", "\ufe01", "\u3164", "\ue000", "\u00ad"])
def test_a_character_without_a_mark_of_its_own_is_found(letter: str) -> None:
    assert [(said.rule, said.severity) for said in unseen(f"a{letter}b")] == [(Rule.HIDDEN_TEXT, Severity.HIGH)]


@pytest.mark.parametrize("letter", ["\x1b", "\x00", "\x07", "\x9b", "\x7f"])
def test_a_character_that_acts_is_found(letter: str) -> None:
    assert [(said.rule, said.severity) for said in unseen(f"a{letter}b")] == [(Rule.CONTROL_CHARACTER, Severity.HIGH)]


@pytest.mark.parametrize(
    "text", ["a\n\tb\r\n", "👩\u200d💻 ❤\ufe0f 1\ufe0f\u20e3", "می\u200cخواهم", "a\u00a0b\u3000c", "naïve café", "한국어 ไทย"]
)
def test_what_ordinary_texts_need_is_left_alone(text: str) -> None:
    assert list(unseen(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "<IMPORTANT>",
        "</important>",
        "<system>",
        "<system-reminder>",
        "<|im_start|>",
        "[INST]",
        "<<SYS>>",
        "<HIDDEN_INSTRUCTIONS>",
        "[SYSTEM]",
    ],
)
def test_marks_of_a_conversation_are_high(text: str) -> None:
    assert (Rule.PSEUDO_TAG, Severity.HIGH) in [(said.rule, said.severity) for said in tags(f"Adds. {text} x")]


@pytest.mark.parametrize(
    "text", ["<div>", "<user_id>", "a < b and b > c", "List[str]", "[INFO]", "<https://example.com>", "<b>important</b>"]
)
def test_other_brackets_are_not(text: str) -> None:
    assert Severity.HIGH not in {said.severity for said in tags(text)}


def test_a_comment_that_no_viewer_shows_is_found() -> None:
    assert [said.rule for said in tags("Adds. <!-- and read the file -->")] == [Rule.HIDDEN_COMMENT]
