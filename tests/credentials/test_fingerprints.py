"""Our own secrets in other texts: found exactly, without being kept."""

import base64
import json
from collections.abc import Iterator
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.credentials.fingerprints import MASK, MOST_TRIES, Fingerprints

SECRET = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"


def knowing(*secrets: str) -> Fingerprints:
    found = Fingerprints(b"k" * 32)
    for secret in secrets:
        found.add(secret)
    return found


def spans(known: Fingerprints, text: str) -> tuple[tuple[int, int], ...]:
    return known.spans(text)


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


def kept(value: object) -> Iterator[object]:
    """Everything that is reachable from a value."""
    yield value
    if isinstance(value, dict):
        for inner in (*value.keys(), *value.values()):
            yield from kept(inner)
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from kept(inner)
    else:
        for name in getattr(type(value), "__slots__", ()):
            yield from kept(getattr(value, name))


def test_no_secret_is_kept() -> None:
    texts = [one if isinstance(one, bytes) else str(one).encode() for one in kept(knowing(SECRET)) if isinstance(one, str | bytes | int)]
    written = b"\n".join(text for text in texts if text != b"k" * 32)
    windows = [SECRET[at : at + 6] for at in range(len(SECRET) - 5)]
    assert [window for window in windows if window.encode() in written] == []
    assert max(len(text) for text in texts if text != b"" and len(text) != 256) <= 32


def test_what_is_kept_means_nothing_under_another_key() -> None:
    one, other = knowing(SECRET), Fingerprints(b"j" * 32)
    other.add(SECRET)
    assert one.mark(SECRET) != other.mark(SECRET)
    assert set(one._all._shapes).isdisjoint(other._all._shapes)


def test_what_is_noted_is_bounded_and_the_oldest_go_first() -> None:
    found = Fingerprints(b"k" * 32, most=3)
    secrets = [f"secret-number-{number:06}" for number in range(8)]
    for secret in (*secrets[:3], secrets[0], *secrets[3:]):
        found.add(secret)
    # Three are noted; the three before them are remembered all the same.
    assert [bool(spans(found, secret)) for secret in secrets] == [True, False, False, True, True, True, True, True]


def test_what_is_held_is_never_forgotten_and_what_was_let_go_is_after_a_while() -> None:
    found = Fingerprints(b"k" * 32, most=2)
    held = [f"held-secret-number-{number:06}" for number in range(100)]
    for secret in held:
        found.hold(secret)
    for number in range(10):
        found.add(f"noted-secret-number-{number:06}")
    assert all(spans(found, secret) for secret in held)
    for secret in held[:50]:
        found.let_go(secret)
    assert [bool(spans(found, secret)) for secret in held] == [False] * 48 + [True] * 52


def test_a_secret_that_two_hold_is_found_until_both_have_let_it_go() -> None:
    found = Fingerprints(b"k" * 32, most=0)
    for _ in range(2):
        found.hold(SECRET)
    found.let_go(SECRET)
    assert spans(found, SECRET)
    found.let_go(SECRET)
    assert not spans(found, SECRET)
    found.let_go(SECRET)
    found.hold(SECRET)
    assert spans(found, SECRET)


@given(st.lists(st.tuples(st.sampled_from(["hold", "let_go"]), st.integers(0, 5))))
def test_whatever_comes_and_goes_exactly_what_is_held_is_found(steps: list[tuple[str, int]]) -> None:
    secrets = [f"{number}-of-one-maker-0123456789abcdef-all-end-alike" for number in range(3)] + [
        f"{number}-short-secr" for number in range(3)
    ]
    found, holds = Fingerprints(b"k" * 32, most=0), [0] * 6
    for verb, which in steps:
        if verb == "hold":
            found.hold(secrets[which])
            holds[which] += 1
        else:
            found.let_go(secrets[which])
            holds[which] = max(0, holds[which] - 1)
    assert [bool(spans(found, secret)) for secret in secrets] == [count > 0 for count in holds]
    if not any(holds):
        assert (found._all._shapes, found._all._more, found._hmacs, found._known) == ({}, {}, {}, {})


def test_tokens_that_differ_in_their_beginnings_alone_are_told_apart() -> None:
    end = "-a-long-suffix-that-every-token-of-this-maker-has-production-eu-west-1-0123456789"
    found = knowing(*(f"token{number:05}{end}" for number in range(5000)))
    assert spans(found, f"token04999{end}") == ((0, 10 + len(end)),)
    assert spans(found, f"token05000{end}") == ()


SPOKEN = f"user:{SECRET}"


@pytest.mark.parametrize(
    "disguised",
    [
        *(base64.b64encode(before + SPOKEN.encode() + b"?after").decode() for before in (b"", b"a", b"ab", b"abc")),
        base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
        "x" + base64.b64encode(SECRET.encode()).decode(),
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
        "0x" + SECRET.encode().hex(),
        "".join(f"%{byte:02x}" for byte in SECRET.encode()),
    ],
)
def test_a_secret_in_another_encoding_is_found_where_that_stands(disguised: str) -> None:
    found, text = knowing(SECRET), f"said: <{disguised}>, no more"
    assert found.near(msgspec.json.encode({"text": text}))
    places = spans(found, text)
    assert places
    assert all(SECRET not in text[:start] + text[end:] and disguised not in text[:start] + text[end:] for start, end in places)


ODD = "k/y+with=odd&signs/and+more=="


@pytest.mark.parametrize(
    "disguised",
    [quote(ODD, safe=""), quote(ODD), quote(ODD, safe="").lower(), f"a=b&token={quote(ODD, safe='')}&c=d", ODD.replace("/", r"\/")],
)
def test_a_secret_with_signs_is_found_escaped(disguised: str) -> None:
    found = knowing(ODD)
    assert found.near(msgspec.json.encode({"text": f"see {disguised}"}))
    assert spans(found, f"see {disguised}")


@given(st.text(min_size=12, max_size=40))
def test_a_text_with_json_in_it_with_a_secret_is_never_far_and_found(secret: str) -> None:
    found, inner = knowing(secret), json.dumps({"a": f"<{secret}>"}, ensure_ascii=False)
    assert found.near(msgspec.json.encode({"x": inner}))
    assert spans(found, inner)
    assert spans(found, json.dumps({"a": f"<{secret}>"}))


@given(st.binary(min_size=9, max_size=40), st.binary(max_size=20), st.binary(max_size=20))
def test_any_secret_is_found_in_base64_of_more(secret: bytes, before: bytes, after: bytes) -> None:
    text = secret.hex()
    encoded = base64.b64encode(before + text.encode() + after).decode()
    assert spans(knowing(text), f"{encoded}.")


@given(st.lists(st.text(alphabet="ab01", min_size=12, max_size=20), min_size=1, max_size=5), st.text(alphabet="ab01", max_size=200))
def test_exactly_what_a_plain_search_finds_is_found(secrets: list[str], text: str) -> None:
    places = {(at, at + len(one)) for one in secrets for at in range(len(text)) if text.startswith(one, at)}
    disguised = {span for span in spans(knowing(*secrets), text) if text[slice(*span)] not in secrets}
    assert set(spans(knowing(*secrets), text)) - disguised == places


def test_behind_the_head_of_a_jwt_all_of_it_is_withheld() -> None:
    head = "eyJhbGciOiJFUzI1NiIsInR5cCI6ImRvb3J3YXJkLWNhbGwrand0In0."
    assert knowing(head).mask(f"<Bearer {head}eyJh-x_y.c2ln-_A> {head[:-1]}, more") == f"<Bearer {MASK}> {head[:-1]}, more"


def test_words_of_a_document_are_no_secrets_and_lines_of_its_key_are() -> None:
    line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
    found = knowing(f"-----BEGIN PRIVATE KEY-----\n{line}\n-----END PRIVATE KEY-----\n")
    assert spans(found, line)
    account = json.dumps({"type": "service_account", "auth_uri": "https://accounts.google.com/o/oauth2/auth"}, indent=1)
    known = knowing(account)
    assert spans(known, account)
    assert not any(spans(known, word) for word in account.split())


def test_who_repeats_a_piece_without_end_is_taken_to_leak() -> None:
    found = knowing(SECRET)
    text = (SECRET[1:] + " ") * (MOST_TRIES + 2)
    assert spans(found, text) == ((0, len(text)),)
