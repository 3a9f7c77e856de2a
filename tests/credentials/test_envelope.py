"""Envelope encryption of records."""

import os

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from doorward.credentials.envelope import (
    ID_AT,
    MAGIC,
    OVERHEAD_BYTES,
    AlteredError,
    Context,
    Envelope,
    EnvelopeError,
    NotSealedError,
    UnknownKeyError,
    key_of,
)
from tests.sealing import STORE_KEY, envelope

WORDS = st.text(max_size=12)
CONTEXTS = st.builds(Context, WORDS, st.lists(WORDS, max_size=3).map(tuple), WORDS)
HERE = Context("approval", ("a1",))
NEW_KEY = b"store-02"


@given(st.binary(max_size=300), CONTEXTS)
def test_what_was_sealed_opens_in_its_own_place(plain: bytes, context: Context) -> None:
    sealed = envelope().seal(plain, context)
    assert envelope().open(sealed, context) == plain
    assert len(sealed) == len(plain) + OVERHEAD_BYTES


@given(st.binary(max_size=40), CONTEXTS, CONTEXTS)
def test_nothing_opens_in_another_table_row_or_column(plain: bytes, context: Context, other: Context) -> None:
    sealed = envelope().seal(plain, context)
    if context == other:
        assert envelope().open(sealed, other) == plain
    else:
        with pytest.raises(AlteredError):
            envelope().open(sealed, other)
        with pytest.raises(AlteredError):
            envelope().rewrap(sealed, other)


@given(st.binary(max_size=40), st.data())
def test_nothing_opens_with_any_bit_turned(plain: bytes, data: st.DataObject) -> None:
    sealed = bytearray(envelope().seal(plain, HERE))
    at = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[at // 8] ^= 1 << at % 8
    with pytest.raises(EnvelopeError):
        envelope().open(bytes(sealed), HERE)


@given(st.binary(max_size=40), st.data())
def test_nothing_opens_that_was_cut_or_made_longer(plain: bytes, data: st.DataObject) -> None:
    sealed = envelope().seal(plain, HERE)
    cut = data.draw(st.integers(0, len(sealed) - 1))
    for wrong in (sealed[:cut], sealed + b"\0"):
        with pytest.raises(EnvelopeError):
            envelope().open(wrong, HERE)


@given(st.binary(max_size=200))
def test_bytes_that_are_not_ours_do_not_open(raw: bytes) -> None:
    with pytest.raises(NotSealedError):
        envelope().open(raw, HERE)


def test_why_a_record_does_not_open_is_told_apart() -> None:
    sealed = envelope().seal(b"plain", HERE)
    with pytest.raises(UnknownKeyError, match="store key " + NEW_KEY.hex()):
        envelope().open(sealed[:ID_AT] + NEW_KEY + sealed[ID_AT + 8 :], HERE)
    with pytest.raises(NotSealedError, match="newer version"):
        envelope().open(b"dwe2" + sealed[4:], HERE)
    with pytest.raises(AlteredError, match="another row"):
        envelope().open(sealed, Context("approval", ("a2",)))


@given(st.binary(max_size=100))
def test_a_rewrapped_record_opens_under_the_new_key_alone_with_its_contents_as_they_were(plain: bytes) -> None:
    old, both = envelope(), envelope()
    sealed = old.seal(plain, HERE)
    both.add(NEW_KEY, b"n" * 32)
    again = both.rewrap(sealed, HERE)
    new = Envelope({NEW_KEY: b"n" * 32}, NEW_KEY, b"i" * 32, os.urandom)
    assert new.open(again, HERE) == plain == both.open(sealed, HERE)
    assert (key_of(sealed), key_of(again)) == (STORE_KEY, NEW_KEY)
    assert again[-len(plain) - 28 :] == sealed[-len(plain) - 28 :]
    with pytest.raises(UnknownKeyError):
        old.open(again, HERE)


def test_equal_records_look_different_each_time() -> None:
    sealed = {envelope().seal(b"plain", HERE) for _ in range(50)}
    assert len({record[ID_AT + 8 :][:12] for record in sealed}) == len({record[-21:] for record in sealed}) == 50


def test_the_format_is_as_documented() -> None:
    sealed = envelope().seal(b"plain", HERE)
    assert (sealed[:4], sealed[4:12], OVERHEAD_BYTES, len(sealed)) == (MAGIC, STORE_KEY, 100, 105)
    assert (key_of(sealed), key_of(b"dwe1"), key_of(b"")) == (STORE_KEY, None, None)


@given(WORDS, WORDS, WORDS, WORDS)
def test_marks_are_the_same_for_the_same_name_and_purpose_only(purpose: str, name: str, other_purpose: str, other: str) -> None:
    is_same = (purpose, name) == (other_purpose, other)
    assert (envelope().mark(purpose, name) == envelope().mark(other_purpose, other)) is is_same


def test_marks_say_nothing_without_their_key_and_outlast_store_keys() -> None:
    strange = Envelope({STORE_KEY: b"s" * 32}, STORE_KEY, b"j" * 32, os.urandom)
    rotated = Envelope({NEW_KEY: b"n" * 32}, NEW_KEY, b"i" * 32, os.urandom)
    here = envelope().mark("consent.subject", "corp:ann")
    assert strange.mark("consent.subject", "corp:ann") != here == rotated.mark("consent.subject", "corp:ann")


@given(st.text(max_size=60), WORDS)
def test_a_hidden_name_is_always_the_same_and_is_read_again(name: str, purpose: str) -> None:
    assume(name)
    hidden = envelope().hide(purpose, name)
    assert (envelope().hide(purpose, name), envelope().shown(purpose, hidden)) == (hidden, name)
    for strange in (hidden[:-2], "A" + hidden, "", "é"):
        with pytest.raises(AlteredError):
            envelope().shown(purpose, strange)
    with pytest.raises(AlteredError):
        envelope().shown(purpose + "x", hidden)


def test_hidden_names_outlive_what_is_remembered_of_them() -> None:
    one = envelope()
    assert [one.shown("p", one.hide("p", f"n{number}")) for number in range(5000)] == [f"n{number}" for number in range(5000)]


@pytest.mark.parametrize("keys", [{}, {b"short": b"s" * 32}, {STORE_KEY: b"s" * 31}], ids=["none", "id", "length"])
def test_keys_that_are_none_are_not_taken(keys: dict[bytes, bytes]) -> None:
    with pytest.raises(ValueError, match="store keys"):
        Envelope(keys, next(iter(keys), STORE_KEY), b"i" * 32, os.urandom)


def test_an_envelope_shows_no_key() -> None:
    assert repr(envelope()) == "Envelope(…)"
