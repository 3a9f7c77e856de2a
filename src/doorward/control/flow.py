"""Admin API: contexts: what has flowed into each instance of an agent, and beginning one anew.

LAW: a reset gives rights back, so it is told to the log first, with who did it; owners of the agent's team may, and nobody else but admins.
No agent resets itself: whoever can talk it into something could talk it into that.
"""

import msgspec
from pydantic import Field

from doorward.audit.recorder import Recorder
from doorward.control.operators import Role
from doorward.control.orders import widen
from doorward.control.routes import Ask, ControlError, Done, Route, Shape
from doorward.domain.ids import AgentId
from doorward.domain.receipts import Event
from doorward.flow.context import Context
from doorward.flow.contexts import Contexts
from doorward.identity.registry import Registry

MOST_SHOWN = 1_000
"""Contexts of one answer."""


class ContextQuery(Shape):
    """Of whom."""

    agent: str | None = Field(None, description="Contexts of this agent alone")


class ContextView(Shape):
    """What has flowed into one instance of an agent; times are Unix seconds."""

    context: int = Field(description="Its number; another one once it has been reset")
    agent: str
    instance: str = Field(description="The authenticated instance; empty for what is left of several of the agent that had to make room")
    integrity: str
    confidentiality: str
    categories: tuple[str, ...]
    findings: tuple[str, ...] = Field(description="What was found in what it was given, as `guard/rule`")
    calls: int = Field(description="Calls that were forwarded for it")
    writes: int
    externals: int
    began: float
    last_call: float
    ends: float = Field(description="When it is forgotten, unless it calls again")
    remembers: int | None = Field(
        description="How many addresses, ids and the like it has been shown; null where every one counts as tainted"
    )


class ContextList(Shape):
    """Contexts, the last to call first."""

    contexts: tuple[ContextView, ...] = Field(max_length=MOST_SHOWN)
    total: int = Field(description="How many there are")


class Reset(Shape):
    """Why it may begin anew."""

    reason: str = Field(pattern=r"\S", max_length=500, description="Why; kept in the log")


class FlowRows(msgspec.Struct, frozen=True):
    """The operations on contexts."""

    contexts: Contexts
    registry: Registry
    recorder: Recorder

    def routes(self) -> tuple[Route, ...]:
        """Their rows of the route table."""
        begin = "Let an instance begin anew, as if nothing had flowed into it"
        return (
            Route(
                "GET",
                "/v1/flow",
                Role.VIEWER,
                "List what has flowed into agents' contexts",
                self.all,
                gives=ContextList,
                query=ContextQuery,
            ),
            Route("GET", "/v1/flow/{context}", Role.VIEWER, "Show one context", self.one, gives=ContextView),
            Route("POST", "/v1/flow/{context}/reset", Role.OWNER, begin, self.reset, Reset, Done, within=self._team),
        )

    async def all(self, ask: Ask) -> ContextList:
        """Every context, or those of one agent."""
        query = ask.query
        assert isinstance(query, ContextQuery)
        found = [one for one in self.contexts.room.every() if query.agent is None or one.agent == query.agent]
        found.sort(key=lambda one: -one.at)
        return ContextList(contexts=tuple([self._view(one) for one in found[:MOST_SHOWN]]), total=len(found))

    async def one(self, ask: Ask) -> ContextView:
        """One context."""
        return self._view(self._known(ask))

    async def reset(self, ask: Ask) -> Done:
        """Begins one anew once the log has been told."""
        context, wanted = self._known(ask), ask.body
        assert isinstance(wanted, Reset)
        label = context.label
        event = Event(
            "flow_reset",
            ask.operator.name,
            {
                "agent": context.agent,
                "context": context.number,
                "integrity": label.integrity.value,
                "confidentiality": label.confidentiality.value,
                "categories": ", ".join(sorted(label.categories)),
                "reason": wanted.reason.strip(),
            },
        )
        await widen(self.recorder, event, lambda: self.contexts.room.reset(context.number))
        return Done()

    def _team(self, ask: Ask) -> frozenset[str]:
        record = self.registry.agent(AgentId(self._known(ask).agent))
        return frozenset() if record is None else frozenset({record.agent.team})

    def _known(self, ask: Ask) -> Context:
        number = ask.path["context"]
        found = self.contexts.room.numbered(int(number)) if number.isascii() and number.isdecimal() and len(number) < 16 else None
        if found is None:
            raise ControlError(404, "unknown_context", f"there is no context {number[:64]!r}")
        return found

    def _view(self, context: Context) -> ContextView:
        label = context.label
        return ContextView(
            context=context.number,
            agent=context.agent,
            instance=context.instance,
            integrity=label.integrity.value,
            confidentiality=label.confidentiality.value,
            categories=tuple(sorted(label.categories)),
            findings=tuple(sorted(context.findings)),
            calls=context.calls,
            writes=context.writes,
            externals=context.externals,
            began=context.began,
            last_call=context.at,
            ends=context.at + self.contexts.room.expiry_seconds,
            remembers=None if context.index is None else context.remembered,
        )
