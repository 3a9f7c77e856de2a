"""Lists: what the catalogue holds and the policy could allow this principal, in one order, page by page."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Final

import msgspec

from doorward.call.inbound import Inbound
from doorward.call.limits import reaches
from doorward.call.pages import PAGE, Pages, Seen, seen_of
from doorward.catalog.index import Entry
from doorward.domain.actors import Principal
from doorward.domain.calls import Era
from doorward.domain.catalog import Kind, Standing
from doorward.domain.ids import UpstreamId, WaiverId
from doorward.domain.reasons import Reason, Refused
from doorward.domain.waivers import Waivers, nothing_waived
from doorward.policy.memo import Memo
from doorward.policy.question import Moment
from doorward.runtime.snapshot import Snapshot
from doorward.wire.eras import to_session
from doorward.wire.jsonrpc import dump
from doorward.wire.lists import FIELDS, page
from doorward.wire.sealed import Seal

AT_ONCE: Final = 64
"""Entries of a list that are decided on in one go."""

KNOWN: Final = 1_024
"""Principals whose upstreams are remembered."""

KINDS: Final[Mapping[str, Kind]] = {
    "tools/list": Kind.TOOL,
    "prompts/list": Kind.PROMPT,
    "resources/list": Kind.RESOURCE,
    "resources/templates/list": Kind.TEMPLATE,
}
"""The list methods, and which kind each shows."""


class Listing:
    """Shows each principal its own view of the catalogue."""

    __slots__ = ("_moment", "_nonce", "_pages", "_seal", "_upstreams", "_waivers")

    def __init__(self, seal: Seal, moment: Callable[[], Moment], nonce: Callable[[], bytes], waivers: Waivers = nothing_waived) -> None:
        self._seal, self._moment, self._nonce, self._waivers = seal, moment, nonce, waivers
        self._upstreams: Memo[tuple[object, ...], frozenset[UpstreamId]] = Memo(KNOWN)
        self._pages = Pages()

    async def page(self, inbound: Inbound, snapshot: Snapshot) -> dict[str, object]:
        """One page of the list that a request asks for; raises `Refused` INVALID_PARAMS for a cursor that is not ours."""
        method, endpoint = inbound.request.method, inbound.endpoint
        seen = await self._seen(inbound, KINDS[method], snapshot)
        context = f"cursor\0{inbound.principal.id}\0{endpoint or ''}\0{method}".encode()
        after = self._after(inbound.request.params.get("cursor"), context)
        items, rest = self._part(inbound, seen, after, snapshot)
        result: dict[str, object] = {FIELDS[method]: items}
        if rest is not None:
            result["nextCursor"] = self._seal.seal(rest.encode(), context, self._nonce())
        return result

    def _part(self, inbound: Inbound, seen: Seen, after: str | None, snapshot: Snapshot) -> tuple[object, str | None]:
        """The items after a key, as they go out, and the key to go on after; those of resources as they are: what they name is still read."""
        method, endpoint = inbound.request.method, inbound.endpoint
        if method == "resources/list":
            entries, rest = page(seen.entries, after, PAGE, attrgetter("key"))
            return [entry.shown(endpoint) for entry in entries], rest
        form = (method, endpoint or "", inbound.era, inbound.version if inbound.era is Era.SESSION else "")
        found = self._pages.page(snapshot.generation, seen, form, after, partial(_written, inbound))
        return found.items, found.rest

    def visible(self, principal: Principal, endpoint: UpstreamId | None, kind: Kind, snapshot: Snapshot) -> Sequence[Entry]:
        """The entries of an endpoint that this principal may see, in the order of their keys."""
        return self._visible(principal, endpoint, kind, snapshot).entries

    def _visible(self, principal: Principal, endpoint: UpstreamId | None, kind: Kind, snapshot: Snapshot) -> Seen:
        at = self._moment()
        key = self._key(principal, endpoint, kind, snapshot, at)
        known = self._pages.view(snapshot.generation, key)
        if known is not None:
            return known
        view = View(principal, snapshot, at, self._waivers)
        return self._pages.put(snapshot.generation, key, [entry for entry in snapshot.index.entries(endpoint, kind) if view.has(entry)])

    async def _seen(self, inbound: Inbound, kind: Kind, snapshot: Snapshot) -> Seen:
        """The same, with a turn for others now and then: the first look at a long list takes many decisions."""
        at = self._moment()
        key = self._key(inbound.principal, inbound.endpoint, kind, snapshot, at)
        known = self._pages.view(snapshot.generation, key)
        if known is not None:
            return known
        view, seen = View(inbound.principal, snapshot, at, self._waivers), []
        for number, entry in enumerate(snapshot.index.entries(inbound.endpoint, kind), 1):
            if view.has(entry):
                seen.append(entry)
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        # What is waived may be another thing by now: then this is a view of nobody's, and not kept.
        now = self._key(inbound.principal, inbound.endpoint, kind, snapshot, at)
        return self._pages.put(snapshot.generation, key, seen) if now == key else seen_of(seen)

    def _key(self, principal: Principal, endpoint: UpstreamId | None, kind: Kind, snapshot: Snapshot, at: Moment) -> tuple[object, ...]:
        """Everything that a view of a generation rests on."""
        return endpoint, kind, _who(principal), snapshot.policies.clock(at), self._waived(principal)

    def upstreams(self, principal: Principal, snapshot: Snapshot) -> frozenset[UpstreamId]:
        """The upstreams of which policy lets a principal see anything, as of this minute.

        Worked out for all of them together, so that to ask for one that is hidden takes as long as for one that is not there.
        """
        at = self._moment()
        key = (snapshot.generation, int(at.unix_seconds // 60), _who(principal), self._waived(principal))
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
            seen[method] = self._visible(principal, endpoint, kind, snapshot).digests
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


def _who(principal: Principal) -> tuple[object, ...]:
    """Everything about a principal that policy can read, in the order in which it differs."""
    return principal.agent, principal.subject, principal.actors, principal.method, principal.network, principal.proof


def _written(inbound: Inbound, entries: Sequence[Entry]) -> bytes:
    """Entries as a client of this era and endpoint gets them."""
    if inbound.era is Era.EXCHANGE:
        return b"[" + b",".join([entry.face(inbound.endpoint).encoded for entry in entries]) + b"]"
    method = inbound.request.method
    items = [entry.shown(inbound.endpoint) for entry in entries]
    return dump(to_session(method, {FIELDS[method]: items}, inbound.version)[FIELDS[method]])


class View(msgspec.Struct, frozen=True):
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
