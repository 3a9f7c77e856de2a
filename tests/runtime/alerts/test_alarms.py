"""Every alert is in the journal, and goes to every sink; none of them holds another, nor whoever raises it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from msgspec.structs import replace

from doorward.domain.alerts import AlertKind
from doorward.runtime.alerts.alarms import GRACE_SECONDS, Alarms, Rules, Tried
from doorward.runtime.alerts.fold import Pace
from tests.loops import JumpingLoop
from tests.runtime.alerts.sinking import RULES, SECRET, FakeSink, Told, alarms, alert, loop_time

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "asyncio", {"loop_factory": JumpingLoop}


@asynccontextmanager
async def running(it: Alarms) -> AsyncIterator[Alarms]:
    async with anyio.create_task_group() as group:
        group.start_soon(it.run)
        yield it
        group.cancel_scope.cancel()


async def test_an_alert_goes_to_every_sink_and_into_the_journal() -> None:
    told, chat, siem = Told(), FakeSink("chat"), FakeSink("siem")
    async with running(alarms(told, chat, siem)) as it:
        it(alert(agent="claude", by=SECRET))
        await anyio.sleep(1)
    [line] = told.lines("alert")
    assert {name: line[name] for name in ("level", "kind", "sentence", "about", "count", "reference", "sent", "facts")} == {
        "level": "warning",
        "kind": "stop",
        "sentence": "claude was stopped",
        "about": "claude",
        "count": 1,
        "reference": "leaf/7",
        "sent": True,
        "facts": "agent=claude, by=***",
    }
    assert chat.took == siem.took
    assert [(one.id, one.kind, one.count) for one in chat.took] == [("n-1", "stop", 1)]


async def test_a_flood_is_two_messages_a_minute_later() -> None:
    told, chat = Told(), FakeSink()
    async with running(alarms(told, chat)) as it:
        for _ in range(10_000):
            it(alert())
        await anyio.sleep(61)
    assert [(one.count, one.sentence) for one in chat.took] == [
        (1, "claude was stopped"),
        (9_999, "claude was stopped (the latest of 9999 like it)"),
    ]
    assert len(told.lines("alert")) == 2


async def test_without_any_sink_the_journal_has_it() -> None:
    told = Told()
    async with running(alarms(told)) as it:
        it(alert())
        await anyio.sleep(1)
    assert [line["sentence"] for line in told.lines("alert")] == ["claude was stopped"]


async def test_kinds_that_nobody_wants_are_in_the_journal_alone() -> None:
    told, chat = Told(), FakeSink()
    async with running(alarms(told, chat, rules=replace(RULES, kinds=frozenset({AlertKind.DRIFT})))) as it:
        it(alert())
        it(alert("git", AlertKind.DRIFT))
        await anyio.sleep(1)
    assert [one.kind for one in chat.took] == ["drift"]
    assert [line["sent"] for line in told.lines("alert")] == [False, True]


async def test_a_dead_sink_and_a_slow_one_hold_no_other() -> None:
    told, dead, slow, chat = Told(), FakeSink("dead", failure="no route"), FakeSink("slow", hangs=True), FakeSink("chat")
    async with running(alarms(told, dead, slow, chat)) as it:
        began = loop_time()
        for key in "abc":
            it(alert(key))
        await anyio.sleep(0.5)
        assert [one.key for one in chat.took] == ["a", "b", "c"]
        assert chat.attempts == [began] * 3
        assert [(one.name, one.failure, one.waiting) for one in it.standing()] == [
            ("dead", "no route", 3),
            ("slow", "", 3),
            ("chat", "", 0),
        ]
    assert [(line["sink"], line["why"]) for line in told.lines("alert_sink_failed")] == [("dead", "no route")]


async def test_a_reload_keeps_what_waits_for_a_sink_and_ends_those_that_are_gone() -> None:
    told, mended, fresh = Told(), FakeSink("chat"), FakeSink("fresh")
    async with running(alarms(told, FakeSink("chat", failure="no route"), FakeSink("gone", failure="no route"))) as it:
        it(alert())
        await anyio.sleep(30)
        it.adopt(Rules(Pace(5, 100), frozenset(AlertKind)), (mended, fresh))
        await anyio.sleep(0.1)
        assert [one.id for one in mended.took] == ["n-1"]
        it(alert("other"))
        await anyio.sleep(0.1)
    assert ([one.key for one in mended.took], [one.key for one in fresh.took]) == (["claude", "other"], ["other"])
    assert [(line["sink"], line["alerts"], line["why"]) for line in told.lines("alerts_not_sent")] == [
        ("gone", 1, "it is declared no more")
    ]


async def test_at_the_end_what_was_folded_is_sent_and_a_sink_that_hangs_is_not_waited_for_long() -> None:
    told, chat, slow = Told(), FakeSink("chat"), FakeSink("slow", hangs=True)
    async with running(alarms(told, chat, slow)) as it:
        it(alert())
        it(alert())
        it(alert())
        await anyio.sleep(0.1)
        began = loop_time()
        await it.close()
        assert loop_time() - began == pytest.approx(GRACE_SECONDS)
    assert [one.count for one in chat.took] == [1, 2]
    assert [(line["sink"], line["alerts"], line["why"]) for line in told.lines("alerts_not_sent")] == [("slow", 2, "the gateway ends")]


async def test_an_end_without_alerts_takes_no_time() -> None:
    async with running(alarms(Told(), FakeSink())) as it:
        began = loop_time()
        await it.close()
        assert loop_time() == began


async def test_a_test_says_what_each_sink_answers_beside_what_waits() -> None:
    chat, dead = FakeSink("chat"), FakeSink("dead", failure="no route")
    async with running(alarms(Told(), chat, dead)) as it:
        it(alert())
        await anyio.sleep(0.1)
        assert await it.test() == (Tried("chat", "204", was_taken=True), Tried("dead", "no route", was_taken=False))
    assert [one.kind for one in chat.took] == ["stop", "test"]
