"""Key-encryption keys: what wraps the keys of a store, wherever it is kept itself.

They are asked once at the start and once at each rotation, never for a record: a key service that is slow or away stops no call.
"""

from typing import Protocol

import msgspec

from doorward.domain.errors import DoorwardError


class WrappingError(DoorwardError):
    """A key-encryption key cannot be had, or is another than the one that was used; the message names it and its place, never a value."""


class KeyLostError(WrappingError):
    """It is not in its place, or another one is there."""


class Wrapped(msgspec.Struct, frozen=True):
    """A store key as it lies in the database."""

    by: str
    """The id of the key-encryption key, such as `file:3f1c…`."""
    sealed: bytes


class Held(msgspec.Struct, frozen=True):
    """A key-encryption key that can be used."""

    id: str
    made_at: float | None
    """Unix seconds; None where nobody says."""


class Wrapping(Protocol):
    """One place of key-encryption keys. Every method raises `WrappingError`, and is bounded in time."""

    @property
    def kind(self) -> str:
        """What its ids begin with, before the colon."""
        ...

    async def prepare(self) -> None:
        """Makes the first key where there is none. LAW: asked only where nothing that is kept needs a key of this place."""
        ...

    async def has(self, key: str) -> bool:
        """Whether the key of an id is one of this place."""
        ...

    async def held(self) -> tuple[Held, ...]:
        """Every key that this place tells of, the newest last: that one wraps."""
        ...

    async def wrap(self, key: bytes, context: bytes) -> Wrapped:
        """A store key under the newest key, with its context as associated data."""
        ...

    async def unwrap(self, wrapped: Wrapped, context: bytes) -> bytes:
        """The store key."""
        ...

    async def rotate(self, used: frozenset[str]) -> None:
        """Makes a newer key, where the newest is among those that were used; the ones before go on opening."""
        ...

    async def retire(self, needed: frozenset[str]) -> tuple[str, ...]:
        """Removes the keys that are neither needed nor the newest, where that is ours to do; gives which."""
        ...
