"""Raises: what budgets hold more than their limits, each until an end, as kept facts with a mirror in memory.

INVARIANT: a raise is written before it holds; what ends it is true in memory at once and written after. It counts for no call of the
people of whoever gave it: nobody raises a budget for themselves.
"""

from collections.abc import Awaitable, Callable

import anyio

from doorward.admission.budgets.store import BudgetStore, Raise
from doorward.domain.actors import Principal
from doorward.domain.errors import DoorwardError
from doorward.domain.receipts import Event, Scalar

MOST = 1_000
"""Kept at the same time."""
LONGEST_SECONDS = 90 * 86_400.0
"""Whoever needs more for longer changes the limit."""

Own = Callable[[Raise, Principal], bool]
"""Whether a principal is, or is owned by, whoever gave a raise."""
Tell = Callable[[Event], Awaitable[object]]
"""Tells the log of an event; durable on return, or it raises `UnrecordedError`."""


class RaiseError(DoorwardError):
    """A raise that cannot be given or ended; the message is for the operator."""


class Raises:
    """Every raise that holds now. Until `load` has succeeded, none does."""

    __slots__ = ("_is_own", "_lock", "_now", "_over", "_store", "_undropped", "held")

    def __init__(self, store: BudgetStore, now: Callable[[], float], is_own: Own) -> None:
        """`now`: Unix seconds of a clock that never goes back."""
        self._store = store
        self._now = now
        self._is_own = is_own
        self.held: dict[str, dict[str, Raise]] = {}
        """What has been given and not ended, by ledger and id; nothing under a ledger is no entry there."""
        self._over: dict[str, Raise] = {}
        self._undropped: set[str] = set()
        self._lock = anyio.Lock()

    async def load(self) -> None:
        """Goes on from what the store holds; raises `StoreError`."""
        for raised in await self._store.raises():
            self._hold(raised)

    def of(self, ledger: str, key: str, principal: Principal) -> int:
        """What a budget holds more than its limit for a call of a principal, in units."""
        held = self.held.get(ledger)
        if held is None:
            return 0
        now = self._now()
        fits = (one for one in held.values() if one.ends > now and one.key in {None, key})
        return sum(one.units for one in fits if not self._is_own(one, principal))

    def on(self, ledger: str, key: str | None) -> int:
        """What a key of a budget is raised by, for whom it is not their own doing; with no key, what all are."""
        now = self._now()
        return sum(one.units for one in self.held.get(ledger, {}).values() if one.ends > now and one.key in {None, key})

    def all(self) -> tuple[Raise, ...]:
        """Everything that holds, oldest first."""
        now = self._now()
        held = (one for of_ledger in self.held.values() for one in of_ledger.values() if one.ends > now)
        return tuple(sorted(held, key=lambda one: (one.begins, one.id)))

    def check(self, raised: Raise) -> None:
        """Raises `RaiseError` if it could not be given as things stand."""
        if not 0 < raised.ends - self._now() <= LONGEST_SECONDS:
            raise RaiseError(f"expected an end within {LONGEST_SECONDS / 86_400:g} days from now")
        if len(self.all()) >= MOST:
            raise RaiseError(f"expected fewer than {MOST} raises at the same time; end some first")

    async def give(self, raised: Raise) -> None:
        """Lets one hold once it is durable; raises `RaiseError` and `StoreError`. Whoever calls this has told the log before (`given`)."""
        async with self._lock:
            self.check(raised)
            try:
                await self._store.put(raised)
            except BaseException:
                # It may have been written all the same; nobody was told that it holds.
                self._undropped.add(raised.id)
                raise
            self._hold(raised)

    async def end(self, name: str) -> None:
        """Ends one at once; raises `RaiseError` where none is called so, and `StoreError` when that would not outlive the process."""
        found = next((one for one in self.all() if one.id == name), None)
        if found is None:
            raise RaiseError(f"expected the id of a raise that holds, got {name[:64]!r}")
        self._release(found)
        self._undropped.add(found.id)
        await self._drop()

    async def sweep(self, tell: Tell) -> None:
        """Ends those whose time is over and tells the log of each; raises `UnrecordedError` and `StoreError`: what is not told then is so
        the next time, and does not hold meanwhile. To be called every second or so."""
        now = self._now()
        for one in [one for held in self.held.values() for one in held.values() if one.ends <= now]:
            self._release(one)
            self._over[one.id] = one
        try:
            while self._over:
                name, one = next(iter(self._over.items()))
                await tell(ended(one, "doorward"))
                self._undropped.add(name)
                self._over.pop(name, None)
        finally:
            await self._drop()

    def _hold(self, raised: Raise) -> None:
        self.held.setdefault(raised.ledger, {})[raised.id] = raised

    def _release(self, raised: Raise) -> None:
        held = self.held[raised.ledger]
        del held[raised.id]
        if not held:
            del self.held[raised.ledger]

    async def _drop(self) -> None:
        if self._undropped:
            async with self._lock:
                going = tuple(self._undropped)
                await self._store.drop(going)
                self._undropped.difference_update(going)


def given(raised: Raise, by: str, whose: str, amount: str) -> Event:
    """The leaf that tells of one before it holds; `whose` as a leaf may name the key."""
    fields: dict[str, Scalar] = {
        "raise": raised.id,
        "budget": raised.budget,
        "for": whose,
        "by": amount,
        "reason": raised.reason,
        "ends": int(raised.ends),
    }
    return Event("budget_raised", by, fields)


def ended(raised: Raise, by: str) -> Event:
    """The leaf of one that has ended, by itself or because somebody has ended it."""
    return Event("budget_raise_ended", by, {"raise": raised.id, "budget": raised.budget})
