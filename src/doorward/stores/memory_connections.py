"""Connections in memory (`ConnectionStore`): for tests and trials."""

from collections.abc import Mapping

from doorward.credentials.connections.store import Kept, Registered


class MemoryConnections:
    """Everything that was connected since the process began."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}
        self._used: dict[str, float] = {}
        self._clients: list[Registered] = []

    async def load(self) -> tuple[tuple[Kept, float | None], ...]:
        """Every connection, and when it was last used."""
        return tuple((kept, self._used.get(kept.id)) for kept in self._kept.values())

    async def put(self, kept: Kept) -> None:
        """Keeps a connection in place of any other of its holder, upstream and agent."""
        for old in [old for old in self._kept.values() if _place(old) == _place(kept)]:
            await self.drop(old.id)
        self._kept[kept.id] = kept

    async def update(self, kept: Kept) -> bool:
        """Writes a connection that is there anew."""
        is_there = kept.id in self._kept
        if is_there:
            self._kept[kept.id] = kept
        return is_there

    async def touch(self, used: Mapping[str, float]) -> None:
        """Writes times of use."""
        self._used.update({name: at for name, at in used.items() if name in self._kept})

    async def drop(self, connection: str) -> bool:
        """Forgets one."""
        self._used.pop(connection, None)
        return self._kept.pop(connection, None) is not None

    async def registered(self, issuer: str) -> tuple[Registered, ...]:
        """Us as clients of an issuer, the latest first."""
        return tuple(one for one in reversed(self._clients) if one.issuer == issuer)

    async def register(self, registered: Registered) -> None:
        """Keeps a registration."""
        await self.unregister(registered.issuer, registered.client_id)
        self._clients.append(registered)

    async def unregister(self, issuer: str, client_id: str) -> None:
        """Forgets a registration."""
        self._clients = [one for one in self._clients if (one.issuer, one.client_id) != (issuer, client_id)]


def _place(kept: Kept) -> tuple[str, str, str]:
    return kept.holder, kept.upstream, kept.agent
