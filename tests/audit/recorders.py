"""A recorder and an auditor of one log in memory, with clocks and draws that a test holds."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from doorward.audit.auditor import Auditor
from doorward.audit.commit import Committer
from doorward.audit.leaf import Bodies
from doorward.audit.recorder import Means, Recorder, SideRules
from doorward.audit.sides import Wrapper
from doorward.audit.veil import Veil
from doorward.stores.memory import MemoryApprovals, MemoryLog
from doorward.testing.stores.log import NODE, SIGNER, Clock

VEIL = Veil(b"k" * 32)
DAY_SECONDS = 86_400


def draws() -> Callable[[int], bytes]:
    """Bytes that are the same in each run and never repeat."""
    drawn = [0]

    def draw(count: int) -> bytes:
        drawn[0] += 1
        return b"".join((drawn[0] * 100_000 + number).to_bytes(4, "big") for number in range(-(-count // 4)))[:count]

    return draw


@dataclass(frozen=True)
class Bench:
    """What a test works with."""

    log: MemoryLog
    approvals: MemoryApprovals
    recorder: Recorder
    auditor: Auditor
    clock: Clock

    async def leaves(self) -> list[dict]:
        """Every leaf, parsed."""
        return [msgspec.json.decode(located.leaf) for located in await self.log.leaves(0, 1_000_000)]

    def again(self, sides: SideRules | None = None) -> Recorder:
        """Another process on the same log."""
        return _recorder(self.log, self.clock, sides or SideRules(90, 4096))


def bench(sides: SideRules | None = None) -> Bench:
    """An empty log, its recorder not started yet."""
    clock, approvals = Clock(), MemoryApprovals()
    log = MemoryLog(Committer(SIGNER, Bodies(NODE, VEIL)), clock, approvals)
    return Bench(log, approvals, _recorder(log, clock, sides or SideRules(90, 4096)), Auditor(log, VEIL, _wrapper(), SIGNER.vkey), clock)


def _wrapper() -> Wrapper:
    return Wrapper(b"w" * 32, draws())


def _recorder(log: MemoryLog, clock: Clock, sides: SideRules) -> Recorder:
    return Recorder(Means(log, Bodies(NODE, VEIL), _wrapper(), sides, lambda: clock.at.wall_micros / 1e6, draws()))
