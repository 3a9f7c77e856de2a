"""A database of before rows were sealed: everything is read as it was, and nothing of it stands in the file any more."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest

from doorward.admission.budgets.store import Raise, Spent
from doorward.admission.stops import Effect, Matter, MatterKind, Stop
from doorward.approval.question import Question, State
from doorward.approval.waivers import Lasting
from doorward.audit.store import Boxes
from doorward.call.sessions import SessionRow
from doorward.credentials.envelope import AlteredError
from doorward.domain.actors import Agent
from doorward.domain.approvals import Grant
from doorward.domain.catalog import Kind, Pin
from doorward.domain.ids import AgentId, Digest, Generation, GrantId, KeyId, SessionId, TeamId, UpstreamId, WaiverId
from doorward.domain.waivers import Waiver, WaiverKind
from doorward.identity.authority.families import Code, Family, Registered
from doorward.identity.consents import Consent
from doorward.identity.keys import KeyRecord
from doorward.identity.records import NEVER, AgentRecord
from doorward.identity.records import State as AgentState
from doorward.policy.history import Entry, Why
from doorward.stores.sqlite import records
from doorward.stores.sqlite.agents import SqliteAgents
from doorward.stores.sqlite.approvals import SqliteApprovals, SqliteGrants
from doorward.stores.sqlite.authority import SqliteAuthority
from doorward.stores.sqlite.budgets import SqliteBudgets
from doorward.stores.sqlite.consents import SqliteConsents
from doorward.stores.sqlite.database import FILE, Database, connect, open_database
from doorward.stores.sqlite.log import SqliteLog
from doorward.stores.sqlite.migrate import migrate
from doorward.stores.sqlite.migrations import MIGRATIONS
from doorward.stores.sqlite.old_rows import Stage, seal_old_rows
from doorward.stores.sqlite.pins import SqlitePins, peek
from doorward.stores.sqlite.policy_sets import SqlitePolicySets
from doorward.stores.sqlite.sessions import SqliteSessions
from doorward.stores.sqlite.stops import SqliteStops
from doorward.stores.sqlite.waivers import SqliteWaivers
from doorward.testing.stores.log import Clock, committer
from tests.made import call
from tests.scanned import spellings
from tests.sealing import envelope

pytestmark = pytest.mark.anyio

NOW = 1_700_000_000.0
ANN = "corp:canary-ann@example.com"
APP = "https://canary-app.example.com/client"
BACK = "https://canary-app.example.com/back"
HERE = "https://canary-resource.example.com/mcp"
CANARY = "canary"

AGENT = AgentRecord(Agent(AgentId("claude"), "canary-ada", TeamId("support"), "client"), AgentState.ACTIVE, 1.5, NEVER)
KEY = KeyRecord(KeyId("k1"), AgentId("claude"), Digest("canary" + "0" * 58), 1.0, 2.0)
STOP = Stop(Matter(MatterKind.USER, ANN), Effect.STOPPED, "canary reason", "canary-op", NOW, 3)
SESSION = SessionRow(SessionId("s1"), f"claude/{ANN}", "", "2025-06-18", {"canary": {}}, {"name": "canary client"}, NOW, NOW)
FAMILY = Family("f1", APP, ANN, ("canary-group",), ("git",), HERE, NOW, NOW + 9e9, refresh="ab" * 32)
CODE = Code("cd" * 32, "f1", APP, BACK, "canary-challenge", "", HERE, ("git",), ANN, ("canary-group",), NOW + 9e9)
CLIENT = Registered("canary-registered", "canary name", (BACK,), NOW)
CONSENT = Consent(ANN, APP, BACK, HERE, ("git",), "canary name", "cimd", NOW)
WAIVER = Waiver(WaiverId("w1"), WaiverKind.BREAK_GLASS, AgentId("claude"), "", {}, "canary reason", "canary-op", NOW, NOW + 60)
ENTRY = Entry(1, Digest("set"), NOW, "canary-op", Why.START, Generation(1), 0, 0)
RAISE = Raise("r1", "payments", "payments@1", f'["{ANN}"]', 5, "canary reason", "canary-op", NOW, NOW + 60)
SPENT = Spent("payments@1", f'["{ANN}"]', int(NOW) + 60, 7)
PIN = Pin(UpstreamId("git"), Kind.TOOL, "commit", Digest("pin"), b"{}", "canary-op", "2026-11-21")
GRANT = Grant(GrantId("g1"), Digest("digest"), Digest("d1"), f"claude/{ANN}", "canary-op", "")
DATA_KEY = b"canary wrapped data key"


def question() -> Question:
    asked = call({"path": "canary path"})
    binding = {"digest": GRANT.digest, "definition": GRANT.definition, "principal": GRANT.principal, "basis": "canary"}
    raw = {
        "id": GRANT.id, "binding": binding, "agent": "claude", "owner": "canary-ada", "upstream": "git", "kind": "tool", "name": "commit",
        "canonical": asked.canonical, "policies": (), "approvers": (), "reason": "canary reason", "asked_at": NOW, "state": State.APPROVED,
        "expires_at": NOW + 60, "subject": ANN,
    }  # fmt: skip
    return records.read(records.write(raw), Question)


def _old(path: Path) -> None:
    """A database of the step before, with one row in each table, and the remains of one that was deleted."""
    path.mkdir()
    with closing(connect(path / FILE)) as db:
        migrate(db, MIGRATIONS[:8])
        for number in range(200):
            db.execute("INSERT INTO waiver VALUES (?, 1, ?)", (f"gone-{number}", b"canary that was deleted " * 200))
        db.execute("DELETE FROM waiver")
        asked = question()
        rows: dict[str, tuple[Any, ...]] = {
            "agent": ("claude", records.write(AGENT), 42.5),
            "agent_key": (KEY.id, records.write(KEY)),
            "stop": (STOP.matter.kind.value, ANN, STOP.effect.value, records.write(STOP)),
            "session": (SESSION.id, records.write(SESSION)),
            "approval": (GRANT.id, "approved", GRANT.digest, GRANT.definition, GRANT.principal, NOW + 60, records.write(asked)),
            "auth_family": ("f1", APP, ANN, FAMILY.expires_at, FAMILY.refresh, 0, None, "", records.write(FAMILY)),
            "auth_code": (CODE.sha256, "f1", APP, ANN, CODE.expires_at, None, records.write(CODE)),
            "auth_spent": ("canary jti", NOW + 60),
            "auth_client": (CLIENT.id, NOW, records.write(CLIENT)),
            "consent": (ANN, APP, BACK, HERE, NOW, records.write(CONSENT)),
            "waiver": ("w1", 60.0, records.write(WAIVER)),
            "policy_entry": (1, "set", NOW, records.write(ENTRY)),
            "budget_spent": (SPENT.ledger, SPENT.key, SPENT.until, SPENT.units),
            "budget_raise": (RAISE.id, records.write(RAISE)),
            "pin": ("git", "tool", "commit", PIN.digest, PIN.canonical, PIN.approved_by, PIN.approved_at),
            "data_key": (1, DATA_KEY),
        }
        for table, row in rows.items():
            db.execute(f"INSERT INTO {table} VALUES ({','.join('?' * len(row))})", row)


@contextmanager
def reopened(path: Path) -> Iterator[tuple[Database, SqliteLog]]:
    database = open_database(path)
    database.now(lambda db: seal_old_rows(db, envelope()))
    log = SqliteLog(database, committer(), Clock(), envelope())
    try:
        yield database, log
    finally:
        log.close()
        database.close()


def found_in(path: Path) -> list[str]:
    """Where any spelling of the canary stands in a directory."""
    return [f"{file.name}: {spelling!r}" for file in path.iterdir() for spelling in spellings(CANARY) if spelling in file.read_bytes()]


async def test_rows_of_before_are_read_as_they_were_and_stand_nowhere_in_clear(tmp_path: Path) -> None:
    state = tmp_path / "state"
    _old(state)
    assert found_in(state)
    with reopened(state) as (database, log):
        writer, seal = log.writer, envelope()
        agents, keys = await SqliteAgents(writer, seal).load()
        assert ([one.agent for one in agents], agents[0].seen_at, keys) == ([AGENT.agent], 42.5, (KEY,))
        assert await SqliteStops(writer, seal).load() == (STOP,)
        assert SqliteSessions(database, writer, seal).all() == (SESSION,)
        assert await SqliteApprovals(writer, seal).find(GRANT.id) == question()
        authority = SqliteAuthority(writer, seal)
        assert (await authority.family("f1"), await authority.code(CODE.sha256)) == (FAMILY, CODE)
        assert await authority.registered(CLIENT.id) == CLIENT
        assert await authority.groups(ANN, NOW) == ("canary-group",)
        assert not await authority.spend("canary jti", NOW + 90, NOW)
        assert await SqliteConsents(writer, seal).of(ANN) == (CONSENT,)
        assert await SqliteWaivers(writer, seal).load() == (Lasting(WAIVER, 60.0),)
        assert await SqlitePolicySets(database, writer, seal).entries(None, 9) == (ENTRY,)
        budgets = SqliteBudgets(writer, seal)
        assert (await budgets.spent(int(NOW)), await budgets.raises()) == ((SPENT,), (RAISE,))
        assert SqlitePins(database, writer, seal).all() == (PIN,)
        assert await log.data_key(1) == DATA_KEY
        assert await log.boxes(()) == Boxes({}, {})
        assert await writer.submit(lambda db: SqliteGrants(seal).consume(db, GRANT, NOW))
        assert await authority.end_subject(ANN, "left", NOW) == ("f1",)
        assert [one.approved_by for one in peek(state / FILE)] == [""]
        assert database.now(lambda db: db.execute("SELECT stage FROM sealing").get) == Stage.CLEAN
        assert found_in(state) == []
    assert found_in(state) == []


async def test_what_was_broken_off_before_the_file_was_written_anew_is_gone_on_with(tmp_path: Path) -> None:
    state = tmp_path / "state"
    _old(state)
    database = open_database(state)
    with closing(database.connect()) as db:
        db.pragma("query_only", True)
        with pytest.raises(apsw.ReadOnlyError):
            seal_old_rows(db, envelope())
    database.now(lambda db: seal_old_rows(db, envelope()))
    # As if it had died before the file was written anew.
    database.now(lambda db: db.execute("UPDATE sealing SET stage = 1").get)
    database.close()
    with reopened(state) as (_, log):
        assert await SqliteStops(log.writer, envelope()).load() == (STOP,)
        assert log.writer is not None
    assert found_in(state) == []


async def test_a_sealed_row_that_was_moved_does_not_open(tmp_path: Path) -> None:
    state = tmp_path / "state"
    _old(state)
    with reopened(state) as (_, log):
        await log.writer.submit(lambda db: db.execute("UPDATE agent_key SET id = 'k2'").get)
        with pytest.raises(AlteredError):
            await SqliteAgents(log.writer, envelope()).load()


def test_a_new_database_is_not_written_twice(tmp_path: Path) -> None:
    with reopened(tmp_path / "state") as (database, _):
        assert database.now(lambda db: db.execute("SELECT stage FROM sealing").get) == Stage.CLEAN
