"""The current snapshot, and who hears of the next."""

from doorward.domain.ids import Generation
from doorward.runtime.build import Rigour, build
from doorward.runtime.generations import Generations
from doorward.runtime.snapshot import Snapshot
from tests.runtime.test_build import materials


def snapshot(number: int) -> Snapshot:
    made = build(materials(), Generation(number), Rigour.STRICT)
    assert isinstance(made, Snapshot)
    return made


def test_followers_hear_of_each_swap_once_it_is_made() -> None:
    generations = Generations(snapshot(1))
    heard: list[int] = []
    for factor in (1, 10):
        generations.follow(lambda factor=factor: heard.append(factor * generations.current.generation))  # type: ignore[misc]
    assert generations.next() == 2
    generations.swap(snapshot(2))
    assert (heard, generations.current.generation, generations.next()) == ([2, 20], 2, 3)
