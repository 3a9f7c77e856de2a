"""Admin API: what observation shows, counted from the log: what would be denied if an upstream or a policy were set to enforce."""

import json
from collections.abc import Callable

import msgspec
from msgspec.structs import replace
from pydantic import Field

from doorward.audit.auditor import Auditor
from doorward.audit.query import ANY, MOST, Query
from doorward.control.operators import Role
from doorward.control.replays import ChangeView, change_view
from doorward.control.routes import Ask, Route, Shape
from doorward.control.spans import Moment, micros
from doorward.runtime.replay.recorded import person, recorded, shadow, verdict
from doorward.runtime.replay.tally import Tally

PAGES = 40
"""Pages of the log that one question reads at most: 20,000 calls that were let pass."""


class ObservedQuery(Shape):
    """Which calls to count."""

    since: Moment = Field("7d", description="RFC 3339, or how long ago: `90s`, `15m`, `24h`, `7d`")
    until: Moment | None = None
    agent: str | None = None
    upstream: str | None = None


class Pass(Shape):
    """Calls of one agent to one thing that the same policies would have denied; `example` is the newest call."""

    agent: str
    upstream: str
    kind: str
    name: str
    policies: tuple[str, ...] = Field(description="Policies that would have denied; none where no policy permits")
    detail: str
    calls: int
    first: str
    last: str
    example: str


class Passes(Shape):
    """What was let pass, most often first. `is_whole`: everything asked for was counted, not the newest part alone.

    `changes`: decisions that would have been others with the policies that have `@mode("observe")`; `after` names those that matched.
    """

    passes: tuple[Pass, ...]
    calls: int
    changes: tuple[ChangeView, ...]
    changed: int
    is_whole: bool


class _Count(msgspec.Struct):
    kind: str
    detail: str
    last: str
    example: str
    first: str = ""
    calls: int = 0


_Key = tuple[str, str, str, tuple[str, ...]]


class _Tally(msgspec.Struct):
    counts: dict[_Key, _Count] = msgspec.field(default_factory=dict)

    def add(self, leaf: bytes) -> None:
        body = json.loads(leaf)
        would = body["decision"]["would"]
        key = (body["principal"]["agent"], body["upstream"], body["name"], tuple(would["policies"]))
        # Leaves come newest first: the first one met is the last one made.
        count = self.counts.setdefault(key, _Count(body["kind"], would["detail"], body["ts"], body["call"]))
        count.calls += 1
        count.first = body["ts"]

    def passes(self) -> tuple[Pass, ...]:
        found = [
            Pass(
                agent=agent,
                upstream=upstream,
                kind=count.kind,
                name=name,
                policies=policies,
                detail=count.detail,
                calls=count.calls,
                first=count.first,
                last=count.last,
                example=count.example,
            )
            for (agent, upstream, name, policies), count in self.counts.items()
        ]
        return tuple(sorted(found, key=lambda one: (-one.calls, one.agent, one.upstream, one.name, one.policies)))


class Observed(msgspec.Struct, frozen=True):
    """The count of what observation let pass."""

    auditor: Auditor
    now: Callable[[], float]

    def routes(self) -> tuple[Route, ...]:
        """Its row of the route table."""
        summary = "Count what observation let pass"
        return (Route("GET", "/v1/policies/observed", Role.VIEWER, summary, self.count, gives=Passes, query=ObservedQuery),)

    async def count(self, ask: Ask) -> Passes:
        """By agent, target and the policies that would have denied."""
        wanted = ask.query
        assert isinstance(wanted, ObservedQuery)
        passed, shadows = _Tally(), Tally()
        is_whole = await self._each(wanted, Query(effect="observe"), passed.add)
        is_whole = await self._each(wanted, Query(observed=ANY), lambda raw: _shadowed(shadows, raw)) and is_whole
        passes = passed.passes()
        return Passes(
            passes=passes,
            calls=sum(one.calls for one in passes),
            changes=tuple(sorted((change_view(*one) for one in shadows.changes.items()), key=_most_first)),
            changed=shadows.changed,
            is_whole=is_whole and shadows.more_changes.calls == 0,
        )

    async def _each(self, wanted: ObservedQuery, sort: Query, heed: Callable[[bytes], None]) -> bool:
        """Shows each leaf of a sort to `heed`, newest first; whether these are all."""
        since, until = (micros(moment, self.now()) for moment in (wanted.since, wanted.until))
        query = replace(sort, since=since, until=until, agent=wanted.agent, upstream=wanted.upstream, limit=MOST)
        for _ in range(PAGES):
            page = await self.auditor.find(query)
            for located in page.leaves:
                heed(located.leaf)
            if page.next is None:
                return True
            query = replace(query, before=page.next)
        return False


def _shadowed(shadows: Tally, raw: bytes) -> None:
    """Counts a decision that the observed policies would have changed."""
    leaf = recorded(raw)
    before, after = verdict(leaf), shadow(leaf)
    if before is not None and after is not None:
        shadows.compare(person(leaf.principal).agent, leaf, before, after)


def _most_first(one: ChangeView) -> tuple[object, ...]:
    return -one.calls, one.agent, one.upstream, one.name, one.after.policies
