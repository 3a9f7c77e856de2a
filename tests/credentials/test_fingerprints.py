"""Our own secrets in other texts: found exactly, without being kept."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.credentials.fingerprints import MOST_TRIES, Fingerprints

SECRET = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"


def knowing(*secrets: str) -> Fingerprints:
    found = Fingerprints(b"k" * 32)
    for secret in secrets:
        found.add(secret)
    return found


def spans(known: Fingerprints, text: str) -> tuple[tuple[int, int], ...]:
    return known.spans(text, known.hints)


@pytest.mark.parametrize("around", ["{}", "token={}", "x{}y", "Bearer {}\n", '{{"a":"{}"}}', "https://u:{}@h/"])
def test_a_secret_is_found_wherever_it_stands(around: str) -> None:
    text = around.format(SECRET)
    start = text.index(SECRET)
    assert spans(knowing(SECRET), text) == ((start, start + len(SECRET)),)
    assert knowing(SECRET).near(text.encode())


def test_every_place_is_found() -> None:
    assert spans(knowing(SECRET), f"{SECRET} {SECRET}") == ((0, 40), (41, 81))


def test_the_parts_of_a_header_are_known_each() -> None:
    found = knowing(f"Bearer {SECRET}")
    assert spans(found, f"x {SECRET}") == ((2, 42),)
    assert spans(found, "Bearer something else") == ()


@given(st.text(min_size=12, max_size=60), st.text(max_size=30), st.text(max_size=30))
def test_any_secret_long_enough_is_found_in_any_text(secret: str, before: str, after: str) -> None:
    assert (len(before), len(before) + len(secret)) in spans(knowing(secret), before + secret + after)


@given(st.text(alphabet="abcdef0123456789", min_size=12, max_size=40), st.text(alphabet="abcdef0123456789 ", max_size=200))
def test_nothing_but_a_secret_is_found(secret: str, text: str) -> None:
    for start, end in spans(knowing(secret), text):
        assert text[start:end] == secret


@given(st.text(min_size=12, max_size=40))
def test_a_text_with_a_secret_is_never_far(secret: str) -> None:
    assert knowing(secret).near(msgspec.json.encode({"x": f"a {secret} b"}))


@pytest.mark.parametrize("count", [1, 8, 9, 200])
def test_many_secrets_are_found_like_few(count: int) -> None:
    secrets = [f"{number:04}-secret-{number * 7919:08}" for number in range(count)]
    found = knowing(*secrets)
    assert all(found.near(f"<{secret}>".encode()) and spans(found, secret) == ((0, len(secret)),) for secret in secrets)
    assert not found.near(b"nothing of the kind")


def test_short_secrets_are_not_looked_for() -> None:
    found = knowing("hunter2", "Bearer hunter2")
    assert not spans(found, "hunter2")
    assert spans(knowing("Bearer hunter2"), "Bearer hunter2") == ((0, 14),)


def test_no_secret_is_kept() -> None:
    found = knowing(SECRET)
    kept = [value for one in found._prints.values() for value in (one.hint, one.hmac, one.length, one.offset)]
    assert SECRET not in repr(kept)
    assert max(len(value) for value in kept if isinstance(value, str)) <= len(SECRET) // 3


def test_what_is_kept_means_nothing_under_another_key() -> None:
    assert set(knowing(SECRET)._prints) != set(Fingerprints(b"j" * 32)._prints)


def test_the_hint_is_not_the_vendors_prefix() -> None:
    (one,) = knowing(SECRET)._prints.values()
    assert "ghp" not in one.hint


def test_fingerprints_are_bounded_and_the_oldest_go_first() -> None:
    found = Fingerprints(b"k" * 32, most=3)
    secrets = [f"secret-number-{number:06}" for number in range(5)]
    for secret in (*secrets[:3], secrets[0], *secrets[3:]):
        found.add(secret)
    assert [bool(spans(found, secret)) for secret in secrets] == [True, False, False, True, True]


def test_who_repeats_the_hint_without_end_is_taken_to_leak() -> None:
    found = knowing(SECRET)
    (one,) = found._prints.values()
    text = (one.hint + " ") * (MOST_TRIES + 1)
    assert spans(found, text) == ((0, len(text)),)
