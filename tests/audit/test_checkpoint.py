"""Signed notes, checkpoints and keys, against the published examples and against damage."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.audit.checkpoint import CheckpointError, Signer, Vkey, parse, rotation, verify
from doorward.audit.merkle import Tree
from doorward.domain.receipts import Event

SIGNER = Signer("log.test/a", bytes(range(32)))
TREE = Tree(7, bytes(range(100, 132)))
NOTE = SIGNER.sign(TREE)

PUBLISHED = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
"""The key of the signed-note examples; its note follows."""
PUBLISHED_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"


def test_a_checkpoint_has_the_form_of_the_specification() -> None:
    text, signature = NOTE.decode().split("\n\n")
    assert text == f"log.test/a\n7\n{base64.b64encode(TREE.root).decode()}"
    dash, name, encoded = signature.rstrip("\n").split(" ")
    assert (dash, name) == ("—", "log.test/a")
    assert base64.b64decode(encoded)[:4] == SIGNER.vkey.id
    assert len(base64.b64decode(encoded)) == 4 + 64


def test_a_checkpoint_verifies_with_its_key_alone() -> None:
    assert verify(NOTE, SIGNER.vkey) == TREE
    assert parse(NOTE) == ("log.test/a", TREE)
    for other in (Signer("log.test/a", bytes(32)).vkey, Signer("log.test/b", bytes(range(32))).vkey):
        with pytest.raises(CheckpointError):
            verify(NOTE, other)


def test_other_signatures_may_stand_beside_ours() -> None:
    witness = base64.b64encode(b"abcd" + bytes(72)).decode()
    assert verify(NOTE + f"— witness.test/w {witness}\n".encode(), SIGNER.vkey) == TREE


def test_a_published_key_is_read_and_written_back() -> None:
    assert str(Vkey.parse(PUBLISHED)) == PUBLISHED
    assert Vkey.parse(PUBLISHED).id.hex() == "c74f20a3"
    assert Vkey.parse(f"{SIGNER.vkey}\n") == SIGNER.vkey


@pytest.mark.parametrize(
    "line", ["", "a+b+c", PUBLISHED.replace("c74f", "c74e"), PUBLISHED[:-4], "a b+c74f20a3+AR", PUBLISHED.replace("+AR", "+BR")]
)
def test_a_line_that_is_no_key_is_refused(line: str) -> None:
    with pytest.raises(CheckpointError):
        Vkey.parse(line)


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "a\nb"])
def test_an_origin_that_a_note_cannot_hold_is_refused(origin: str) -> None:
    with pytest.raises(CheckpointError, match="origin"):
        Signer(origin, bytes(32))


@given(st.integers(0, len(NOTE) * 8 - 1))
def test_no_flipped_bit_of_a_checkpoint_verifies(at: int) -> None:
    damaged = bytearray(NOTE)
    damaged[at // 8] ^= 1 << at % 8
    with pytest.raises(CheckpointError):
        verify(bytes(damaged), SIGNER.vkey)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_anything_else_is_refused_and_nothing_breaks(raw: bytes) -> None:
    with pytest.raises(CheckpointError):
        verify(raw, SIGNER.vkey)


def test_a_note_of_any_length_is_not_looked_at() -> None:
    with pytest.raises(CheckpointError, match="at most"):
        parse(NOTE + b"x" * 70_000)


def test_a_start_with_another_key_is_told_with_the_key_to_verify_with_from_now_on() -> None:
    other = Signer("log.test/a", bytes(32)).vkey
    assert (rotation(None, other), rotation(NOTE, SIGNER.vkey)) == (None, None)
    assert rotation(NOTE, other) == Event("log_key_rotated", "doorward", {"from": SIGNER.vkey.id.hex(), "to": str(other)})
