"""A door before the real spine: what operators withdraw or kill ends on the wire at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from doorward.admission.matters import parse
from doorward.domain.actors import ALL_SCOPES, Proof, Subject
from doorward.domain.ids import SubjectId
from doorward.testing.playbook import Playbook, playbook
from doorward.testing.upstream import text, waits
from tests.call.steps import PLAN
from tests.call.test_cuts import Only
from tests.serving.asgi import House

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def standing() -> AsyncIterator[tuple[Playbook, House]]:
    """A door that knows everybody as one agent that acts for Ann."""
    async with playbook(PLAN) as book:
        who = await book.principal()
        subject = Subject(SubjectId("corp:ann"), frozenset())
        book.house.parts.chain.adopt([Only(replace(who, subject=subject, proof=Proof(ALL_SCOPES, "self", "c", "fam1")))])
        yield book, House(book.house.dispatch)  # type: ignore[arg-type]


@pytest.mark.parametrize("named", ["user:corp:ann", "family:fam1", "agent:claude"])
async def test_the_stream_of_a_session_ends_with_the_rights_of_its_caller(named: str) -> None:
    async with standing() as (book, house):
        client = await house.session()
        stream = client.listen()
        await stream.begun()
        await book.house.watchmen.switch.revoke(parse(named), "stolen", "bob")
        assert (await stream.done()).is_whole
        assert (await client.listen().done()).status == 401
        assert (await client.ask("tools/list").done()).status == 401


async def test_a_subscription_ends_with_the_rights_of_its_caller() -> None:
    async with standing() as (book, house):
        stream = house.ask("subscriptions/listen", {"notifications": {"toolsListChanged": True}})
        await stream.until(b"acknowledged")
        await book.house.watchmen.switch.revoke(parse("user:corp:ann"), "left", "bob")
        assert (await stream.done()).is_whole
        assert (await house.ask("tools/list").done()).status == 401


async def test_a_killed_session_is_over_on_the_wire_and_another_can_be_had() -> None:
    async with standing() as (book, house):
        client, other = await house.session(), await house.session()
        gate = asyncio.Event()
        book.house.upstream("git").will(waits(gate, text("ok")))
        stream, running, kept = client.listen(), client.ask("tools/call", {"name": "git__commit"}), other.listen()
        await stream.begun()
        await kept.begun()
        await book.idle()
        (first, _) = sorted(book.house.parts.sessions.rows(), key=lambda row: row.id)
        await book.house.parts.sessions.kill(first.id)
        assert (await stream.done()).is_whole
        answer = await running.done()
        assert b"stopped while it ran" in answer.raw
        assert (await client.ask("tools/list").done()).status == 404
        assert (await other.ask("tools/list").done()).status == 200
        assert not kept.task.done()
        assert (await (await house.session()).ask("tools/list").done()).status == 200
        kept.hang_up()
        await kept.done()
