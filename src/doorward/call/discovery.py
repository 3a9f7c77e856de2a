"""Discovery: keeps the catalogue fresh; each look at an upstream is a governed, recorded call of the gateway's own principal."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from doorward.call.asked import Plain
from doorward.call.discreet import Mask, discreet
from doorward.call.inbound import Notices
from doorward.call.pipeline import Pipeline
from doorward.domain.actors import Principal
from doorward.domain.calls import Answer, Call
from doorward.domain.catalog import Kind, Reversibility, Target
from doorward.domain.ids import CallId, TeamId, UpstreamId
from doorward.domain.leases import Lease
from doorward.domain.reasons import Refused
from doorward.runtime.fleet import Fleet
from doorward.runtime.generations import Generations
from doorward.upstream.faults import told
from doorward.upstream.port import Upstream
from doorward.upstream.sight import Sight
from doorward.wire.canonical import canonical, sha256

DISCOVER = "server/discover"
"""The one method that the gateway calls for itself: everything an upstream offers, pages and all."""

FIRST_REST_SECONDS = 0.5
LAST_REST_SECONDS = 30.0
"""How soon after a look the next one may follow, whatever an upstream says: twice as late each time it has changed again meanwhile."""

_FIRST_RETRY_SECONDS = 1.0
_LAST_RETRY_SECONDS = 60.0

Saw = Callable[[UpstreamId, Sight], Awaitable[None]]
"""Takes what an upstream showed into the next generation."""

Missed = Callable[[UpstreamId, str], Awaitable[None]]
"""Hears that an upstream could not be looked at, and why."""


class Eyes(msgspec.Struct, frozen=True):
    """What discovery needs of the house."""

    pipeline: Pipeline
    generations: Generations
    fleet: Fleet
    own: Principal
    new_id: Callable[[], str]
    saw: Saw
    missed: Missed
    mask: Mask


class Discovery:
    """Looks at each upstream when it is new, when it says that it changed, and before its list gets too old."""

    __slots__ = ("_eyes", "_tasks", "_wanted", "tried")

    def __init__(self, eyes: Eyes) -> None:
        self._eyes = eyes
        self._tasks: dict[UpstreamId, asyncio.Task[None]] = {}
        self._wanted: dict[UpstreamId, asyncio.Event] = {}
        self.tried: set[UpstreamId] = set()
        """Upstreams that have been looked at, well or not, since they were new or changed."""

    def follow(self, changed: tuple[UpstreamId, ...]) -> None:
        """Starts looking at new or changed upstreams, and stops at those that are gone."""
        present = self._eyes.fleet.all()
        for name in [name for name in self._tasks if name not in present or name in changed]:
            self._tasks.pop(name).cancel()
            self._wanted.pop(name)
            self.tried.discard(name)
        for name in changed:
            self._wanted[name] = asyncio.Event()
            self._tasks[name] = asyncio.get_running_loop().create_task(self._keep(name), name=f"discover {name}")

    def want(self, name: UpstreamId) -> None:
        """Asks for a fresh look soon: the upstream said that it changed."""
        if name in self._wanted:
            self._wanted[name].set()

    async def close(self) -> None:
        """Stops looking."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def look(self, name: UpstreamId) -> Sight:
        """One governed look at an upstream, taken into the catalogue; raises `Refused`."""
        seen: list[tuple[Upstream, Sight, Sight]] = []
        config = self._eyes.generations.current.document.upstreams[name]

        async def carry(call: Call, lease: Lease, notices: Notices) -> Answer:
            upstream = self._eyes.fleet.upstream(name, config)
            sight = await upstream.discover(lease)
            shown = discreet(sight, self._eyes.mask)
            seen.append((upstream, sight, shown))
            return Answer(_summary(shown), 0)

        await self._eyes.pipeline.handle(self._asked(name, carry))
        upstream, sight, shown = seen[0]
        await self._eyes.saw(name, shown)
        # INVARIANT: only now. An address that shows something new is not called for what an older generation has accepted.
        upstream.taken(sight)
        return shown

    async def _keep(self, name: UpstreamId) -> None:
        retry, rest = _FIRST_RETRY_SECONDS, FIRST_REST_SECONDS
        wanted = self._wanted[name]
        while True:
            wanted.clear()
            missed = await self._missed(name)
            self.tried.add(name)
            if missed is None:
                retry, pause = _FIRST_RETRY_SECONDS, self._eyes.generations.current.document.upstreams[name].refresh_seconds
            else:
                await self._eyes.missed(name, missed)
                retry, pause = min(retry * 2, _LAST_RETRY_SECONDS), retry
            await asyncio.sleep(rest)
            rest = min(rest * 2, LAST_REST_SECONDS) if wanted.is_set() else FIRST_REST_SECONDS
            await _either(wanted, max(0.0, pause * (0.9 + random.random() * 0.1) - rest))

    async def _missed(self, name: UpstreamId) -> str | None:
        """Looks, and says why nothing came of it; None where it was taken into the catalogue."""
        try:
            await self.look(name)
        except Refused as refused:
            return f"{refused.reason}: {told(refused)}"
        except Exception as error:  # noqa: BLE001 -- the root of a task: whatever failed, an upstream that nobody looks at could change unseen
            return f"{type(error).__name__}: {error}"
        return None

    def _asked(self, name: UpstreamId, carry: Callable[[Call, Lease, Notices], Awaitable[Answer]]) -> Plain:
        call_id = CallId(self._eyes.new_id())
        snapshot = self._eyes.generations.current

        def resolve() -> Call:
            target = Target(name, Kind.UPSTREAM, name, None, TeamId(""), frozenset(), Reversibility.READ)
            raw = canonical({"method": DISCOVER, "upstream": name})
            return Call(call_id, self._eyes.own, target, DISCOVER, {}, {}, raw, sha256(raw))

        return Plain(call_id, self._eyes.own, DISCOVER, name, snapshot, resolve, carry)


async def _either(wanted: asyncio.Event, seconds: float) -> None:
    """Waits until a look is wanted, or for so long."""
    try:
        async with asyncio.timeout(seconds):
            await wanted.wait()
    except TimeoutError:
        return


def _summary(sight: Sight) -> Mapping[str, object]:
    return {
        "era": sight.era,
        "tools": len(sight.tools),
        "prompts": len(sight.prompts),
        "resources": len(sight.resources),
        "templates": len(sight.templates),
        "digest": sha256(canonical([list(sight.tools), list(sight.prompts), list(sight.templates), sight.instructions])),
    }
