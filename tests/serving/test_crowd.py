"""Who goes when there is no room: what is silent, first of whoever has most."""

from dataclasses import dataclass

from doorward.serving.crowd import leaving


@dataclass(frozen=True)
class Seen:
    client: tuple[str, int] | None
    quiet_since: float
    is_silent: bool = True


def test_the_longest_silent_goes_first_of_whoever_has_most() -> None:
    mine = [Seen(("10.0.0.1", port), port) for port in range(1, 30)]
    others = [Seen(("10.0.0.2", port), 0.5) for port in range(10)]
    assert leaving([*others, *mine]) == mine[:3]


def test_nobody_goes_where_something_goes_on() -> None:
    assert leaving([Seen(("10.0.0.1", 1), 1.0, is_silent=False), Seen(None, 2.0, is_silent=False)]) == []


def test_who_has_no_address_goes_too() -> None:
    one = Seen(None, 1.0)
    assert leaving([one]) == [one]
