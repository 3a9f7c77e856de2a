"""Signatures of webhooks as Standard Webhooks 1.0 has them, and everything that is none."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.approval.channels.signature import KeyFormError, Message, SignatureError, key_of, sign, verify

PUBLISHED = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""Secret, message and signature that the specification's own libraries are tested with."""
MESSAGE = Message("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
NOW = 1_614_265_330.0
KEY = key_of(PUBLISHED)


def test_the_published_example_is_signed_and_verified_as_published() -> None:
    assert sign(KEY, MESSAGE) == SIGNATURE
    verify(KEY, MESSAGE, SIGNATURE, NOW)


@given(st.binary(min_size=24, max_size=64), st.binary(max_size=200), st.integers(-300, 300))
def test_what_is_signed_verifies_within_the_tolerance_and_with_no_other_secret(key: bytes, body: bytes, off: int) -> None:
    message = Message("id-1", "1000000", body)
    verify(key, message, sign(key, message), 1_000_000.0 + off)
    with pytest.raises(SignatureError):
        verify(key + b"!", message, sign(key, message), 1_000_000.0 + off)


@pytest.mark.parametrize(
    "changed",
    [
        Message(MESSAGE.id, MESSAGE.timestamp, MESSAGE.body + b" "),
        Message(MESSAGE.id, MESSAGE.timestamp, MESSAGE.body.replace(b"2", b"3", 1)),
        Message(MESSAGE.id, "1614265331", MESSAGE.body),
        Message("msg_other", MESSAGE.timestamp, MESSAGE.body),
    ],
)
def test_a_changed_body_time_or_id_is_not_what_was_signed(changed: Message) -> None:
    with pytest.raises(SignatureError):
        verify(KEY, changed, SIGNATURE, NOW)


@pytest.mark.parametrize("off", [-301.0, 301.0, 86_400.0])
def test_a_message_of_long_ago_or_of_a_clock_far_ahead_is_refused(off: float) -> None:
    with pytest.raises(SignatureError):
        verify(KEY, MESSAGE, SIGNATURE, NOW + off)


def test_one_of_several_signatures_is_enough_as_while_a_secret_is_changed() -> None:
    other = sign(b"o" * 32, MESSAGE)
    for given_ones in (f"{other} {SIGNATURE}", f"{SIGNATURE} {other}", f"v1a,abc {SIGNATURE}"):
        verify(KEY, MESSAGE, given_ones, NOW)
    with pytest.raises(SignatureError):
        verify(KEY, MESSAGE, f"{other} {other}", NOW)


@pytest.mark.parametrize(
    "signatures",
    [
        "",
        " ",
        "v1,",
        SIGNATURE.removeprefix("v1,"),
        SIGNATURE.replace("v1,", "v2,"),
        SIGNATURE.lower(),
        f"{SIGNATURE},",
        f"\t{SIGNATURE}",
        " ".join(["v1,x"] * 16 + [SIGNATURE]),
        "v1,\udcff",
    ],
)
def test_what_is_no_signature_of_ours_is_none(signatures: str) -> None:
    with pytest.raises(SignatureError):
        verify(KEY, MESSAGE, signatures, NOW)


@pytest.mark.parametrize(
    ("message_id", "timestamp"),
    [
        ("", "1614265330"),
        ("a.b", "1614265330"),
        ("a b", "1614265330"),
        ("a" * 257, "1614265330"),
        ("a", ""),
        ("a", "-5"),
        ("a", "1614265330.0"),
        ("a", "١٦١٤٢٦٥٣٣٠"),
        ("a", "1" * 13),
        ("a", "0x1"),
        ("a", "NaN"),
    ],
)
def test_an_id_or_time_that_could_be_read_in_two_ways_is_refused(message_id: str, timestamp: str) -> None:
    message = Message(message_id, timestamp, b"{}")
    with pytest.raises(SignatureError):
        verify(KEY, message, sign(KEY, message), NOW)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        PUBLISHED.removeprefix("whsec_"),
        "whsec_" + b64encode(b"k" * 23).decode(),
        "whsec_" + b64encode(b"k" * 65).decode(),
        "whsec_not base64 at all but long enough for it",
        f"{PUBLISHED} ",
    ],
)
def test_a_secret_of_another_form_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(KeyFormError) as caught:
        key_of(secret)
    assert caught.value.__cause__ is None
    assert not secret.removeprefix("whsec_") or secret.removeprefix("whsec_") not in str(caught.value)
