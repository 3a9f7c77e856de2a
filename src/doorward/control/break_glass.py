"""Admin API: broken glasses: for a few operators whom the configuration names, an agent past every policy for a short while.

LAW: only who is named may, an admin who is not named may not; and what the log could not be told of beforehand does not hold.
"""

import msgspec
from pydantic import Field

from doorward.control.operators import Operator, Role, is_self
from doorward.control.routes import Ask, ControlError, Done, Route, Shape
from doorward.control.waivers import ACTION, Given, Ground, Terms, WaiverView
from doorward.domain.waivers import WaiverKind

LEAST_REASON = 10
"""Characters of a reason: a word is none."""
_BREAK = "Let an agent past every policy for a short while, loudly; only operators named under `policies.break_glass`"
_RESTORE = "End it; whoever broke it, or an admin"


class NewGlass(Shape):
    """Which agent is let past policy, for what, for how long and why."""

    agent: str = Field(min_length=1, max_length=64)
    action: str = Field("", max_length=512, description=f"{ACTION}; empty for everything")
    minutes: float = Field(gt=0, le=240, description="At most what the configuration allows")
    reason: str = Field(min_length=LEAST_REASON, max_length=500, description="A sentence; kept in the log and told to everybody")


class GlassList(Shape):
    """Every glass that is broken now, oldest first."""

    broken: tuple[WaiverView, ...]


class BreakGlass(msgspec.Struct, frozen=True):
    """The operations on broken glasses."""

    ground: Ground

    def routes(self) -> tuple[Route, ...]:
        """Their rows of the route table."""
        viewer = Role.VIEWER
        return (
            Route("GET", "/v1/break-glass", viewer, "List the glasses that are broken now", self.all, gives=GlassList),
            Route("POST", "/v1/break-glass", viewer, _BREAK, self.open, NewGlass, Given),
            Route("DELETE", "/v1/break-glass/{glass}", viewer, _RESTORE, self.close, gives=Done),
        )

    async def all(self, ask: Ask) -> GlassList:
        """Every glass that is broken."""
        return GlassList(broken=self.ground.all(WaiverKind.BREAK_GLASS))

    async def open(self, ask: Ask) -> Given:
        """Breaks one; 403 to everybody who is not named."""
        wanted = ask.body
        assert isinstance(wanted, NewGlass)
        self._check_named(ask.operator)
        self._check(wanted)
        record = self.ground.check_agent(wanted.agent)
        if wanted.action:
            self.ground.check_action(wanted.action)
        ends = self.ground.now() + wanted.minutes * 60
        terms = Terms(WaiverKind.BREAK_GLASS, wanted.agent, wanted.action, {}, wanted.reason.strip(), ends)
        return await self.ground.give(ask, terms, own=record is not None and is_self(ask.operator, record.agent.owner))

    async def close(self, ask: Ask) -> Done:
        """Ends one: whoever broke it may, and every admin."""
        waiver = self.ground.known(WaiverKind.BREAK_GLASS, ask.path["glass"])
        if ask.operator.role is not Role.ADMIN and ask.operator.name != waiver.by:
            raise ControlError(403, "forbidden", f"{waiver.by} broke this; {waiver.by} or an admin was expected to end it")
        return await self.ground.end(ask, waiver)

    def _check_named(self, operator: Operator) -> None:
        rules = self.ground.generations.current.document.policies.break_glass
        if rules is None:
            raise ControlError(
                403, "forbidden", "there is no break-glass here: the configuration (policies.break_glass) names nobody who may"
            )
        if operator.name not in rules.operators:
            message = f"only operators named under policies.break_glass may break the glass, and {operator.name} is not"
            raise ControlError(403, "forbidden", message)

    def _check(self, wanted: NewGlass) -> None:
        rules = self.ground.generations.current.document.policies.break_glass
        assert rules is not None
        if len(wanted.reason.strip()) < LEAST_REASON:
            raise ControlError(400, "invalid_body", f"reason: expected a sentence, of {LEAST_REASON} characters at least")
        if wanted.minutes > rules.minutes:
            raise ControlError(409, "refused", f"expected at most {rules.minutes:g} minutes (policies.break_glass), got {wanted.minutes:g}")
