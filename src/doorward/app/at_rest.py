"""Encryption at rest in this house: where its keys are, the envelope that every store seals with, and the keys' rotation."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar, assert_never

import apsw
import msgspec

from doorward.app import clocks, keyring
from doorward.config.encryption import EncryptionKey, FileKey, KeyringKey, OpenBaoKey
from doorward.config.model import Document
from doorward.config.references import Resolver
from doorward.credentials.envelope import Envelope
from doorward.credentials.keyring_place import KeyringPlace
from doorward.credentials.local_keys import FilePlace, LocalKeys
from doorward.credentials.rotation import Rotation, Seams, Told
from doorward.credentials.sources.bao import Bao
from doorward.credentials.sources.opening import Ground, bao_of
from doorward.credentials.store_keys import Wrappings, open_envelope
from doorward.credentials.transit import Transit
from doorward.credentials.wrapping import Wrapping, WrappingError
from doorward.domain.errors import DoorwardError
from doorward.stores.sqlite.database import Database
from doorward.stores.sqlite.log import SqliteLog
from doorward.stores.sqlite.old_rows import seal_old_rows
from doorward.stores.sqlite.store_keys import SqliteStoreKeys

T = TypeVar("T")

KEY = "encryption.key"
"""The key-encryption keys in the state directory, where the document does not say another place."""


class Seen:
    """Secrets that are used before anybody takes note of them: kept until somebody does."""

    __slots__ = ("_kept", "_note")

    def __init__(self) -> None:
        self._kept: list[str] = []
        self._note: Callable[[str], None] = self._kept.append

    def __call__(self, secret: str) -> None:
        """One that must be seen nowhere else."""
        self._note(secret)

    def follow(self, note: Callable[[str], None]) -> None:
        """Tells somebody of all there were and will be, and keeps none any more."""
        for secret in self._kept:
            note(secret)
        self._kept, self._note = [], note


class AtRest:
    """The keys of one state directory, opened."""

    __slots__ = ("_bao", "_places", "envelope", "seen")

    def __init__(self, envelope: Envelope, places: Wrappings, bao: Bao | None, seen: Seen) -> None:
        self.envelope = envelope
        self.seen = seen
        """What the key service was shown."""
        self._places = places
        self._bao = bao

    def rotation(self, log: SqliteLog, told: Told) -> Rotation:
        """Their rotation, beside calls."""
        return Rotation(SqliteStoreKeys(log.writer.submit, log.read), self.envelope, self._places, Seams(clocks.draw, clocks.now, told))

    async def close(self) -> None:
        """Signs out of the key service, as far as it answers."""
        await _sign_out(self._bao)


async def open_at_rest(database: Database, document: Document, root: Path) -> AtRest:
    """The keys of a database, with every row of it sealed; raises a `DoorwardError` where a key is lost, or is another."""

    async def run(job: Callable[[apsw.Connection], T]) -> T:
        return database.now(job)

    rules, seen = document.encryption, Seen()
    wanted = (rules.key, *rules.former)
    bao = _bao(document, root, seen) if any(isinstance(one, OpenBaoKey) for one in wanted) else None
    try:
        ground = _Ground(root, database.directory.path / KEY, bao)
        now, *former = [_place(one, ground) for one in wanted]
        places = Wrappings(now, tuple(former))
        envelope = await open_envelope(SqliteStoreKeys(run, run), places, clocks.draw, clocks.now())
        await asyncio.to_thread(database.now, lambda db: seal_old_rows(db, envelope))
    except BaseException:
        await _sign_out(bao)
        raise
    return AtRest(envelope, places, bao, seen)


class _Ground(msgspec.Struct, frozen=True):
    """What places are found by."""

    root: Path
    usual: Path
    """The file that is meant where the document names none."""
    bao: Bao | None


def _place(rules: EncryptionKey, ground: _Ground) -> Wrapping:
    match rules:
        case FileKey(path=path):
            return LocalKeys("file", FilePlace(ground.usual if path is None else ground.root / path), clocks.draw, clocks.now)
        case KeyringKey(service=service, name=name):
            return LocalKeys("keyring", KeyringPlace((service, name), keyring.get, keyring.put), clocks.draw, clocks.now)
        case OpenBaoKey(mount=mount, key=key):
            assert ground.bao is not None, "the check of the document sees to it"
            return Transit(ground.bao, mount, key)
        case _:
            assert_never(rules)


def _bao(document: Document, root: Path, seen: Seen) -> Bao:
    declared = document.secrets.openbao
    if declared is None:
        raise WrappingError("the key of encryption is in OpenBao, and secrets.openbao does not say where that is")
    # From variables and files alone: what it is signed in with cannot come out of itself.
    return bao_of(declared, Ground(root, Resolver(root, os.environ), clocks.monotonic, seen, keyring.get))


async def _sign_out(bao: Bao | None) -> None:
    if bao is not None:
        with suppress(DoorwardError):
            await bao.close()
