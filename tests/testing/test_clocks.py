"""Time, ids and bytes that a test holds."""

from doorward.testing.clocks import NOON, Clock, Draws, Ids


def test_both_clocks_stand_until_they_are_moved() -> None:
    clock = Clock()
    before = clock.monotonic()
    assert (clock.now(), clock.moment().unix_seconds, clock.reading().wall_micros) == (NOON, NOON, int(NOON * 1e6))
    clock.pass_seconds(1.5)
    assert (clock.now() - NOON, clock.monotonic() - before, clock.reading().steady - before) == (1.5, 1.5, 1.5)


def test_ids_count_for_themselves() -> None:
    one, other = Ids("a"), Ids("b")
    assert [one(), one(), other()] == ["a-1", "a-2", "b-1"]


def test_draws_are_as_long_as_asked_and_never_the_same() -> None:
    draws = Draws()
    drawn = [draws(count) for count in (0, 1, 12, 32, 4096)]
    assert [len(one) for one in drawn] == [0, 1, 12, 32, 4096]
    nonces = [draws.nonce() for _ in range(1000)]
    assert (len(set(nonces)), {len(nonce) for nonce in nonces}) == (1000, {12})
    again = Draws()
    assert [again(count) for count in (0, 1, 12, 32, 4096)] == drawn
