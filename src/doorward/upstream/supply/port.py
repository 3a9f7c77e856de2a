"""Who is asked whether a process may be made of what it is made of, and what is asked of whom: before each start, off the loop."""

import asyncio
from collections.abc import Mapping
from typing import Protocol

from doorward.config.model import Stdio
from doorward.domain.errors import DoorwardError, StoreError, UnrecordedError
from doorward.domain.ids import UpstreamId
from doorward.upstream.supply.measure import Command, measured
from doorward.upstream.supply.parts import Digests, manifest


class HeldBackError(DoorwardError):
    """A process that is not started for what it is made of, until somebody accepts that."""


class Supply(Protocol):
    """Knows what was accepted."""

    async def accepts(self, upstream: UpstreamId, manifest: Mapping[str, object]) -> bool:
        """Whether a process made of this may be started. What is accepted for being the first is durable when it returns."""
        ...


class Anything:
    """Accepts whatever there is (`Supply`): of upstreams that no operator has configured."""

    __slots__ = ()

    async def accepts(self, upstream: UpstreamId, manifest: Mapping[str, object]) -> bool:
        """Yes."""
        return True


class Inspector:
    """Measures commands, and asks whether what they are made of is accepted."""

    __slots__ = ("_digests", "_supply")

    def __init__(self, supply: Supply) -> None:
        self._supply = supply
        self._digests = Digests()

    async def check(self, upstream: UpstreamId, stdio: Stdio, environment: Mapping[str, str]) -> None:
        """Raises `HeldBackError` unless the process may be started as it would be, `SupplyError` where nobody can tell."""
        if stdio.pin.trust == "off" and stdio.pin.digest is None:
            return
        command = Command(stdio.command, environment, stdio.cwd, stdio.pin.paths)
        parts = await asyncio.to_thread(measured, command, self._digests)
        try:
            is_accepted = await self._supply.accepts(upstream, manifest(parts))
        except (StoreError, UnrecordedError) as error:
            raise HeldBackError(f"held back: what it is made of could not be kept in mind: {error}") from error
        if not is_accepted:
            raise HeldBackError("held back: what it is made of is not what was accepted; `doorward catalog diff` shows it")
