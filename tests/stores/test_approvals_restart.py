"""The desk on a real database: people who answer at once, processes that end between, records of an older version."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import anyio
import apsw
import pytest
from msgspec.structs import replace

from doorward.approval.desk import Approver, Desk, DeskError, Terms
from doorward.approval.question import State
from doorward.audit.commit import Moment
from doorward.audit.leaf import encoded
from doorward.audit.store import Entry
from doorward.domain.approvals import Grant
from doorward.domain.decisions import Need
from doorward.domain.ids import CallId, GrantId
from doorward.domain.reasons import Reason, Refused
from doorward.stores.sqlite.approvals import SqliteApprovals
from doorward.stores.sqlite.database import open_database
from doorward.stores.sqlite.log import SqliteLog
from doorward.stores.sqlite.sealed import Sealed
from doorward.testing.stores.log import Clock, committer
from tests.approval.house import BOB, CALL, CAROL, asking
from tests.sealing import envelope

pytestmark = pytest.mark.anyio

NOW = 1_795_003_200.0
TWO = asking(Need("finance", 2))


@asynccontextmanager
async def opened(path: Path, now: float = NOW) -> AsyncIterator[tuple[Desk, SqliteLog]]:
    """One process's desk and log."""
    database = open_database(path / "state")
    clock = Clock()
    clock.at = Moment(int(now * 1_000_000), 0.0)
    log = SqliteLog(database, committer(), clock, envelope())
    try:
        numbers = count(1)
        desk = Desk(SqliteApprovals(log.writer, envelope()), Terms(), lambda: now, lambda: f"q{next(numbers)}-{now:.0f}")
        await desk.load()
        yield desk, log
    finally:
        log.close()
        database.close()


async def asked(desk: Desk) -> GrantId:
    with pytest.raises(Refused) as caught:
        await desk.clear(CALL, TWO)
    assert caught.value.reason is Reason.PENDING
    return GrantId(str(caught.value.extra["approval"]))


async def used(log: SqliteLog, grant: Grant, call: str) -> Reason | None:
    """Writes an intent with a grant; the reason where it could not be."""
    try:
        await log.append(Entry(encoded({"type": "intent"}), opens=CallId(call), uses=grant))
    except Refused as refused:
        return refused.reason
    return None


async def test_racing_approvals_all_count_in_the_database(tmp_path: Path) -> None:
    ask = asking(Need("finance", 9))
    async with opened(tmp_path) as (desk, _):
        with pytest.raises(Refused):
            await desk.clear(CALL, ask)
        (question,) = desk.questions()
        async with anyio.create_task_group() as tasks:
            for at in range(9):
                tasks.start_soon(desk.approve, question.id, Approver(f"p{at}", frozenset({"finance"})))
    async with opened(tmp_path) as (desk, _):
        (question,) = desk.questions()
        assert (question.state, sorted(yes.by for yes in question.yeses)) == (State.APPROVED, [f"p{at}" for at in range(9)])


async def test_yeses_edits_and_grants_survive_processes_that_end_between(tmp_path: Path) -> None:
    async with opened(tmp_path) as (desk, _):
        reference = await asked(desk)
    async with opened(tmp_path) as (desk, _):
        assert await asked(desk) == reference
        await desk.approve(reference, BOB)
        await desk.approve(reference, CAROL, {"amount": 5})
    async with opened(tmp_path) as (desk, _):
        await desk.approve(reference, BOB)
    async with opened(tmp_path) as (desk, log):
        grant = await desk.clear(CALL, TWO)
        assert (grant.id, grant.edited, grant.approved_by) == (reference, b'{"amount":5}', "carol, bob")
        assert await used(log, grant, "call-1") is None
    async with opened(tmp_path) as (desk, log):
        assert await used(log, grant, "call-2") is Reason.GRANT_GONE
        assert desk.question(reference) is None


async def test_double_use_of_one_grant_writes_one_intent(tmp_path: Path) -> None:
    async with opened(tmp_path) as (desk, log):
        reference = await asked(desk)
        for by in (BOB, CAROL):
            await desk.approve(reference, by)
        grants = [await desk.clear(CALL, TWO) for _ in range(4)]
        found: list[Reason | None] = []

        async def use(grant: Grant, call: str) -> None:
            found.append(await used(log, grant, call))

        async with anyio.create_task_group() as tasks:
            for at, grant in enumerate(grants):
                tasks.start_soon(use, grant, f"call-{at}")
        assert (found.count(None), found.count(Reason.GRANT_GONE), await log.size()) == (1, 3, 1)


async def test_a_yes_that_is_taken_back_while_the_call_is_made_is_one_or_the_other(tmp_path: Path) -> None:
    async with opened(tmp_path) as (desk, log):
        reference = await asked(desk)
        for by in (BOB, CAROL):
            await desk.approve(reference, by)
        grant = await desk.clear(CALL, TWO)
        came: list[str] = []

        async def take_back() -> None:
            try:
                await desk.reject(reference, BOB)
                came.append("taken back")
            except DeskError:
                came.append("too late")

        async def use() -> None:
            came.append("made" if await used(log, grant, "call-1") is None else "not made")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(take_back)
            tasks.start_soon(use)
        assert sorted(came) in (["made", "too late"], ["not made", "taken back"])


async def test_a_record_of_an_older_version_waits_for_one_of_each_team(tmp_path: Path) -> None:
    async with opened(tmp_path) as (desk, log):
        reference = await asked(desk)
        question = desk.question(reference)
        assert question is not None
        old = {name: getattr(question, name) for name in OLD}
        old["binding"] = question.binding
        await log.writer.submit(lambda db: _replace(db, reference, Sealed(envelope(), "approval").write(old, reference)))
    async with opened(tmp_path) as (desk, _):
        (read,) = desk.questions()
        assert read == replace(question, needs=(), revision=0)
        approved = await desk.approve(reference, BOB)
        assert (approved.state, approved.revision) == (State.APPROVED, 1)


OLD = (
    "id",
    "agent",
    "owner",
    "upstream",
    "kind",
    "name",
    "canonical",
    "policies",
    "approvers",
    "reason",
    "asked_at",
    "state",
    "expires_at",
    "decided_by",
    "decided_at",
)


def _replace(db: apsw.Connection, reference: str, record: bytes) -> None:
    db.execute("UPDATE approval SET record = ? WHERE id = ?", (record, reference))
