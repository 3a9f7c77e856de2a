"""Ten thousand ways to tamper with a log: each is found, at the first bad index where there is one."""

import random
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import pytest

from doorward import verifier
from tests.verifier.logs import OWNER, STRANGER, Case, signed, sound

ROUNDS = 10_000
SIZES = range(2, 14)
"""Of the logs that are tampered with; a step of the clock adds leaves of its own."""


@dataclass(frozen=True)
class Found:
    """What the verifier must say: one of these kinds, and the damage at `index` (exactly, or within what it names)."""

    kinds: frozenset[str]
    index: int | None
    is_exact: bool


def exactly(index: int | None, *kinds: str) -> Found:
    return Found(frozenset(kinds), index, is_exact=True)


def within(index: int, *kinds: str) -> Found:
    return Found(frozenset(kinds), index, is_exact=False)


def flipped(raw: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(raw) * 8)
    return bytes([byte ^ (1 << at % 8 if number == at // 8 else 0) for number, byte in enumerate(raw)])


def a_bit_of_a_leaf(case: Case, chance: random.Random) -> Found:
    index = chance.randrange(len(case.rows))
    seq, hashed, leaf = case.rows[index]
    case.rows[index] = (seq, hashed, flipped(leaf, chance))
    return exactly(index, "altered")


def a_bit_of_a_hash(case: Case, chance: random.Random) -> Found:
    index = chance.randrange(len(case.rows))
    seq, hashed, leaf = case.rows[index]
    case.rows[index] = (seq, flipped(hashed, chance), leaf)
    return exactly(index, "altered")


def a_bit_of_a_leaf_and_its_hash(case: Case, chance: random.Random) -> Found:
    index = chance.randrange(len(case.rows))
    case.write(index, flipped(case.rows[index][2], chance))
    return within(index, "altered", "gap", "time", "side")


def a_leaf_left_out(case: Case, chance: random.Random) -> Found:
    index = chance.randrange(len(case.rows))
    del case.rows[index]
    case.boxes.pop(index, None)
    return exactly(index, "missing", "truncated")


def a_leaf_left_out_and_the_rest_moved_up(case: Case, chance: random.Random) -> Found:
    index = chance.randrange(len(case.rows))
    del case.rows[index]
    case.rows = [(number, hashed, leaf) for number, (_, hashed, leaf) in enumerate(case.rows)]
    case.boxes.clear()
    return exactly(index, "gap", "truncated")


def two_leaves_swapped(case: Case, chance: random.Random) -> Found:
    first, second = sorted(chance.sample(range(len(case.rows)), 2))
    (_, hash_a, leaf_a), (_, hash_b, leaf_b) = case.rows[first], case.rows[second]
    case.rows[first], case.rows[second] = (first, hash_b, leaf_b), (second, hash_a, leaf_a)
    return exactly(first, "gap")


def two_leaves_swapped_and_renumbered(case: Case, chance: random.Random) -> Found:
    first, second = sorted(chance.sample(range(len(case.rows)), 2))
    case.boxes.clear()
    two_leaves_swapped_of = case.rows[first][2], case.rows[second][2]
    case.write(first, two_leaves_swapped_of[1])
    case.write(second, two_leaves_swapped_of[0])
    case.say(first, seq=first)
    case.say(second, seq=second)
    return within(first, "altered", "time")


def a_leaf_put_in_twice(case: Case, chance: random.Random) -> Found:
    index = chance.randrange(len(case.rows))
    case.rows.insert(index, case.rows[index])
    case.rows = [(number, hashed, leaf) for number, (_, hashed, leaf) in enumerate(case.rows)]
    case.boxes.clear()
    return exactly(index + 1, "gap")


def the_end_cut_off(case: Case, chance: random.Random) -> Found:
    size = chance.randrange(len(case.rows))
    del case.rows[size:]
    case.boxes = {index: box for index, box in case.boxes.items() if index < size}
    case.notes = [note for note in case.notes if int(note.split(b"\n")[1]) <= size]
    return exactly(size, "truncated")


def signed_anew_with_another_key(case: Case, chance: random.Random) -> Found:
    index = chance.randrange(len(case.rows))
    case.say(index, call="nobody")
    case.notes = [signed(STRANGER, [leaf for _, _, leaf in case.rows])]
    return exactly(None, "signature")


def a_fork_signed_with_the_logs_own_key(case: Case, chance: random.Random) -> Found:
    index = chance.randrange(len(case.rows))
    case.say(index, call="nobody")
    case.notes = [signed(OWNER, [leaf for _, _, leaf in case.rows])]
    return within(index, "fork")


def a_gap_in_the_sequence(case: Case, chance: random.Random) -> Found:
    index = chance.randrange(len(case.rows))
    case.say(index, seq=index + chance.choice((-1, 1, 1000)))
    return exactly(index, "gap")


def time_going_backwards(case: Case, chance: random.Random) -> Found:
    index = chance.randrange(1, len(case.rows))
    case.say(index, ts="2001-02-03T04:05:06.000000Z")
    return within(index, "time")


def no_time_at_all(case: Case, chance: random.Random) -> Found:
    index = chance.randrange(len(case.rows))
    case.say(index, ts=chance.choice((None, 17, "yesterday", "9999-99-99T99:99:99Z")))
    return exactly(index, "time")


def an_edit_of_a_side_record(case: Case, chance: random.Random) -> Found:
    index = chance.choice(list(case.boxes))
    box = case.boxes[index]
    edits = ({"sealed": flipped(box.sealed, chance)}, {"nonce": flipped(box.nonce, chance)}, {"key": 2}, {"size_bytes": 6})
    case.boxes[index] = msgspec.structs.replace(box, **chance.choice(edits))
    return exactly(index, "side")


def a_side_record_beside_another_leaf(case: Case, chance: random.Random) -> Found:
    index = chance.choice(list(case.boxes))
    other = chance.choice([number for number in range(len(case.rows)) if number != index])
    case.boxes[other] = case.boxes.pop(index)
    return exactly(other, "side")


def a_side_record_beside_no_leaf(case: Case, chance: random.Random) -> Found:
    case.boxes[len(case.rows) + chance.randrange(100)] = next(iter(case.boxes.values()))
    return exactly(None, "side")


def a_bit_of_a_checkpoint(case: Case, chance: random.Random) -> Found:
    at = chance.randrange(len(case.notes))
    case.notes[at] = flipped(case.notes[at], chance)
    return exactly(None, "signature")


TAMPERINGS: tuple[Callable[[Case, random.Random], Found], ...] = (
    a_bit_of_a_leaf,
    a_bit_of_a_hash,
    a_bit_of_a_leaf_and_its_hash,
    a_leaf_left_out,
    a_leaf_left_out_and_the_rest_moved_up,
    two_leaves_swapped,
    two_leaves_swapped_and_renumbered,
    a_leaf_put_in_twice,
    the_end_cut_off,
    signed_anew_with_another_key,
    a_fork_signed_with_the_logs_own_key,
    a_gap_in_the_sequence,
    time_going_backwards,
    no_time_at_all,
    an_edit_of_a_side_record,
    a_side_record_beside_another_leaf,
    a_side_record_beside_no_leaf,
    a_bit_of_a_checkpoint,
)


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda tamper: tamper.__name__)
def test_every_tampering_is_found_where_it_is(tamper: Callable[[Case, random.Random], Found]) -> None:
    chance = random.Random(tamper.__name__)
    logs = [sound(size) for size in SIZES]
    for log in logs:
        assert log.verdict() is not None
    for number in range(-(-ROUNDS // len(TAMPERINGS))):
        case = chance.choice(logs).copy()
        expected = tamper(case, chance)
        with pytest.raises(verifier.TamperedError) as raised:
            case.verdict()
        said = raised.value
        assert said.kind in expected.kinds, f"round {number}: {said}"
        if expected.is_exact or expected.index is None:
            assert said.first == expected.index, f"round {number}: {said}"
        else:
            assert said.first is not None
            assert said.first <= expected.index < (said.stop or said.first + 1), f"round {number}: {said}"
