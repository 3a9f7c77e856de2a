"""Secrets written out are told from settings by form, by name and by look."""

import pytest

from doorward.config.inline import by_form, by_look, by_name


@pytest.mark.parametrize(
    "text",
    [
        "ghp_" + "a1B2" * 9,
        "github_pat_" + "a1B2" * 9,
        "glpat-" + "a1B2" * 5,
        "sk-ant-api03-" + "a1B2" * 9,
        "sk_live_" + "a1B2" * 5,
        "xoxb-1234567890-abc",
        "AKIA" + "A1B2" * 4,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig",
        "-----BEGIN RSA PRIVATE KEY-----",
        "Bearer abcdefgh",
        "https://user:password@host/path",
        '{"key": "ghp_' + "a1B2" * 9 + '"}',
    ],
)
def test_tokens_are_known_by_their_form(text: str) -> None:
    assert by_form(text)


@pytest.mark.parametrize(
    "text", ["", "review", "https://host:8080/path", "Bearer", "sketch-of-a-plan", "the sk-8 road", "a@b.c", "postgres://host/db"]
)
def test_ordinary_texts_have_no_such_form(text: str) -> None:
    assert not by_form(text)


@pytest.mark.parametrize(
    ("name", "text", "is_secret"),
    [
        ("GITHUB_TOKEN", "x", True),
        ("apiKey", "abc", True),
        ("X-Api-Key", "abc", True),
        ("APIKEY", "abc", True),
        ("DB_PASSWORD", "hunter2", True),
        ("Authorization", "abc", True),
        ("GITHUB_TOKEN", "", False),
        ("GITHUB_TOKEN", "true", False),
        ("TOKEN_LIMIT", "many", False),
        ("KEY_FILE", "id_rsa", False),
        ("SECRET", "/run/secrets/x", False),
        ("MAX_TOKENS", "4096", False),
        ("KEYBOARD", "qwerty", False),
        ("MONKEY", "banana", False),
        ("PUBLIC_KEY", "abc", False),
        ("LANG", "C.UTF-8", False),
        ("LANG", "ghp_" + "a1B2" * 9, True),
    ],
)
def test_the_name_says_what_a_text_is(name: str, text: str, is_secret: bool) -> None:
    assert by_name(name, text) is is_secret


@pytest.mark.parametrize(
    ("text", "is_random"),
    [
        ("q8d7f6a5s4d3f2a1s0d9f8g7h6j5k4l3", True),
        ("550e8400-e29b-41d4-a716-446655440000", True),
        ("c2VjcmV0LXNlY3JldC0xMjM0NTY3ODkw", True),
        ("/home/somebody/projects/2026/server", False),
        ("mcp-server-filesystem-2026-11-01", False),
        ("some_rather_long_setting_name", False),
        ("11111111111111111111111111", False),
        ("short1", False),
        ("a sentence with 3 words and then some more", False),
    ],
)
def test_random_texts_are_told_from_names_and_paths(text: str, is_random: bool) -> None:
    assert by_look(text) is is_random
