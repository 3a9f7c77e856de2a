"""Where time, chance and ids come from."""

from doorward.app import clocks
from doorward.app.clocks import Pool, both, draw, new_id, nonce

DIGITS = set("0123456789abcdefghjkmnpqrstvwxyz")


def test_ids_are_ulids_that_nobody_else_gets() -> None:
    ids = [new_id() for _ in range(20_000)]
    assert len(set(ids)) == len(ids)
    assert {len(one) for one in ids} == {26}
    assert set("".join(ids)) <= DIGITS


def test_ids_sort_by_time_and_say_it() -> None:
    before = int(clocks.now() * 1000)
    ids = [new_id() for _ in range(2_000)]
    after = int(clocks.now() * 1000)
    stamps = [sum("0123456789abcdefghjkmnpqrstvwxyz".index(digit) * 32**place for place, digit in enumerate(one[9::-1])) for one in ids]
    assert stamps == sorted(stamps)
    assert before <= stamps[0] <= stamps[-1] <= after
    assert [one[:10] for one in ids] == sorted(one[:10] for one in ids)


def test_what_a_pool_gives_is_given_once() -> None:
    pool = Pool()
    taken = [pool.take(count) for count in (10, 12) * 2_000]
    assert {len(one) for one in taken} == {10, 12}
    assert len(set(taken)) == len(taken)
    assert len({nonce() for _ in range(2_000)}) == 2_000
    assert (len(draw(32)), draw(32) != draw(32)) == (32, True)


def test_both_clocks_are_read_at_once() -> None:
    one = both()
    assert abs(one.wall_micros / 1e6 - clocks.now()) < 60
    assert one.steady <= clocks.monotonic()
