"""The state directory, opened: the database, the log, and what rooms keep in it."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from doorward.admission.budgets.budgets import Budgets, Seams
from doorward.admission.budgets.store import Raise
from doorward.admission.stops import Switch
from doorward.app import clocks
from doorward.app.at_rest import AtRest, open_at_rest
from doorward.app.evidence import Evidence, open_evidence
from doorward.app.voice import Voice
from doorward.approval.desk import Desk, Terms
from doorward.approval.elapsed import Elapsed
from doorward.approval.persons import forms_of
from doorward.approval.waivers import Kept, people
from doorward.audit import keys
from doorward.config.model import Document
from doorward.credentials.rotation import Rotation
from doorward.domain.actors import Principal
from doorward.flow.contexts import Contexts
from doorward.flow.index import Names
from doorward.flow.room import Room
from doorward.flow.rules import Rules, Trace
from doorward.identity.registry import Registry
from doorward.stores.sqlite.agents import SqliteAgents
from doorward.stores.sqlite.approvals import SqliteApprovals
from doorward.stores.sqlite.authority import SqliteAuthority
from doorward.stores.sqlite.budgets import SqliteBudgets
from doorward.stores.sqlite.certificates import SqliteIssued
from doorward.stores.sqlite.consents import SqliteConsents
from doorward.stores.sqlite.database import Database, open_database
from doorward.stores.sqlite.flow import SqliteFlow
from doorward.stores.sqlite.log import head
from doorward.stores.sqlite.pins import SqlitePins
from doorward.stores.sqlite.policy_sets import SqlitePolicySets
from doorward.stores.sqlite.sessions import SqliteSessions
from doorward.stores.sqlite.stops import SqliteStops
from doorward.stores.sqlite.waivers import SqliteWaivers
from doorward.wire.sealed import Seal


class State(msgspec.Struct, frozen=True):
    """Everything that outlives the process, and the rooms that are its mirror in memory."""

    database: Database
    at_rest: AtRest
    evidence: Evidence
    rotation: Rotation
    registry: Registry
    switch: Switch
    desk: Desk
    waivers: Kept
    budgets: Budgets
    contexts: Contexts
    pins: SqlitePins
    policy_sets: SqlitePolicySets
    sessions: SqliteSessions
    authority: SqliteAuthority
    consents: SqliteConsents
    issued: SqliteIssued
    voice: Voice
    seal: Seal
    """Of session ids, cursors and request state; its key survives a restart, so that they do."""

    @property
    def directory(self) -> Path:
        """Where all of it lies."""
        return self.database.directory.path

    async def close(self) -> None:
        """Writes what is queued, ends the threads, and lets another process own it."""
        await asyncio.to_thread(self.evidence.log.close)
        await self.at_rest.close()
        self.database.close()


async def open_state(document: Document, root: Path) -> State:
    """The state of a document, with nothing left open where it raises.

    Raises `StoreError` while another process owns it, `KeyFileError` where the log's keys are lost, `WrappingError` where those of the
    database are.
    """
    async with AsyncExitStack() as opened:
        database = open_database(root / document.state)
        opened.callback(database.close)
        at_rest = await open_at_rest(database, document, root)
        opened.push_async_callback(at_rest.close)
        evidence = open_evidence(database, at_rest.envelope, document.audit, root)
        opened.push_async_callback(asyncio.to_thread, evidence.log.close)
        passed = Elapsed(clocks.now, clocks.monotonic)
        last = database.now(head).ts_micros / 1_000_000
        passed.has_been(max(last, await SqliteBudgets(evidence.log.writer, at_rest.envelope).swept()))
        state = _state(_Ground(database, at_rest, evidence), document, passed)
        await state.registry.load()
        await state.switch.load()
        await state.desk.load(since=last)
        await state.waivers.load()
        await state.budgets.load()
        await state.contexts.room.load()
        state.budgets.adopt(document)
        # From here on whoever closes the state closes all of it.
        opened.pop_all()
        return state


class _Ground(msgspec.Struct, frozen=True):
    """What the rooms are opened over."""

    database: Database
    at_rest: AtRest
    evidence: Evidence


def _state(ground: _Ground, document: Document, passed: Elapsed) -> State:
    database, evidence, envelope = ground.database, ground.evidence, ground.at_rest.envelope
    writer = evidence.log.writer
    return State(
        database=database,
        at_rest=ground.at_rest,
        evidence=evidence,
        rotation=ground.at_rest.rotation(evidence.log, evidence.recorder.note),
        registry=Registry(SqliteAgents(writer, envelope), clocks.draw, clocks.now),
        switch=Switch(SqliteStops(writer, envelope), clocks.now),
        desk=Desk(SqliteApprovals(writer, envelope), Terms.of(document.approvals), clocks.now, clocks.new_id, clocks.monotonic),
        waivers=Kept(SqliteWaivers(writer, envelope), clocks.now, clocks.monotonic),
        budgets=Budgets(SqliteBudgets(writer, envelope), Seams(passed, is_own_raise, evidence.recorder.pseudonym)),
        contexts=Contexts(Room(SqliteFlow(writer, envelope)), Names(clocks.draw), passed, Rules(document, Trace.ON)),
        pins=SqlitePins(database, writer, envelope),
        policy_sets=SqlitePolicySets(database, writer, envelope),
        sessions=SqliteSessions(database, writer, envelope),
        authority=SqliteAuthority(writer, envelope),
        consents=SqliteConsents(writer, envelope),
        issued=SqliteIssued(writer),
        voice=Voice(database.directory.path),
        seal=Seal((keys.kept(database.directory.path / "seal.key", clocks.draw),)),
    )


def is_own_raise(raised: Raise, principal: Principal) -> bool:
    """Whether a budget was raised by whom the agent acts for, or by the owner of an agent of the chain: it is not raised for these."""
    return not forms_of((raised.by, *raised.names)).isdisjoint(forms_of(people(principal)))
