"""A source that tests stock by hand, clocks that they move, and everything around them that a mint reads with."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from doorward.config.references import Resolver
from doorward.credentials.sources.custody import Custody, Kept
from doorward.credentials.sources.held import Clocks
from doorward.credentials.sources.port import EndedError, Found, Loan, SourceError
from doorward.credentials.sources.reading import Reading
from doorward.credentials.sources.standing import Standing
from doorward.domain.secret import Secret


@dataclass
class Time:
    """Both clocks; they go together unless one of them jumps."""

    steady: float = 1000.0
    wall: float = 1_800_000_000.0

    def pass_by(self, seconds: float) -> None:
        self.steady += seconds
        self.wall += seconds

    @property
    def clocks(self) -> Clocks:
        return Clocks(lambda: self.steady, lambda: self.wall)


@dataclass
class Shelf:
    """A source whose answers are set; it lends what has a length of life."""

    fields: dict[str, str] = field(default_factory=lambda: {"username": "u", "password": "p"})
    version: str = "1"
    lends_for: float | None = None
    renewals: list[float] = field(default_factory=list)
    """What renewals bring, in turn; none left: the loan has ended."""
    trouble: SourceError | None = None
    gate: asyncio.Event | None = None
    """Readings wait for it."""
    is_sound: bool = True
    reads: list[str] = field(default_factory=list)
    renewed: list[str] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)
    upkeeps: int = 0
    is_closed: bool = False

    async def read(self, place: str) -> Found:
        self.reads.append(place)
        if self.gate is not None:
            await self.gate.wait()
        if self.trouble is not None:
            raise self.trouble
        made = {name: Secret(text) for name, text in self.fields.items()}
        if self.lends_for is None:
            return Found(made, self.version, 1_700_000_000.0)
        lease = f"{place}/{len(self.reads)}"
        made["password"] = Secret(f"password of {lease}")
        return Found(made, lease, None, self._loan(lease, self.lends_for))

    def _loan(self, lease: str, seconds: float) -> Loan:
        async def renew() -> float:
            self.renewed.append(lease)
            if self.trouble is not None:
                raise self.trouble
            if not self.renewals:
                raise EndedError(f"{lease} has ended")
            return self.renewals.pop(0)

        async def revoke() -> None:
            self.revoked.append(lease)
            if self.trouble is not None:
                raise self.trouble

        return Loan(lease, seconds, bool(self.renewals), renew, revoke, lambda: self.is_sound)

    async def names(self) -> Sequence[str]:
        return ("secret/used", "secret/forgotten")

    async def upkeep(self) -> None:
        self.upkeeps += 1

    async def close(self) -> None:
        self.is_closed = True


@dataclass
class Told:
    """What operators were told."""

    said: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, event: str, text: str) -> None:
        self.said.append((event, text))

    @property
    def events(self) -> list[str]:
        return [event for event, _ in self.said]


def custody(shelf: Shelf, time: Time, told: Told | None = None) -> Custody:
    """What is held of one source, `shelf`."""
    return Custody({"shelf": Kept(shelf, 60.0, None)}, time.clocks, told or Told())


def reading(root: Path, environment: Mapping[str, str], held: Custody | None = None) -> Reading:
    """Reads variables, files of a directory, and what is held of sources."""
    known = held or Custody({}, Time().clocks, Told())
    return Reading(Resolver(root, environment), known, Standing(known))
