"""Encryption at rest in this house: where its keys are, the envelope that every store seals with, and the keys' rotation."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import apsw

from doorward.app import clocks
from doorward.config.encryption import Encryption, FileKey
from doorward.credentials.envelope import Envelope
from doorward.credentials.local_keys import FilePlace, LocalKeys
from doorward.credentials.rotation import Rotation, Seams, Told
from doorward.credentials.store_keys import Wrappings, open_envelope
from doorward.credentials.wrapping import Wrapping
from doorward.stores.sqlite.database import Database
from doorward.stores.sqlite.old_rows import seal_old_rows
from doorward.stores.sqlite.store_keys import SqliteStoreKeys
from doorward.stores.sqlite.writer import Writer

T = TypeVar("T")

KEY = "encryption.key"
"""The key-encryption keys in the state directory, where the document does not say another place."""


class AtRest:
    """The keys of one state directory, opened."""

    __slots__ = ("_places", "envelope")

    def __init__(self, envelope: Envelope, places: Wrappings) -> None:
        self.envelope = envelope
        self._places = places

    def rotation(self, writer: Writer, told: Told) -> Rotation:
        """Their rotation, beside calls."""
        return Rotation(SqliteStoreKeys(writer.submit), self.envelope, self._places, Seams(clocks.draw, clocks.now, told))


async def open_at_rest(database: Database, rules: Encryption, root: Path) -> AtRest:
    """The keys of a database, with every row of it sealed; raises `WrappingError` where a key is lost or is another, and `StoreError`."""

    async def run(job: Callable[[apsw.Connection], T]) -> T:
        return database.now(job)

    places = Wrappings(_place(rules.key, root, database), tuple([_place(former, root, database) for former in rules.former]))
    envelope = await open_envelope(SqliteStoreKeys(run), places, clocks.draw, clocks.now())
    await asyncio.to_thread(database.now, lambda db: seal_old_rows(db, envelope))
    return AtRest(envelope, places)


def _place(rules: FileKey, root: Path, database: Database) -> Wrapping:
    path = database.directory.path / KEY if rules.path is None else root / rules.path
    return LocalKeys("file", FilePlace(path), clocks.draw, clocks.now)
