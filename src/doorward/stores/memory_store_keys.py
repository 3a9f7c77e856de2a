"""Store keys and the rows that they seal, in memory (`KeyStore`)."""

from collections import Counter
from collections.abc import Mapping

from doorward.credentials.envelope import Context, Envelope, EnvelopeError, key_of
from doorward.credentials.store_keys import MARK_KEY, StoreKey


class MemoryStoreKeys:
    """Every store key, and every sealed row."""

    def __init__(self) -> None:
        self._keys: dict[bytes, StoreKey] = {}
        self.rows: dict[Context, bytes] = {}

    async def keys(self) -> tuple[StoreKey, ...]:
        """Every store key."""
        return tuple(self._keys.values())

    async def mark_key(self) -> bytes | None:
        """The sealed key of marks."""
        return self.rows.get(MARK_KEY)

    async def begin(self, key: StoreKey, mark_key: bytes) -> None:
        """Keeps the first keys."""
        self._keys[key.id], self.rows[MARK_KEY] = key, mark_key

    async def add(self, key: StoreKey) -> None:
        """Keeps a newer one."""
        self._keys[key.id] = key

    async def move(self, keys: tuple[StoreKey, ...]) -> None:
        """Keeps other wrappings."""
        self._keys.update({key.id: key for key in keys})

    async def needs(self) -> Mapping[bytes, int]:
        """Rows by store key."""
        return Counter(name for sealed in self.rows.values() if (name := key_of(sealed)) is not None)

    async def rewrap(self, envelope: Envelope) -> int:
        """Wraps all rows anew."""
        unopened = 0
        for context, sealed in list(self.rows.items()):
            try:
                self.rows[context] = envelope.rewrap(sealed, context) if key_of(sealed) != envelope.current else sealed
            except EnvelopeError:
                unopened += 1
        return unopened

    async def forget(self) -> tuple[StoreKey, ...]:
        """Drops those that no row needs."""
        needed, newest = await self.needs(), next(reversed(self._keys))
        gone = tuple(key for key in self._keys.values() if key.id not in needed and key.id != newest)
        for key in gone:
            del self._keys[key.id]
        return gone
