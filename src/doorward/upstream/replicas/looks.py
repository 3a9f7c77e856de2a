"""Looks at the addresses of one upstream: what each shows is compared, for what is accepted is accepted of all of them."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from doorward.domain.ids import Digest, UpstreamId
from doorward.domain.leases import Lease
from doorward.domain.reasons import Refused
from doorward.upstream.circuit import Blame
from doorward.upstream.faults import late, unreachable
from doorward.upstream.replicas.address import Address
from doorward.upstream.replicas.shown import agreed, differences, shown
from doorward.upstream.sight import Sight

LOOK_SECONDS: Final = 30.0
"""How long one address among several may take to show what it offers, so that the others are not waited for."""


class Looks:
    """What most addresses show, and what of it was taken into the catalogue last.

    INVARIANT: only an address that shows what was taken last, and so compared with what is accepted, may be called. When those that
    showed it are taken out, or most show something else, the others get no calls before that was looked at and taken as well.
    """

    __slots__ = ("_clock", "_on_turn", "_taken", "_upstream", "agreed")

    def __init__(self, upstream: UpstreamId, on_turn: Callable[[Address], None], clock: Callable[[], float]) -> None:
        """`on_turn` hears of an address that is held back now, or no longer."""
        self._upstream = upstream
        self._on_turn = on_turn
        self._clock = clock
        self._taken: Digest | None = None
        self.agreed: Digest | None = None
        """What most of them show."""

    @property
    def is_due(self) -> bool:
        """Whether most show something else than was taken."""
        return self.agreed != self._taken

    def admits(self, address: Address) -> bool:
        """Whether an address shows what was taken last."""
        return address.shown is not None and address.shown.digest == self._taken

    def taken(self, sight: Sight) -> None:
        """The catalogue has compared this with what is accepted, and withholds what is not."""
        self._taken = shown(sight).digest

    def seen_alone(self, address: Address, sight: Sight) -> None:
        """An address had no others so far, and this was taken: nobody compared it with what others show."""
        address.shown = shown(sight)
        self.agreed = self._taken = address.shown.digest

    async def all(self, addresses: Sequence[Address], voters: Callable[[], Iterable[Address]], lease: Lease) -> Sight:
        """What most of them show; raises Refused where none of those answers. `voters`: whose voice counts once all were looked at."""
        found = await asyncio.gather(*(self._look(address, lease) for address in addresses))
        sights = {address: sight for address, sight in zip(addresses, found, strict=True) if isinstance(sight, Sight)}
        for address, sight in sights.items():
            address.shown, address.used_at = shown(sight), self._clock()
        self.compare(voters())
        right = [sight for address, sight in sights.items() if address.shown is not None and address.shown.digest == self.agreed]
        if right:
            return right[0]
        nothing = unreachable(self._upstream, "only addresses that show other definitions answer")
        raise nothing if sights else next(refused for refused in found if isinstance(refused, Refused))

    def compare(self, voters: Iterable[Address]) -> None:
        """Holds back what shows other definitions than most. INVARIANT: what was seen last of one that does not answer counts as well."""
        seen = [(address, address.shown) for address in voters if address.shown is not None]
        if seen:
            self.agreed = agreed((view.digest for _, view in seen), self.agreed)
        right = next((view for _, view in seen if view.digest == self.agreed), None)
        for address, view in seen:
            before = address.why_held
            address.why_held = differences(right, view) if right is not None and view.digest != right.digest else ""
            if address.why_held != before:
                self._on_turn(address)

    async def _look(self, address: Address, lease: Lease) -> Sight | Refused:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                return await address.speaker.discover(lease)
        except TimeoutError:
            refused = late(self._upstream, f"it did not show what it offers within {LOOK_SECONDS:g} s")
            address.speaker.vitals.failed(refused.detail, Blame.ADDRESS)
            return refused
        except Refused as refused:
            return refused
