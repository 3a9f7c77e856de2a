"""Admin API: exceptions from policy: one agent, one action, the forbids that are lifted, who says so, why, and until when.

LAW: a forbid is lifted only in the name of the team that its `@exception` names, and nobody gives an exception to an agent of theirs.
"""

from collections.abc import Mapping

import msgspec
from pydantic import Field

from doorward.control.agents import team_of
from doorward.control.catalog import teams_of
from doorward.control.operators import Operator, Role, is_self
from doorward.control.routes import Ask, ControlError, Done, Route, Shape
from doorward.control.waivers import ACTION, Given, Ground, Terms, WaiverView
from doorward.domain.ids import Digest, PolicyId
from doorward.domain.waivers import Waiver, WaiverKind

MOST_DAYS = 90
_DAY_SECONDS = 86_400.0


class NewException(Shape):
    """What to except, why, and until when: exactly one of `until`, `minutes` and `days`, at most 90 days from now."""

    agent: str = Field(min_length=1, max_length=64)
    action: str = Field(min_length=1, max_length=512, description=ACTION)
    lifts: tuple[str, ...] = Field((), max_length=32, description="Policies (forbids with `@exception`) that shall not hold it back")
    reason: str = Field(pattern=r"\S", max_length=500, description="Why; kept in the log")
    until: float | None = Field(None, description="Unix seconds")
    minutes: float | None = Field(None, gt=0, le=MOST_DAYS * 1440)
    days: float | None = Field(None, gt=0, le=MOST_DAYS)


class ExceptionList(Shape):
    """Every exception that holds, oldest first."""

    exceptions: tuple[WaiverView, ...]


class Exceptions(msgspec.Struct, frozen=True):
    """The operations on exceptions."""

    ground: Ground

    def routes(self) -> tuple[Route, ...]:
        """Their rows of the route table."""
        give = "Let one agent do what policy denies it, until an end; nobody may for an agent of theirs"
        return (
            Route("GET", "/v1/exceptions", Role.VIEWER, "List the exceptions that hold", self.all, gives=ExceptionList),
            Route("POST", "/v1/exceptions", Role.OWNER, give, self.give, NewException, Given, within=self._team),
            Route("DELETE", "/v1/exceptions/{exception}", Role.APPROVER, "End an exception", self.end, gives=Done),
        )

    def _team(self, ask: Ask) -> frozenset[str]:
        """The team that owns the upstream."""
        assert isinstance(ask.body, NewException)
        return teams_of((_upstream(ask.body.action),), self.ground.generations.current.document)

    async def all(self, ask: Ask) -> ExceptionList:
        """Every exception that holds."""
        return ExceptionList(exceptions=self.ground.all(WaiverKind.EXCEPTION))

    async def give(self, ask: Ask) -> Given:
        """Gives one; 403 to the owner of the agent, and for a forbid of a team that the operator does not speak for."""
        wanted = ask.body
        assert isinstance(wanted, NewException)
        ends = self._end(wanted)
        record = self.ground.check_agent(wanted.agent)
        if record is not None and is_self(ask.operator, record.agent.owner):
            raise ControlError(403, "forbidden", f"{ask.operator.name} owns {wanted.agent!r}; somebody else was expected to give it this")
        self.ground.check_action(wanted.action)
        lifts = self._lifted(ask.operator, wanted.lifts)
        return await self.ground.give(ask, Terms(WaiverKind.EXCEPTION, wanted.agent, wanted.action, lifts, wanted.reason.strip(), ends))

    async def end(self, ask: Ask) -> Done:
        """Ends one: whoever gave it, an owner of the upstream or of the agent, and a team whose forbid it lifts may; admins always."""
        waiver = self.ground.known(WaiverKind.EXCEPTION, ask.path["exception"])
        if not self._may_end(ask.operator, waiver):
            raise ControlError(403, "forbidden", f"{ask.operator.name} neither gave {waiver.id} nor speaks for what it is about")
        return await self.ground.end(ask, waiver)

    def _lifted(self, operator: Operator, names: tuple[str, ...]) -> Mapping[PolicyId, Digest]:
        """The forbids as they read now; 404 and 409 for what is no forbid that may be lifted."""
        policies = self.ground.generations.current.policies
        found: dict[PolicyId, Digest] = {}
        for name in map(PolicyId, names):
            if all(rule.id != name for rule in policies.rules):
                raise ControlError(404, "unknown_policy", f"there is no policy {name[:128]!r}")
            rule = policies.liftable(name)
            if rule is None or rule.liftable_by is None:
                raise ControlError(409, "refused", f"policy {name!r} cannot be lifted: it is no forbid in force with @exception")
            if operator.role is not Role.ADMIN and rule.liftable_by not in operator.speaks_for:
                message = f"lifting policy {name!r} needs somebody who speaks for {rule.liftable_by}, which {operator.name} does not"
                raise ControlError(403, "forbidden", message)
            found[name] = rule.text_digest
        return found

    def _end(self, wanted: NewException) -> float:
        now = self.ground.now()
        given = [
            end
            for end in (
                wanted.until,
                None if wanted.minutes is None else now + wanted.minutes * 60,
                None if wanted.days is None else now + wanted.days * _DAY_SECONDS,
            )
            if end is not None
        ]
        if len(given) != 1:
            raise ControlError(400, "invalid_end", f"expected exactly one of until, minutes and days, got {len(given)}")
        if not now < given[0] <= now + MOST_DAYS * _DAY_SECONDS:
            raise ControlError(400, "invalid_end", f"expected an end in the future and at most {MOST_DAYS} days from now")
        return given[0]

    def _may_end(self, operator: Operator, waiver: Waiver) -> bool:
        document, policies = self.ground.generations.current.document, self.ground.generations.current.policies
        lifted = (rule.liftable_by for rule in map(policies.liftable, waiver.lifts) if rule is not None)
        return (
            operator.name == waiver.by
            or operator.acts_for(Role.OWNER, teams_of((_upstream(waiver.action),), document))
            or operator.acts_for(Role.OWNER, team_of(self.ground.registry, waiver.agent))
            or any(team in operator.speaks_for for team in lifted)
        )


def _upstream(action: str) -> str:
    return action.partition("/")[0]
