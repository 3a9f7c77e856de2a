"""Sealed text."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.wire.sealed import Seal

KEY, OTHER = b"k" * 32, b"o" * 32
NONCE = bytes(range(12))


@given(st.binary(max_size=200), st.binary(max_size=50))
def test_what_was_sealed_opens_in_its_own_context(plain: bytes, context: bytes) -> None:
    assert Seal((KEY,)).open(Seal((KEY,)).seal(plain, context, NONCE), context) == plain


@given(st.binary(max_size=50), st.binary(max_size=50), st.binary(max_size=50))
def test_another_context_opens_nothing(plain: bytes, context: bytes, other: bytes) -> None:
    opened = Seal((KEY,)).open(Seal((KEY,)).seal(plain, context, NONCE), other)
    assert opened == (plain if context == other else None)


@given(st.binary(max_size=40), st.data())
def test_any_changed_character_opens_nothing(plain: bytes, data: st.DataObject) -> None:
    text = Seal((KEY,)).seal(plain, b"c", NONCE)
    at = data.draw(st.integers(0, len(text) - 1))
    put = data.draw(st.characters().filter(lambda character: character != text[at]))
    assert Seal((KEY,)).open(text[:at] + put + text[at + 1 :], b"c") is None


@given(st.text(max_size=80))
def test_text_that_is_not_ours_opens_nothing(text: str) -> None:
    assert Seal((KEY,)).open(text, b"c") is None


def test_a_retired_key_still_opens_and_a_strange_one_does_not() -> None:
    old = Seal((OTHER,)).seal(b"state", b"c", NONCE)
    assert Seal((KEY, OTHER)).open(old, b"c") == b"state"
    assert Seal((KEY,)).open(old, b"c") is None


@given(st.binary(max_size=40), st.data())
def test_any_flipped_bit_opens_nothing(plain: bytes, data: st.DataObject) -> None:
    raw = bytearray(base64.urlsafe_b64decode(Seal((KEY,)).seal(plain, b"c", NONCE) + "=="))
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    assert Seal((KEY,)).open(base64.urlsafe_b64encode(raw).rstrip(b"=").decode(), b"c") is None


@given(st.binary(max_size=40), st.integers(0, 2))
def test_a_sealed_text_is_visible_ascii_that_tells_nothing(plain: bytes, more: int) -> None:
    text = Seal((KEY,)).seal(plain + b"secret" * more, b"c", NONCE)
    assert all("!" <= character <= "~" for character in text)
    assert Seal((KEY,)).open(text + "=" * more, b"c") == (plain if more == 0 else None)


def test_keys_and_nonces_of_another_length_are_not_taken() -> None:
    for keys in ((), (b"short",), (KEY, b"k" * 16)):
        with pytest.raises(ValueError):
            Seal(keys)
    for nonce in (b"", bytes(11), bytes(16)):
        with pytest.raises(ValueError):
            Seal((KEY,)).seal(b"", b"", nonce)


def test_a_ring_shows_no_key() -> None:
    assert "kkk" not in repr(Seal((KEY,)))
