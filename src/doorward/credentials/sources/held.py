"""One secret that is in use, and what one user has taken of them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from math import inf
from typing import Final

import msgspec

from doorward.config.references import Remote, UnresolvedError
from doorward.credentials.sources.port import WHOLE, Found

LEAST_PAUSE_SECONDS: Final = 1.0
MOST_PAUSE_SECONDS: Final = 15.0
"""How long nothing is asked for again after a failure: a tenth of what is left, within these."""
DOUBT_SECONDS: Final = 5.0
"""How often a secret is read again because an upstream did not accept it."""

Key = tuple[str, str, str]
"""Owner, scheme and place."""


class Clocks(msgspec.Struct, frozen=True):
    """Both clocks: lives are measured by the one that never steps, and one that steps ahead makes us look earlier."""

    monotonic: Callable[[], float]
    now: Callable[[], float]
    """Unix seconds."""

    def both(self) -> tuple[float, float]:
        """One reading of each."""
        return self.monotonic(), self.now()


@dataclass(slots=True, eq=False)
class Held:
    """A secret as it was read, and what is known of its life."""

    key: Key
    found: Found
    refresh_seconds: float
    since: float
    """When its life was last told, on the monotonic clock."""
    since_now: float
    """The same in Unix seconds."""
    users: int = 0
    is_over: bool = False
    """Another takes its place, or none may."""
    may_renew: bool = True
    is_doubted: bool = False
    """An upstream has not accepted it: perhaps it was changed."""
    is_failing: bool = False
    """It could not be looked at again."""
    issued_at: float = field(init=False)
    """When it was first read, in Unix seconds."""
    _life: float | None = field(init=False)
    _rests_until: float = 0.0

    def __post_init__(self) -> None:
        self.issued_at = self.since_now
        self._life = None if self.found.loan is None else self.found.loan.seconds

    def is_due(self, clocks: Clocks) -> bool:
        """Whether to look at it again: a loan after half of its life, or two thirds where it cannot be renewed."""
        if clocks.monotonic() < self._rests_until:
            return False
        loan = self.found.loan
        if loan is not None and not loan.is_sound():
            return True
        # A machine that slept, or was moved, says so by its wall clock alone.
        age = max(clocks.monotonic() - self.since, clocks.now() - self.since_now)
        if self._life is None:
            return age >= (min(DOUBT_SECONDS, self.refresh_seconds) if self.is_doubted else self.refresh_seconds)
        return age >= self._life * (1 / 2 if self.may_be_renewed() else 2 / 3)

    def may_be_renewed(self) -> bool:
        """Whether its provider may make it hold longer."""
        loan = self.found.loan
        return loan is not None and loan.is_renewable and self.may_renew and loan.is_sound()

    def has_ended(self, clocks: Clocks) -> bool:
        """Whether its life is over by what was last said of it."""
        return self._life is not None and clocks.monotonic() - self.since >= self._life

    def seen(self, since: float, since_now: float) -> None:
        """It was looked at and is the same still."""
        self.since, self.since_now = since, since_now
        self.is_failing = self.is_doubted = False

    def renewed(self, seconds: float, since: float, since_now: float) -> None:
        """It holds for so long from now."""
        self._life = seconds
        self.seen(since, since_now)

    def rest(self, clocks: Clocks) -> None:
        """It could not be looked at: again after a while."""
        self.is_failing = True
        left = inf if self._life is None else self.since + self._life - clocks.monotonic()
        self._rests_until = clocks.monotonic() + max(LEAST_PAUSE_SECONDS, min(MOST_PAUSE_SECONDS, left / 10))

    def is_same(self, found: Found) -> bool:
        """Whether another reading brought the same secret."""
        return found.loan is None and found.version == self.found.version and found.fields == self.found.fields


class Taken:
    """Secrets that one user holds together."""

    __slots__ = ("_give_back", "_held")

    def __init__(self, give_back: Callable[[Held], Awaitable[None]]) -> None:
        self._give_back = give_back
        self._held: dict[tuple[str, str], Held] = {}

    def add(self, held: Held) -> None:
        """One more."""
        self._held[held.key[1], held.key[2]] = held

    def value(self, pointer: Remote) -> str:
        """What a reference leads to; raises `UnresolvedError` where its field is not there."""
        fields = self._held[pointer.scheme, pointer.place].found.fields
        if pointer.field not in fields:
            what = f"no field {pointer.field}" if pointer.field != WHOLE else "several fields; name one behind a #"
            raise UnresolvedError(f"{pointer.scheme}:{pointer.place} has {what}")
        return fields[pointer.field].reveal()

    def is_current(self) -> bool:
        """Whether all of them are what their sources would say now, as far as anybody knows."""
        return not any(held.is_over for held in self._held.values())

    @property
    def is_borrowed(self) -> bool:
        """Whether any of them was made for this use, and ends."""
        return any(held.found.loan is not None for held in self._held.values())

    async def release(self) -> None:
        """They are used no longer; does nothing the second time."""
        held, self._held = self._held, {}
        for one in held.values():
            await self._give_back(one)
