"""What a server asks for is read in one way, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.wire.challenges import Challenge, bearer_challenge

NOTHING = Challenge("", (), "")
TOKEN = st.text("abcdefghijklmnopqrstuvwxyz:./-_", min_size=1, max_size=12)
QUOTED = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=40)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("Bearer", NOTHING),
        ("bearer", NOTHING),
        ('Bearer realm="x"', NOTHING),
        ("Bearer error=invalid_token", Challenge("invalid_token", (), "")),
        ('Bearer scope="a b a"', Challenge("", ("a", "b"), "")),
        ('Bearer scope=""', NOTHING),
        (
            'Bearer error="insufficient_scope",scope="files:read files:write" , resource_metadata="https://a.example/x?y=1"',
            Challenge("insufficient_scope", ("files:read", "files:write"), "https://a.example/x?y=1"),
        ),
        ('Basic realm="a, Bearer scope=\\"b\\"", Bearer scope="c"', Challenge("", ("c",), "")),
        ('Negotiate YII=, Bearer scope="c", DPoP algs="ES256"', Challenge("", ("c",), "")),
        (', ,Bearer  ERROR = "x" ,', Challenge("x", (), "")),
        ('Bearer resource_metadata="a\\"b\\\\c"', Challenge("", (), 'a"b\\c')),
    ],
)
def test_a_bearer_challenge_is_found_among_others(header: str, said: Challenge) -> None:
    assert bearer_challenge(header) == said


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic realm=x",
        'error="invalid_token"',
        'Bearer scope="a", Bearer scope="b"',
        'Bearer scope="a", scope="b"',
        'Bearer scope="a',
        'Bearer scope="a" error="b"',
        "Bearer scope=a b",
        "Bearer, = ,",
        'Bearer scope="a"; error="b"',
        "Bearer " + 'x="y", ' * 2000,
    ],
)
def test_what_could_be_read_in_two_ways_is_no_challenge(header: str) -> None:
    assert bearer_challenge(header) is None


@pytest.mark.parametrize("scope", ['a\\"b', "a\tb", "é", " ".join(f"s{number}" for number in range(65))])
def test_scopes_that_are_none_are_not_asked_for(scope: str) -> None:
    assert bearer_challenge(f'Bearer error="insufficient_scope", scope="{scope}"') == Challenge("insufficient_scope", (), "")


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(header: str) -> None:
    bearer_challenge(header)


@given(st.lists(TOKEN, min_size=1, max_size=5, unique=True), QUOTED, TOKEN)
def test_what_is_written_is_what_is_read(scopes: list[str], metadata: str, error: str) -> None:
    escaped = metadata.replace("\\", "\\\\").replace('"', '\\"')
    header = f'Bearer error="{error}", scope="{" ".join(scopes)}", resource_metadata="{escaped}"'
    assert bearer_challenge(header) == Challenge(error, tuple(scopes), metadata)
