"""Upstreams that change all the time, or show far too much: what that costs the gateway, its log and its catalogue is bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec.structs import replace

from doorward.call.discovery import Discovery, Eyes
from doorward.catalog.offer import observe
from doorward.catalog.pins import MOST_FIRST_USES, Pins, first_use
from doorward.domain.calls import Answer, Era
from doorward.domain.errors import UnrecordedError
from doorward.domain.ids import UpstreamId
from doorward.domain.reasons import Reason, Refused
from doorward.identity.own import own
from doorward.testing.house import House, Plan, build_house
from doorward.testing.playbook import leaves, playbook
from doorward.testing.upstream import SHOWN, tool
from doorward.upstream.discovery import MOST_BYTES
from doorward.upstream.discovery import Discovery as Lists
from doorward.upstream.sight import Introduction, Sight
from tests.call.steps import PLAN

GIT = UpstreamId("git")


@dataclass
class Catalogue:
    """Takes sights, and does what a test says."""

    takes: list[Sight] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    failures: int = 0
    discovery: Discovery | None = None
    is_restless: bool = False
    taken: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def saw(self, name: UpstreamId, sight: Sight) -> None:
        async with self.taken:
            self.takes.append(sight)
            self.taken.notify_all()
        if self.is_restless:
            assert self.discovery is not None
            self.discovery.want(name)
        if len(self.takes) <= self.failures:
            raise UnrecordedError("disk full")

    async def miss(self, name: UpstreamId, why: str) -> None:
        self.missed.append(why)


def looking(house: House, catalogue: Catalogue) -> Discovery:
    parts = house.parts
    eyes = Eyes(parts.pipeline, parts.generations, parts.fleet, own(), parts.new_id, catalogue.saw, catalogue.miss, str)
    catalogue.discovery = Discovery(eyes)
    return catalogue.discovery


async def until_taken(catalogue: Catalogue, count: int) -> None:
    async with asyncio.timeout(10), catalogue.taken:
        await catalogue.taken.wait_for(lambda: len(catalogue.takes) >= count)


@pytest.mark.anyio
async def test_an_upstream_is_looked_at_again_after_the_log_failed_in_the_middle_of_a_look() -> None:
    house = await build_house(PLAN)
    catalogue = Catalogue(failures=1)
    discovery = looking(house, catalogue)
    try:
        discovery.follow((GIT,))
        await until_taken(catalogue, 1)
        discovery.want(GIT)
        await until_taken(catalogue, 2)
        assert catalogue.missed == ["UnrecordedError: disk full"]
    finally:
        await discovery.close()


@pytest.mark.anyio
async def test_an_upstream_that_says_all_the_time_that_it_changed_is_looked_at_ever_more_slowly() -> None:
    house = await build_house(PLAN)
    catalogue = Catalogue(is_restless=True)
    discovery = looking(house, catalogue)
    try:
        discovery.follow((GIT,))
        with suppress(TimeoutError):
            async with asyncio.timeout(1.2):
                await until_taken(catalogue, 100)
        assert 1 <= len(catalogue.takes) <= 3
    finally:
        await discovery.close()


@pytest.mark.anyio
async def test_calls_go_on_while_a_large_catalogue_is_taken_in() -> None:
    properties = {f"p{number}": {"type": "string"} for number in range(8)}
    large = replace(SHOWN, tools=tuple(tool(f"tool_{number}", "Does it.", **properties) for number in range(512)))
    house = await build_house(Plan({"git": SHOWN}))
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.002)
            turns += 1

    turning = asyncio.create_task(turn())
    await house.workbench.saw(GIT, large)
    turning.cancel()
    assert len(house.generations.current.index.pinned) == 512
    assert turns > 5


def test_first_use_accepts_no_endless_stream_of_names() -> None:
    pins = Pins()
    for look in range(8):
        shown = replace(SHOWN, tools=tuple(tool(f"tool_{look}_{number}") for number in range(512)))
        pins = pins.having(first_use(observe(GIT, shown, 0.0), pins, frozenset(), "2026-11-18T12:00:00Z"))
    assert pins.count(GIT) == MOST_FIRST_USES


@pytest.mark.anyio
async def test_a_whole_catalogue_that_drifts_at_once_is_told_in_a_few_leaves() -> None:
    before, after = (replace(SHOWN, tools=tuple(tool(f"tool_{n}", text) for n in range(100))) for text in ("Before.", "After."))
    async with playbook(Plan({"git": before})) as book:
        await book.house.workbench.saw(GIT, after)
        told = [(leaf.type, leaf.body["fields"].get("more")) for leaf in leaves(await book.rest())]
        assert told == [("definition_drifted", None)] * 32 + [("definitions_drifted", 68)]


@pytest.mark.anyio
async def test_a_list_of_endless_bytes_is_broken_off() -> None:
    asked = 0

    async def ask(method: str, params: Mapping[str, Any]) -> Answer:
        nonlocal asked
        asked += 1
        return Answer({"tools": [], "nextCursor": str(asked)}, 4 * 2**20)

    lists = Lists(GIT, Era.EXCHANGE, ask, lambda text: None)
    with pytest.raises(Refused) as refused:
        await lists.sight(Introduction((), {}, {"tools": {}}, None))
    assert refused.value.reason is Reason.UPSTREAM_BROKEN
    assert asked == MOST_BYTES // (4 * 2**20) + 1
