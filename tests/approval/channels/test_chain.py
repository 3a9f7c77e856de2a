"""Channels one after the other: what fails falls to the next, is told, is tried again, and never answers or holds up anything."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
import pytest
from msgspec.structs import replace

from doorward.approval.channels.chain import Bounds, Channels
from doorward.approval.question import Question, State
from doorward.domain.ids import Digest
from doorward.domain.receipts import Event
from tests.approval.channels.asked import LINK, Around, Scripted, breaks, hangs, in_turn, question, refuses, takes

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def running(chain: Channels) -> AsyncIterator[None]:
    async with anyio.create_task_group() as group:
        group.start_soon(chain.run)
        yield
        group.cancel_scope.cancel()


FAILURES = [
    (refuses, "unreachable: nobody listens"),
    (hangs, "no end within 0.05 s"),
    (breaks, "it failed with RuntimeError"),
]


async def test_the_first_channel_that_takes_a_question_ends_it() -> None:
    around, first, second = Around(), Scripted("chat", takes), Scripted("mail", takes)
    chain = around.chain(first, second)
    async with running(chain):
        chain.tell(around.ask(question()))
        await around.until(lambda: bool(around.events))
    assert (first.told, second.told) == ([("q1", LINK + "q1")], [])
    assert around.events == [Event("approval_told", "doorward", {"approval": "q1", "channel": "chat", "failed": ""})]


@pytest.mark.parametrize(("fails", "why"), FAILURES)
async def test_one_that_fails_or_hangs_falls_to_the_next_and_is_told(fails: Callable[[], Awaitable[None]], why: str) -> None:
    around, second = Around(), Scripted("mail", takes)
    chain = around.chain(Scripted("chat", fails), second)
    async with running(chain):
        chain.tell(around.ask(question()))
        await around.until(lambda: bool(around.events))
    assert second.told == [("q1", LINK + "q1")]
    assert around.events == [Event("approval_told", "doorward", {"approval": "q1", "channel": "mail", "failed": f"chat: {why}"})]
    assert around.said == [("chat", "q1", why)]


async def test_where_all_fail_nothing_is_answered_it_is_told_once_and_tried_a_few_times() -> None:
    around, chat, mail = Around(), Scripted("chat", refuses), Scripted("mail", breaks)
    chain = around.chain(chat, mail)
    async with running(chain):
        chain.tell(around.ask(question()))
        await around.until(lambda: any("not tried again" in why for _, _, why in around.said))
    assert around.questions["q1"] == question()  # type: ignore[index]
    failed = "chat: unreachable: nobody listens; mail: it failed with RuntimeError"
    assert around.events == [Event("approval_untold", "doorward", {"approval": "q1", "failed": failed})]
    assert (len(chat.told), len(mail.told)) == (3, 3)


async def test_one_that_comes_back_is_told_in_a_later_round() -> None:
    around, chat = Around(), Scripted("chat", in_turn(refuses, takes))
    chain = around.chain(chat)
    async with running(chain):
        chain.tell(around.ask(question()))
        await around.until(lambda: len(around.events) == 2)
    assert [event.type for event in around.events] == ["approval_untold", "approval_told"]


@pytest.mark.parametrize("now", [None, question(state=State.REJECTED), question(expires_at=1.0)])
async def test_nobody_is_told_of_what_does_not_wait_any_more(now: Question | None) -> None:
    around, chat = Around(), Scripted("chat", takes)
    if now is not None:
        around.ask(now)
    chain = around.chain(chat)
    async with running(chain):
        chain.tell(question())
        chain.tell(around.ask(question("q2")))
        await around.until(lambda: bool(around.events))
    assert chat.told == [("q2", LINK + "q2")]


async def test_a_channel_that_hangs_holds_up_neither_the_call_nor_other_questions() -> None:
    around = Around()
    chain = around.chain(Scripted("chat", hangs), Scripted("mail", takes), bounds=Bounds(channel_seconds=0.2, at_once=4))
    async with running(chain):
        for number in range(4):
            chain.tell(around.ask(question(f"q{number}")))
        with anyio.fail_after(5):
            await around.until(lambda: len(around.events) == 4)
    assert {event.fields["channel"] for event in around.events} == {"mail"}


async def test_so_many_are_told_at_once_and_no_more() -> None:
    around, most, now = Around(), 0, 0

    async def counts() -> None:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await anyio.sleep(0.005)
        now -= 1

    chain = around.chain(Scripted("chat", counts), bounds=Bounds(at_once=2))
    async with running(chain):
        for number in range(8):
            chain.tell(around.ask(question(f"q{number}")))
        await around.until(lambda: len(around.events) == 8)
    assert most == 2


async def test_where_too_much_waits_to_be_sent_that_is_told() -> None:
    around, chat = Around(), Scripted("chat", takes)
    chain = around.chain(chat, bounds=Bounds(waiting=1))
    for number in range(3):
        chain.tell(around.ask(question(f"q{number}")))
    assert around.said == [("", f"q{number}", "1 messages wait to be sent, which is the most") for number in (1, 2)]


async def test_whoever_was_told_hears_once_that_it_is_over_and_nobody_else() -> None:
    around, chat, mail = Around(), Scripted("chat", refuses), Scripted("mail", takes)
    chain = around.chain(chat, mail)
    async with running(chain):
        chain.tell(around.ask(question()))
        await around.until(lambda: bool(around.events))
        chain.answered(question(revision=1))
        chain.answered(question(state=State.APPROVED))
        chain.answered(question(state=State.USED))
        chain.answered(question("never told", state=State.APPROVED))
        await around.until(lambda: bool(mail.over))
        chain.tell(around.ask(question("q2")))
        await around.until(lambda: len(around.events) == 2)
    assert (chat.over, mail.over) == ([], [("q1", State.APPROVED)])


async def test_that_it_is_over_is_said_once_whatever_comes_of_it() -> None:
    around, chat = Around(), Scripted("chat", in_turn(takes, refuses))
    chain = around.chain(chat)
    async with running(chain):
        chain.tell(around.ask(question()))
        await around.until(lambda: bool(around.events))
        chain.answered(question(state=State.EXPIRED))
        await around.until(lambda: bool(around.said))
    assert around.said == [("chat", "q1", "unreachable: nobody listens")]
    assert chat.over == [("q1", State.EXPIRED)]


async def test_an_edit_asks_those_who_were_told_again_and_an_earlier_yes_does_not() -> None:
    around, chat = Around(), Scripted("chat", takes)
    chain = around.chain(chat)
    async with running(chain):
        chain.tell(around.ask(question()))
        await around.until(lambda: bool(around.events))
        chain.answered(around.ask(question(revision=1)))
        chain.answered(around.ask(replace(question(), edited=b"{}", edited_digest=Digest("e" * 64), revision=2)))
        await around.until(lambda: len(around.events) == 2)
    assert [told for told, _ in chat.told] == ["q1", "q1"]


async def test_channels_that_a_reload_brings_are_those_that_are_told() -> None:
    around, old, new = Around(), Scripted("chat", takes), Scripted("chat", takes)
    chain = around.chain(old)
    async with running(chain):
        chain.adopt((new,))
        chain.tell(around.ask(question()))
        await around.until(lambda: bool(around.events))
    assert (old.told, len(new.told)) == ([], 1)


async def test_without_channels_nothing_is_told_and_nothing_fails() -> None:
    around = Around()
    chain = around.chain()
    chain.tell(around.ask(question()))
    chain.answered(question(state=State.APPROVED))
    assert (around.events, around.said) == ([], [])


async def test_a_log_that_cannot_be_written_keeps_nobody_from_being_told() -> None:
    around, chat = Around(is_log_broken=True), Scripted("chat", takes)
    chain = around.chain(chat)
    async with running(chain):
        chain.tell(around.ask(question()))
        await around.until(lambda: bool(around.said))
    assert len(chat.told) == 1
    assert around.said == [("", "q1", "the log could not be told: no space")]


async def test_it_ends_at_once_with_what_is_under_way() -> None:
    around, chat = Around(), Scripted("chat", hangs)
    chain = around.chain(chat, bounds=Bounds())
    with anyio.fail_after(5):
        async with running(chain):
            chain.tell(around.ask(question()))
            await around.until(lambda: bool(chat.told))
    assert around.events == []
