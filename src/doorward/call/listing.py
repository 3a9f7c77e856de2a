"""Lists: what the catalogue holds and the policy could allow this principal, in one order, page by page."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from doorward.call.inbound import Inbound
from doorward.call.limits import reaches
from doorward.catalog.index import Entry
from doorward.domain.actors import Principal
from doorward.domain.catalog import Kind, Standing
from doorward.domain.ids import UpstreamId, WaiverId
from doorward.domain.reasons import Reason, Refused
from doorward.domain.waivers import Waivers, nothing_waived
from doorward.policy.memo import Memo
from doorward.policy.question import Moment
from doorward.runtime.snapshot import Snapshot
from doorward.wire.lists import FIELDS, page
from doorward.wire.sealed import Seal

AT_ONCE: Final = 64
"""Entries of a list that are decided on in one go."""

KNOWN: Final = 1_024
"""Principals whose upstreams are remembered."""

PAGE: Final = 250
"""Items of one page: most catalogues fit in one; a client that ignores cursors still sees plenty."""

KINDS: Final[Mapping[str, Kind]] = {
    "tools/list": Kind.TOOL,
    "prompts/list": Kind.PROMPT,
    "resources/list": Kind.RESOURCE,
    "resources/templates/list": Kind.TEMPLATE,
}
"""The list methods, and which kind each shows."""


class Listing:
    """Shows each principal its own view of the catalogue."""

    __slots__ = ("_moment", "_nonce", "_seal", "_upstreams", "_waivers")

    def __init__(self, seal: Seal, moment: Callable[[], Moment], nonce: Callable[[], bytes], waivers: Waivers = nothing_waived) -> None:
        self._seal, self._moment, self._nonce, self._waivers = seal, moment, nonce, waivers
        self._upstreams: Memo[tuple[object, ...], frozenset[UpstreamId]] = Memo(KNOWN)

    async def page(self, inbound: Inbound, snapshot: Snapshot) -> dict[str, object]:
        """One page of the list that a request asks for; raises `Refused` INVALID_PARAMS for a cursor that is not ours."""
        method = inbound.request.method
        field = FIELDS[method]
        shown = [entry async for entry in self._seen(inbound, KINDS[method], snapshot)]
        context = f"cursor\0{inbound.principal.id}\0{inbound.endpoint or ''}\0{method}".encode()
        items, rest = page(shown, self._after(inbound.request.params.get("cursor"), context), PAGE, attrgetter("key"))
        result: dict[str, object] = {field: [entry.shown(inbound.endpoint) for entry in items]}
        if rest is not None:
            result["nextCursor"] = self._seal.seal(rest.encode(), context, self._nonce())
        return result

    def visible(self, principal: Principal, endpoint: UpstreamId | None, kind: Kind, snapshot: Snapshot) -> Sequence[Entry]:
        """The entries of an endpoint that this principal may see, in the order of their keys."""
        view = View(principal, snapshot, self._moment(), self._waivers)
        return [entry for entry in snapshot.index.entries(endpoint, kind) if view.has(entry)]

    async def _seen(self, inbound: Inbound, kind: Kind, snapshot: Snapshot) -> AsyncIterator[Entry]:
        """The same, with a turn for others now and then: the first look at a long list takes many decisions."""
        view = View(inbound.principal, snapshot, self._moment(), self._waivers)
        for number, entry in enumerate(snapshot.index.entries(inbound.endpoint, kind), 1):
            if view.has(entry):
                yield entry
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)

    def upstreams(self, principal: Principal, snapshot: Snapshot) -> frozenset[UpstreamId]:
        """The upstreams of which policy lets a principal see anything, as of this minute.

        Worked out for all of them together, so that to ask for one that is hidden takes as long as for one that is not there.
        """
        at = self._moment()
        # Everything about a principal that policy can read, in the order in which it differs.
        who = (principal.agent, principal.subject, principal.actors, principal.method, principal.network, principal.proof)
        key = (snapshot.generation, int(at.unix_seconds // 60), who, self._waived(principal))
        known = self._upstreams.get(key)
        if known is not None:
            return known
        return self._upstreams.put(key, frozenset(View(principal, snapshot, at, self._waivers).upstreams()))

    def _waived(self, principal: Principal) -> tuple[WaiverId, ...]:
        """What is waived of anybody in the chain: a view that is remembered must not outlive it."""
        agents = (principal.agent, *[actor.agent for actor in principal.actors])
        return tuple([waiver.id for agent in agents for waiver in self._waivers(agent.id)])

    def fingerprint(self, principal: Principal, endpoint: UpstreamId | None, snapshot: Snapshot) -> dict[str, object]:
        """What a principal sees of each list, as a value to compare with a later one."""
        seen: dict[str, object] = {}
        for method, kind in KINDS.items():
            entries = self.visible(principal, endpoint, kind, snapshot)
            seen[method] = tuple((entry.key, entry.definition.digest) for entry in entries)
        return seen

    def _after(self, cursor: object, context: bytes) -> str | None:
        """The key that a page begins after; None for the first."""
        if cursor is None:
            return None
        last = self._seal.open(cursor, context) if isinstance(cursor, str) else None
        if last is None:
            raise Refused(
                Reason.INVALID_PARAMS,
                "the cursor does not open for this caller and list",
                sentence="The cursor is not valid here.",
            )
        return last.decode()


@dataclass(frozen=True, slots=True)
class View:
    """What one principal may see of a snapshot at a moment."""

    principal: Principal
    snapshot: Snapshot
    at: Moment
    waivers: Waivers

    def has(self, entry: Entry) -> bool:
        """Whether an entry is in its lists."""
        return reaches(self.principal, entry.target.upstream) and self._is_open(entry)

    def upstreams(self) -> Iterator[UpstreamId]:
        """The upstreams of which anything is open to it."""
        for name in map(UpstreamId, self.snapshot.document.upstreams):
            entries = (entry for kind in KINDS.values() for entry in self.snapshot.index.entries(name, kind))
            if self.snapshot.is_observed(name) or any(map(self._is_open, entries)):
                yield name

    def _is_open(self, entry: Entry) -> bool:
        """Whether policy could let it have an entry, whatever its credential is limited to: for the rest there are wider ones."""
        if entry.standing is not Standing.APPROVED:
            return False
        if self.snapshot.is_observed(entry.target.upstream):
            return True
        return self.snapshot.policies.could_allow(self.principal, entry.target, self.at, self.waivers)
