"""A recorder on a state directory, with keys that every process of a test knows."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from doorward.audit.auditor import Auditor
from doorward.audit.commit import Committer, Moment
from doorward.audit.leaf import Bodies
from doorward.audit.recorder import Means, Recorder, SideRules
from doorward.audit.sides import Wrapper
from doorward.audit.veil import Veil
from doorward.stores.sqlite.database import open_database
from doorward.stores.sqlite.log import SqliteLog
from doorward.testing.stores.log import NODE, SIGNER
from tests.sealing import envelope

START = Moment(1_700_000_000_000_000, 0.0)


@dataclass(frozen=True, slots=True)
class Recording:
    """A log, who writes it and who reads it."""

    log: SqliteLog
    recorder: Recorder
    auditor: Auditor


@asynccontextmanager
async def recording(path: Path) -> AsyncIterator[Recording]:
    """Opened, and closed whatever happens inside."""
    database = open_database(path)
    veil, wrapper = Veil(bytes(32)), Wrapper(bytes(32), os.urandom)
    bodies = Bodies(NODE, veil)
    log = SqliteLog(database, Committer(SIGNER, bodies), lambda: START, envelope())
    recorder = Recorder(Means(log, bodies, wrapper, SideRules(90, 4096), lambda: START.wall_micros / 1e6, os.urandom))
    try:
        yield Recording(log, recorder, Auditor(log, veil, wrapper, SIGNER.vkey))
    finally:
        log.close()
        database.close()
