"""What processes are made of: accepted once, held back when it has changed, and a person's yes to exactly what was shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from doorward.catalog.pins import Approval, StaleApprovalError
from doorward.config.model import Document
from doorward.domain.catalog import Kind, Standing
from doorward.domain.errors import UnrecordedError
from doorward.domain.ids import UpstreamId
from doorward.domain.receipts import Event
from doorward.runtime.programs import NAME, Means, Programs
from doorward.stores.memory import MemoryPins

pytestmark = pytest.mark.anyio

FILES = UpstreamId("files")
ONE: Mapping[str, object] = {"parts": [{"sort": "program", "name": "serve", "sha256": "1" * 64}]}
TWO: Mapping[str, object] = {"parts": [{"sort": "program", "name": "serve", "sha256": "2" * 64}]}


@dataclass
class House:
    pin: Mapping[str, object] = field(default_factory=dict)
    pins: MemoryPins = field(default_factory=MemoryPins)
    told: list[Event] = field(default_factory=list)
    released: list[UpstreamId] = field(default_factory=list)
    stopped: list[UpstreamId] = field(default_factory=list)
    is_deaf: bool = False

    def programs(self) -> Programs:
        document = Document.model_validate({"upstreams": {"files": {"stdio": {"command": ["serve"], "pin": self.pin}}}})

        async def note(event: Event) -> None:
            if self.is_deaf:
                raise UnrecordedError("full")
            self.told.append(event)

        programs = Programs(Means(self.pins, note, lambda: 0.0, lambda: document))
        programs.released, programs.stopped = self.released.append, self.stopped.append
        return programs

    def said(self) -> list[str]:
        return [f"{event.type} by {event.by}" for event in self.told]


def yes(programs: Programs) -> Approval:
    [shown] = programs.shown()
    return Approval(FILES, Kind.PROGRAM, NAME, shown.definition.digest)


async def test_the_first_one_is_accepted_and_another_one_is_held_back_until_somebody_says_yes() -> None:
    house = House()
    programs = house.programs()
    assert await programs.accepts(FILES, ONE)
    assert not await programs.accepts(FILES, TWO)
    assert not await programs.accepts(FILES, TWO)
    assert house.said() == ["definition_approved by first-use", "definition_drifted by doorward"]
    [shown] = programs.shown()
    assert (shown.standing, "2222" in shown.text, "1111" in shown.text) == (Standing.DRIFTED, True, True)
    await programs.approve([yes(programs)], "ada")
    assert await programs.accepts(FILES, TWO)
    assert not await programs.accepts(FILES, ONE)
    assert house.released == [FILES]


async def test_what_was_accepted_outlives_the_gateway() -> None:
    house = House()
    await house.programs().accepts(FILES, ONE)
    again = house.programs()
    assert not await again.accepts(FILES, TWO)
    assert await again.accepts(FILES, ONE)


async def test_under_review_nothing_runs_before_a_person_has_seen_it() -> None:
    house = House({"trust": "review"})
    programs = house.programs()
    assert not await programs.accepts(FILES, ONE)
    assert [one.standing for one in programs.shown()] == [Standing.NEW]
    await programs.approve([yes(programs)], "ada")
    assert await programs.accepts(FILES, ONE)


async def test_a_digest_in_the_configuration_is_all_that_counts() -> None:
    house = House()
    await house.programs().accepts(FILES, ONE)
    digest = house.pins.all()[0].digest
    programs = House({"digest": digest}).programs()
    assert await programs.accepts(FILES, ONE)
    assert not await programs.accepts(FILES, TWO)
    assert [one.standing for one in programs.shown()] == [Standing.DRIFTED]


async def test_a_yes_to_what_is_not_there_any_more_is_none() -> None:
    house = House({"trust": "review"})
    programs = house.programs()
    await programs.accepts(FILES, ONE)
    approval = yes(programs)
    await programs.accepts(FILES, TWO)
    with pytest.raises(StaleApprovalError):
        await programs.approve([approval], "ada")
    assert not await programs.accepts(FILES, ONE)


async def test_what_is_withdrawn_is_not_accepted_at_first_use_again() -> None:
    house = House()
    programs = house.programs()
    await programs.accepts(FILES, ONE)
    await programs.withdraw([FILES], "ada")
    assert not await programs.accepts(FILES, ONE)
    assert not programs.is_accepted(FILES)
    assert house.stopped == [FILES]


async def test_nothing_is_accepted_that_the_log_was_not_told_of() -> None:
    house = House(is_deaf=True)
    with pytest.raises(UnrecordedError):
        await house.programs().accepts(FILES, ONE)
    assert house.pins.all() == ()


async def test_parts_of_which_nothing_can_be_told_are_named() -> None:
    programs = House().programs()
    await programs.accepts(FILES, {"parts": [{"sort": "image", "name": "img:1"}]})
    assert [one.unknown for one in programs.shown()] == [("image img:1",)]
