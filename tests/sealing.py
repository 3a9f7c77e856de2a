"""Envelopes for tests, and keys that are kept in memory; real randomness."""

import asyncio
import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

from doorward.credentials.envelope import Envelope
from doorward.credentials.local_keys import FilePlace, LocalKeys
from doorward.credentials.rotation import Rotation, Seams, Told
from doorward.credentials.store_keys import Wrappings, open_envelope
from doorward.credentials.wrapping import WrappingError
from doorward.stores.memory_store_keys import MemoryStoreKeys
from doorward.stores.sqlite.database import FILE, connect
from doorward.stores.sqlite.store_keys import SqliteStoreKeys

STORE_KEY = b"store-01"


def envelope() -> Envelope:
    """The same keys each time, so that what one has sealed another opens."""
    return Envelope({STORE_KEY: b"s" * 32}, STORE_KEY, b"i" * 32, os.urandom)


@dataclass
class Text:
    """A place of keys in memory."""

    text: str | None = None
    broken: bool = False
    """Nothing can be written there."""

    def __str__(self) -> str:
        return "memory"

    async def read(self) -> str | None:
        """What was written."""
        return self.text

    async def write(self, text: str) -> None:
        """Replaces it."""
        if self.broken:
            raise WrappingError("memory cannot be written: it is read-only")
        self.text = text


@dataclass(frozen=True)
class Keys:
    """A store whose keys are opened."""

    place: Text
    store: MemoryStoreKeys
    envelope: Envelope
    rotation: Rotation

    def ids(self) -> list[str]:
        """The key-encryption keys that are there, by the text that makes each."""
        return [line.split()[0] for line in (self.place.text or "").splitlines()]


async def opened(now: Callable[[], float], told: Told, place: Text | None = None, store: MemoryStoreKeys | None = None) -> Keys:
    """The keys of a store, begun where there is none yet."""
    place, store = place or Text(), store or MemoryStoreKeys()
    places = Wrappings(LocalKeys("file", place, os.urandom, now))
    found = await open_envelope(store, places, os.urandom, now())
    return Keys(place, store, found, Rotation(store, found, places, Seams(os.urandom, now, told)))


def of_state(directory: Path) -> Envelope:
    """The envelope of a state directory whose gateway does not run, with its key in the usual file."""
    with closing(connect(directory / FILE)) as db:

        async def run(job: Callable[[apsw.Connection], Any]) -> Any:
            return job(db)

        places = Wrappings(LocalKeys("file", FilePlace(directory / "encryption.key"), os.urandom, lambda: 0.0))
        return asyncio.run(open_envelope(SqliteStoreKeys(run, run), places, os.urandom, 0.0))
