"""References of every kind, read: those of sources by way of what is held of them, the others where they lead to."""

from collections.abc import Iterable

import msgspec

from doorward.config.references import Pointer, Remote, Resolver
from doorward.credentials.sources.custody import Custody
from doorward.credentials.sources.held import Taken
from doorward.credentials.sources.standing import Standing
from doorward.domain.secret import Secret


class Hold(msgspec.Struct, frozen=True):
    """What one credential is made of, for as long as it is used."""

    resolver: Resolver
    taken: Taken

    def resolve(self, text: str) -> Secret:
        """The text with every reference replaced; raises a `DoorwardError`."""
        return self.resolver.resolve(text)

    def is_current(self) -> bool:
        """Whether the sources say the same still, as far as anybody knows; of variables and files it knows nothing."""
        return self.taken.is_current()

    async def release(self) -> None:
        """It is used no longer: what was borrowed for it is given back."""
        await self.taken.release()


class Reading:
    """Reads what a document refers to."""

    __slots__ = ("_custody", "_resolver")

    def __init__(self, resolver: Resolver, custody: Custody, standing: Standing) -> None:
        self._custody = custody
        self._resolver = resolver.beside(standing.value)

    def resolve(self, text: str) -> Secret:
        """The text with every reference replaced, those of sources by what was read of them last; raises a `DoorwardError`."""
        return self._resolver.resolve(text)

    async def hold(self, owner: str, pointers: Iterable[Pointer]) -> Hold:
        """What a credential of one owner refers to, read of its sources and held until it is released; raises a `DoorwardError`."""
        taken = await self._custody.take(owner, [pointer for pointer in pointers if isinstance(pointer, Remote)])
        return Hold(self._resolver.beside(taken.value), taken)

    def doubt(self, owner: str) -> None:
        """A credential of an owner was not accepted: what it was made of is read again soon."""
        self._custody.doubt(owner)
