"""What an agent key looks like, and what is kept of it."""

import re

from hypothesis import given
from hypothesis import strategies as st

from doorward.domain.ids import AgentId, Digest
from doorward.identity.keys import KeyRecord, digest, issue, key_id, matches

SCANNED = re.compile(r"\bdw_[0-9A-Za-z]{11}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}\b")


def made(fill: int = 7) -> tuple[str, KeyRecord]:
    return issue(AgentId("claude"), lambda length: bytes([fill]) * length, 100.0, 60.0)


def test_a_key_has_the_form_that_scanners_know_and_256_bits_of_secret() -> None:
    asked: list[int] = []

    def draws(length: int) -> bytes:
        asked.append(length)
        return b"\xff" * length

    text, _ = issue(AgentId("claude"), draws, 100.0, 60.0)
    assert SCANNED.fullmatch(text)
    assert asked == [8, 32]


def test_nothing_of_the_secret_is_kept() -> None:
    text, record = made()
    assert record == KeyRecord(record.id, AgentId("claude"), digest(text), 100.0, 160.0, None)
    assert text.split("_")[2] not in repr(record)
    assert len(record.sha256) == 64


def test_the_key_id_is_read_from_the_text() -> None:
    text, record = made()
    assert key_id(text) == record.id


@given(st.data())
def test_a_key_with_one_changed_character_is_not_well_formed(data: st.DataObject) -> None:
    text, _ = made()
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters().filter(lambda letter: letter != text[at]))
    changed = text[:at] + other + text[at + 1 :]
    assert key_id(changed) is None


@given(st.text())
def test_no_other_text_is_well_formed(text: str) -> None:
    assert key_id(text) is None
    assert key_id(f"dw_{text}") is None


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_different_secrets_make_different_texts_of_one_length(one: bytes, other: bytes) -> None:
    texts = {issue(AgentId("a"), lambda length, raw=raw: raw[:length], 0.0, 1.0)[0] for raw in (one, other)}  # type: ignore[misc]
    assert len(texts) == (1 if one == other else 2)
    assert {len(text) for text in texts} == {65}


def test_only_the_key_itself_matches_its_record() -> None:
    text, record = made()
    another, _ = made(fill=8)
    assert matches(text, record)
    assert not matches(another, record)
    assert not matches(text, None)
    assert not matches(text, KeyRecord(record.id, record.agent, Digest("0" * 64), 0.0, 1.0))
