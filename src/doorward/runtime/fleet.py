"""The upstreams that are open, matched to the document: what changed is opened anew, what is gone is closed once its calls have ended."""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from doorward.config.model import Document, Stdio
from doorward.config.model import Upstream as UpstreamConfig
from doorward.domain.ids import UpstreamId
from doorward.domain.reasons import Reason, Refused
from doorward.upstream.port import Upstream

Open = Callable[[UpstreamId, UpstreamConfig], Upstream]
"""Makes the driver of one upstream; opens no connection and starts no process yet."""

_GRACE_SECONDS = 30.0
"""How long a replaced upstream may finish what it carries."""


class Fleet:
    """One driver an upstream, kept across generations as long as its configuration stays the same."""

    __slots__ = ("_busy", "_closing", "_open", "_running")

    def __init__(self, open_upstream: Open, busy: Callable[[UpstreamId], int]) -> None:
        self._open = open_upstream
        self._busy = busy
        self._running: dict[UpstreamId, tuple[UpstreamConfig, Upstream]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def upstream(self, name: UpstreamId, decided: UpstreamConfig) -> Upstream:
        """The driver of an upstream; raises `Refused` where it has been removed, or stands for another server than decided on."""
        found = self._running.get(name)
        if found is None or not (found[0] is decided or is_same_server(found[0], decided)):
            became = "no longer configured" if found is None else "another server since the call was decided"
            raise Refused(Reason.UPSTREAM_UNREACHABLE, f"the upstream {name} is {became}")
        return found[1]

    def all(self) -> Mapping[UpstreamId, Upstream]:
        """Every open upstream."""
        return {name: upstream for name, (_, upstream) in self._running.items()}

    def moved(self) -> Mapping[str, float]:
        """How many calls of each upstream went to a second address."""
        return {name: upstream.moved for name, upstream in self.all().items()}

    def match(self, document: Document) -> tuple[UpstreamId, ...]:
        """Opens and retires drivers so that they match a document; gives the names that are new or changed."""
        changed = []
        wanted = {UpstreamId(name): config for name, config in document.upstreams.items()}
        for name in [name for name in self._running if name not in wanted]:
            self._retire(name)
        for name, config in wanted.items():
            held = self._running.get(name)
            if held is not None and held[0] == config:
                continue
            self._running[name] = (config, self._adapted(name, config))
            changed.append(name)
        return tuple(changed)

    def _adapted(self, name: UpstreamId, config: UpstreamConfig) -> Upstream:
        """The driver for a configuration: the one that runs if it can go over to it, else a new one in its place."""
        held = self._running.get(name)
        if held is not None and held[1].adapt(config):
            return held[1]
        if held is not None:
            self._retire(name)
        return self._open(name, config)

    def renew(self, names: Iterable[UpstreamId]) -> None:
        """Ends what some upstreams have open, processes and streams, and puts drivers in their place that have not begun yet."""
        for name in [name for name in names if name in self._running]:
            config, _ = self._running[name]
            self._retire(name)
            self._running[name] = (config, self._open(name, config))

    def drop(self, name: UpstreamId, account: str) -> None:
        """Ends at once what an upstream keeps for an account alone."""
        found = self._running.get(name)
        if found is not None:
            found[1].drop(account)

    async def close(self) -> None:
        """Closes every upstream and waits until all are closed."""
        for name in list(self._running):
            self._retire(name)
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _retire(self, name: UpstreamId) -> None:
        _, upstream = self._running.pop(name)
        task = asyncio.get_running_loop().create_task(self._close_when_idle(name, upstream))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _close_when_idle(self, name: UpstreamId, upstream: Upstream) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _GRACE_SECONDS
        while self._busy(name) and loop.time() < deadline:  # noqa: ASYNC110 -- calls end on their own, and nothing tells of the last
            await asyncio.sleep(0.05)
        await upstream.close()


def is_same_server(one: UpstreamConfig, other: UpstreamConfig) -> bool:
    """Whether two configurations lead to the same server with the same credential; how long it may take and the like do not matter.

    A server of several addresses stays the same as long as one of them stays: whatever is added gets calls only once it shows the same.
    """
    is_same_place = one.addresses == other.addresses or bool(set(one.addresses) & set(other.addresses))
    return is_same_place and (_process(one), one.credential) == (_process(other), other.credential)


def _process(config: UpstreamConfig) -> Stdio | None:
    """The process to start, however many of it, and however long."""
    return None if config.stdio is None else config.stdio.model_copy(update={"processes": 1, "most": 1, "idle_seconds": 1.0})
