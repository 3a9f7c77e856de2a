"""Requests of many callers over the lines of one process, without a process."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.domain.calls import Answer, Era, Fault, Notice
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.net.connection import Timeouts
from doorward.upstream.link import MOST_NOISE, MOST_NOTICE_BYTES, Link
from doorward.upstream.port import Notices
from tests.upstream.kit import TONGUE, Heard, order

pytestmark = pytest.mark.anyio

LONG = Timeouts(1, 5, 5, 5)


class Wire:
    """What a link has written, and what became of its process."""

    def __init__(self) -> None:
        self.written: list[dict[str, Any]] = []
        self.given_up: list[str] = []
        self.changes = 0
        self.is_open = True
        self.link = Link(TONGUE, self.changed)
        self.link.attach(self.write, self.given_up.append)

    def write(self, line: bytes) -> bool:
        if self.is_open:
            self.written.append(json.loads(line))
        return self.is_open

    def changed(self) -> None:
        self.changes += 1

    def say(self, **message: Any) -> None:
        self.link.receive(json.dumps({"jsonrpc": "2.0", **message}).encode())

    def ask(self, heard: Notices | None = None, era: Era = Era.SESSION, timeouts: Timeouts = LONG, **more: Any) -> "asyncio.Task[Answer]":
        return asyncio.create_task(self.link.ask(order(**more), era, "2026-07-28", heard or Heard(), timeouts))


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_answers_find_their_requests_in_any_order() -> None:
    wire = Wire()
    tasks = [wire.ask() for _ in range(3)]
    await settled()
    assert [message["id"] for message in wire.written] == [1, 2, 3]
    for number in (3, 1, 2):
        wire.say(id=number, result={"n": number})
    assert [(await task).body for task in tasks] == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert wire.link.is_idle


async def test_error_is_an_answer() -> None:
    wire = Wire()
    task = wire.ask()
    await settled()
    wire.say(id=1, error={"code": -32602, "message": "no", "data": None})
    assert (await task).body == Fault(-32602, "no", None)


async def test_nothing_is_sent_to_a_process_that_takes_nothing() -> None:
    wire = Wire()
    wire.is_open = False
    with pytest.raises(Refused) as caught:
        await wire.ask()
    assert (caught.value.reason, caught.value.ran) == (Reason.UPSTREAM_UNREACHABLE, Ran.NO)


async def test_end_of_the_process_fails_every_request_which_may_have_run() -> None:
    wire = Wire()
    tasks = [wire.ask() for _ in range(2)]
    await settled()
    wire.link.end("it exited with status 1")
    for refused in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(refused, Refused)
        assert (refused.reason, refused.ran, refused.detail) == (Reason.UPSTREAM_BROKEN, Ran.MAYBE, "it exited with status 1")


async def test_cancelled_request_is_told_and_its_late_answer_is_no_noise() -> None:
    wire = Wire()
    task = wire.ask()
    await settled()
    task.cancel()
    await settled()
    assert wire.written[1]["method"] == "notifications/cancelled"
    assert wire.written[1]["params"]["requestId"] == 1
    for _ in range(MOST_NOISE + 5):
        wire.say(id=1, result={})
    assert wire.given_up == []


async def test_late_request_is_told_and_may_have_run() -> None:
    wire = Wire()
    with pytest.raises(Refused) as caught:
        await wire.ask(timeouts=Timeouts(1, 0.02, 1, 1))
    assert (caught.value.reason, caught.value.ran) == (Reason.UPSTREAM_TIMEOUT, Ran.MAYBE)
    assert wire.written[1]["method"] == "notifications/cancelled"


async def test_progress_keeps_a_request_alive_until_the_total() -> None:
    wire = Wire()
    task = wire.ask(timeouts=Timeouts(1, 0.2, 0.2, 0.4), wants_progress=True)
    for step in range(30):
        await asyncio.sleep(0.02)
        wire.say(method="notifications/progress", params={"progressToken": 1, "progress": step})
    with pytest.raises(Refused) as caught:
        await task
    assert "0.4 s" in caught.value.detail


async def test_progress_goes_to_the_request_it_names_and_logs_only_where_there_is_no_doubt() -> None:
    wire, first, second = Wire(), Heard(), Heard()
    one = wire.ask(first, wants_progress=True, log_level="info")
    await settled()
    log = {"level": "error", "data": "x"}
    wire.say(method="notifications/message", params=log)
    two = wire.ask(second, wants_progress=True, log_level="info")
    await settled()
    wire.say(method="notifications/message", params=log)
    wire.say(method="notifications/progress", params={"progressToken": 2, "progress": 1})
    wire.say(method="notifications/progress", params={"progressToken": 3, "progress": 1})
    wire.say(method="notifications/tools/list_changed")
    wire.say(id=2, result={})
    wire.say(id=1, result={})
    await asyncio.gather(one, two)
    assert first.notices == [Notice("notifications/message", log)]
    assert second.notices == [Notice("notifications/progress", {"progress": 1})]
    assert wire.changes == 1


async def test_ping_is_answered_and_other_requests_are_not_offered() -> None:
    wire = Wire()
    wire.say(id="p", method="ping")
    wire.say(id="s", method="sampling/createMessage", params={})
    assert wire.written[0] == {"jsonrpc": "2.0", "id": "p", "result": {}}
    assert wire.written[1]["error"]["code"] == -32601


@pytest.mark.parametrize(
    "line",
    [
        b'{"jsonrpc":"2.0","id":1,"id":1,"result":{}}',
        b'{"jsonrpc":"2.0","id":1,"result":[]}',
        b'{"jsonrpc":"1.0","id":1,"result":{}}',
        b'{"id":1}',
    ],
)
async def test_answer_that_is_not_strict_fails_the_request_it_was_meant_for_only(line: bytes) -> None:
    wire = Wire()
    bad, good = wire.ask(), wire.ask()
    await settled()
    wire.link.receive(line)
    wire.say(id=2, result={"ok": True})
    assert (await good).body == {"ok": True}
    with pytest.raises(Refused) as caught:
        await bad
    assert (caught.value.reason, caught.value.ran) == (Reason.UPSTREAM_BROKEN, Ran.MAYBE)


async def test_stray_lines_are_borne_and_an_endless_row_of_them_is_not() -> None:
    wire = Wire()
    task = wire.ask()
    await settled()
    for _ in range(MOST_NOISE):
        wire.link.receive(b"Server listening on stdio")
    wire.say(id=1, result={})
    assert (await task).body == {}
    for _ in range(MOST_NOISE + 1):
        wire.say(id=99, result={})
    assert len(wire.given_up) == 1


async def test_flood_of_progress_does_not_grow_without_end() -> None:
    release = asyncio.Event()
    taken = 0

    async def slow(notice: Notice) -> None:
        nonlocal taken
        taken += 1
        await release.wait()

    wire = Wire()
    task = asyncio.create_task(wire.link.ask(order(wants_progress=True), Era.SESSION, "", slow, LONG))
    await settled()
    for step in range(5000):
        wire.say(method="notifications/progress", params={"progressToken": 1, "progress": step})
    wire.say(id=1, result={"ok": 1})
    release.set()
    assert (await task).body == {"ok": 1}
    assert taken <= 1001


@given(st.binary(max_size=200) | st.from_regex(rb'\{"id":1,.{0,40}\}', fullmatch=True))
def test_any_line_is_taken(line: bytes) -> None:
    async def one() -> None:
        wire = Wire()
        task = wire.ask()
        await settled()
        wire.link.receive(line)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(one())


async def test_a_process_that_floods_a_slow_caller_with_progress_fills_no_memory() -> None:
    wire, release, heard = Wire(), asyncio.Event(), Heard()

    async def slow(notice: Notice) -> None:
        await release.wait()
        await heard(notice)

    task = wire.ask(slow, wants_progress=True)
    await settled()
    for number in range(200):
        wire.say(method="notifications/progress", params={"progressToken": 1, "progress": number, "message": "x" * 50_000})
    wire.say(id=1, result={})
    release.set()
    assert (await task).body == {}
    assert 1 <= len(heard.notices) <= MOST_NOTICE_BYTES // 50_000 + 1
