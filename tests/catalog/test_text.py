"""What cannot be seen is shown, and what looks alike is folded together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.catalog.text import is_clean, is_visible, skeleton, visible


def test_invisible_characters_are_spelled_out() -> None:
    hidden = "a\u200bb\u202ec\U000e0041d\x1b[31me\u00a0f\ufe0fg\u3164h\tz\nk"
    assert visible(hidden) == ("a⟨U+200B⟩b⟨U+202E⟩c⟨U+E0041⟩d⟨U+001B⟩[31me⟨U+00A0⟩f⟨U+FE0F⟩g⟨U+3164⟩h⟨U+0009⟩z\nk")
    assert not is_clean(hidden)


def test_ordinary_text_of_any_script_stays_as_it_is() -> None:
    for text in ("plain text", "使用必应搜索", "größer – «ok» 👍 e\u0301", "العربية"):
        assert visible(text) == text
        assert is_clean(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("create_issue", "сreate_issue"),
        ("github", "g1thub"),
        ("read_file", "ｒｅａｄ＿ｆｉｌｅ"),
        ("read_file", "Read-File"),
        ("read_file", "re\u200bad_file"),
        ("list_modes", "list_rnodes"),
        ("open0", "openo"),
        ("cafe", "café"),
        ("ΤΟΟL", "tool"),
    ],
)
def test_names_that_look_alike_share_a_skeleton(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


def test_names_that_differ_keep_different_skeletons() -> None:
    names = ("get_issue", "get_issues", "set_issue", "search", "read_file", "write_file", "日本", "日木")
    assert len({skeleton(name) for name in names}) == len(names)


@given(st.text())
def test_what_is_made_visible_holds_nothing_invisible(text: str) -> None:
    assert all(is_visible(letter) or letter == "\n" for letter in visible(text))


@given(st.text())
def test_a_skeleton_is_its_own_skeleton_once_folded(text: str) -> None:
    assert skeleton(skeleton(text)) == skeleton(skeleton(skeleton(text)))
