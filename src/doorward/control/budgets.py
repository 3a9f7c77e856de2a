"""Admin API: budgets: how they stand, and raising one until an end.

LAW: a budget is raised by approvers of the team that it belongs to, and by nobody for an agent of theirs or for themselves: for a key
that names either it cannot be given, and whatever key it is given for, it counts for no call of theirs (`admission/budgets/raises.py`).
"""

from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec
from pydantic import Field

from doorward.admission.budgets.budgets import Budgets, Standing, key_text, parts
from doorward.admission.budgets.raises import LONGEST_SECONDS, RaiseError, ended, given
from doorward.admission.budgets.rules import Rule
from doorward.admission.budgets.store import Raise
from doorward.audit.recorder import Recorder
from doorward.config.budgets import Sliding
from doorward.control.operators import Operator, Role, is_self
from doorward.control.orders import narrow, widen
from doorward.control.routes import Ask, ControlError, Done, Route, Shape
from doorward.domain.budgets import MOST_UNITS
from doorward.domain.ids import AgentId
from doorward.identity.registry import Registry

FULLEST = 20
"""Keys of each budget that a list shows."""
MOST_SHOWN = 1_000
"""Keys that are shown of one budget."""
MOST_DAYS = 90
_DAY_SECONDS = 86_400.0
_KEY = "What has a budget of its own, as `per` names it: `agent`, `user` (`issuer:name`) and so on"


class KeyView(Shape):
    """How the budget of one key stands; numbers are decimal texts."""

    key: dict[str, str] = Field(description=_KEY)
    spent: str = Field(description="With what running calls have set aside")
    limit: str = Field(description="With what it is raised by")
    left: str
    renews: int = Field(description="When something stops counting next, Unix seconds; of a calendar's window all of it")


class RaiseView(Shape):
    """What a budget holds more than its limit, until an end; times are Unix seconds."""

    id: str
    key: dict[str, str] | None = Field(description="Whose budget it is; null for all")
    by: str = Field(description="How much more: a decimal text")
    reason: str
    given_by: str
    begins: float
    ends: float


class BudgetView(Shape):
    """A budget in force, the keys that have used most of it first."""

    name: str
    unit: str
    currency: str | None
    limit: str
    window: str = Field(description="`day`, `week`, `month`, or the seconds of one that slides")
    timezone: str
    per: tuple[str, ...]
    team: str
    keys: tuple[KeyView, ...]
    raises: tuple[RaiseView, ...]


class BudgetList(Shape):
    """Every budget in force, in the order of the document."""

    budgets: tuple[BudgetView, ...]


class NewRaise(Shape):
    """By how much, for whom, why, and until when: exactly one of `until`, `minutes` and `days`, at most 90 days from now."""

    by: Decimal = Field(gt=0, le=10**12, decimal_places=6, description="How much more it holds, in the unit of the budget")
    key: dict[str, str] | None = Field(None, description=f"{_KEY}; with each of them. Without it, for all")
    reason: str = Field(pattern=r"\S", max_length=500, description="Why; kept in the log")
    until: float | None = Field(None, description="Unix seconds")
    minutes: float | None = Field(None, gt=0, le=MOST_DAYS * 1440)
    days: float | None = Field(None, gt=0, le=MOST_DAYS)


class Raised(Shape):
    """It holds more from now on, until the end (Unix seconds)."""

    id: str
    ends: float


class BudgetRows(msgspec.Struct, frozen=True):
    """The operations on budgets."""

    budgets: Budgets
    registry: Registry
    recorder: Recorder
    now: Callable[[], float]
    new_id: Callable[[], str]

    def routes(self) -> tuple[Route, ...]:
        """Their rows of the route table."""
        lift = "Let a budget hold more until an end; nobody may for themselves or an agent of theirs"
        return (
            Route("GET", "/v1/budgets", Role.VIEWER, "List the budgets, and who has used most of each", self.all, gives=BudgetList),
            Route("GET", "/v1/budgets/{budget}", Role.VIEWER, "Show one budget with all of its keys", self.one, gives=BudgetView),
            Route("POST", "/v1/budgets/{budget}/raises", Role.APPROVER, lift, self.give, NewRaise, Raised, within=self._team),
            Route(
                "DELETE",
                "/v1/budgets/{budget}/raises/{raise}",
                Role.APPROVER,
                "End a raise of a budget",
                self.end,
                gives=Done,
                within=self._team,
            ),
        )

    async def all(self, ask: Ask) -> BudgetList:
        """Every budget."""
        return BudgetList(budgets=tuple(self._view(rule, FULLEST) for rule in self.budgets.rules()))

    async def one(self, ask: Ask) -> BudgetView:
        """One budget."""
        return self._view(self._known(ask), MOST_SHOWN)

    async def give(self, ask: Ask) -> Raised:
        """Raises one once the log has been told; 403 to the owner of the agent and to the person whose budget it is."""
        wanted, rule = ask.body, self._known(ask)
        assert isinstance(wanted, NewRaise)
        units = rule.units(wanted.by)
        if units is None or (rule.config.unit == "amount" and wanted.by != round(wanted.by, rule.config.places)):
            raise ControlError(400, "invalid_amount", f"budget {rule.name} counts {rule.config.unit} in no such fractions: {wanted.by}")
        operator = ask.operator
        one = Raise(
            id=self.new_id(),
            budget=rule.name,
            ledger=rule.ledger,
            key=None if wanted.key is None else key_text(self._key(rule, wanted.key, operator)),
            units=units,
            reason=wanted.reason.strip(),
            by=operator.name,
            begins=self.now(),
            ends=self._end(wanted),
            names=tuple(sorted({operator.shown, *operator.names} - {""})),
        )
        raised = sum(other.units for other in self.budgets.raises.all() if other.ledger == rule.ledger)
        if rule.limit + raised + units > MOST_UNITS:
            raise ControlError(409, "refused", f"budget {rule.name} cannot hold so much")
        try:
            self.budgets.raises.check(one)
            event = given(one, operator.name, self._whose(wanted.key), rule.shown(units))
            await widen(self.recorder, event, lambda: self.budgets.raises.give(one))
        except RaiseError as error:
            raise ControlError(409, "refused", str(error)) from error
        return Raised(id=one.id, ends=one.ends)

    async def end(self, ask: Ask) -> Done:
        """Ends one: true in memory before anything is written."""
        rule, name, by = self._known(ask), ask.path["raise"], ask.operator.name
        found = next((one for one in self.budgets.raises.all() if one.id == name and one.ledger == rule.ledger), None)
        if found is None:
            raise ControlError(404, "unknown_raise", f"no raise of {rule.name} that holds now is called {name[:64]!r}")
        return Done(warnings=await narrow(self.recorder, ended(found, by), lambda: self.budgets.raises.end(name)))

    def _team(self, ask: Ask) -> frozenset[str]:
        return frozenset({self._known(ask).config.team})

    def _known(self, ask: Ask) -> Rule:
        name = ask.path["budget"]
        found = self.budgets.rule(name)
        if found is None:
            known = ", ".join(rule.name for rule in self.budgets.rules()) or "none"
            raise ControlError(404, "unknown_budget", f"there is no budget {name[:64]!r}, there are: {known}")
        return found

    def _key(self, rule: Rule, wanted: Mapping[str, str], operator: Operator) -> tuple[str, ...]:
        """The key that is meant; 403 where it is the operator's own."""
        per = rule.chosen.per
        if set(wanted) != set(per):
            raise ControlError(
                400, "invalid_key", f"expected a key with {' and '.join(per) or 'nothing'}, got {' and '.join(wanted) or 'nothing'}"
            )
        record = self.registry.agent(AgentId(wanted["agent"])) if "agent" in wanted else None
        if record is not None and is_self(operator, record.agent.owner):
            raise ControlError(
                403, "forbidden", f"{operator.name} owns {wanted['agent']!r}; somebody else was expected to raise its budget"
            )
        if "user" in wanted and is_self(operator, wanted["user"]):
            raise ControlError(403, "forbidden", f"{operator.name} may be whose budget this is; somebody else was expected to raise it")
        return tuple(wanted[name] for name in per)

    def _whose(self, key: Mapping[str, str] | None) -> str:
        """A key as the log may name it: people by pseudonym."""
        if key is None:
            return "all"
        return ", ".join(f"{name} {self.recorder.pseudonym(part) if name == 'user' else part}" for name, part in key.items()) or "everybody"

    def _end(self, wanted: NewRaise) -> float:
        now = self.now()
        ends = (
            wanted.until,
            None if wanted.minutes is None else now + wanted.minutes * 60,
            None if wanted.days is None else now + wanted.days * _DAY_SECONDS,
        )
        chosen = [end for end in ends if end is not None]
        if len(chosen) != 1:
            raise ControlError(400, "invalid_end", f"expected exactly one of until, minutes and days, got {len(chosen)}")
        if not now < chosen[0] <= now + LONGEST_SECONDS:
            raise ControlError(400, "invalid_end", f"expected an end in the future and at most {MOST_DAYS} days from now")
        return chosen[0]

    def _view(self, rule: Rule, most: int) -> BudgetView:
        config = rule.config
        return BudgetView(
            name=rule.name,
            unit=config.unit,
            currency=config.currency,
            limit=rule.number(rule.limit),
            window=str(config.window.seconds) if isinstance(config.window, Sliding) else config.window,
            timezone=config.timezone,
            per=rule.chosen.per,
            team=config.team,
            keys=tuple(_key_view(one) for one in self.budgets.standings(rule)[:most]),
            raises=tuple(_raise_view(rule, one) for one in self.budgets.raises.all() if one.ledger == rule.ledger),
        )


def _key_view(standing: Standing) -> KeyView:
    rule = standing.rule
    return KeyView(
        key=dict(zip(rule.chosen.per, standing.key, strict=True)),
        spent=rule.number(standing.spent),
        limit=rule.number(standing.limit),
        left=rule.number(max(0, standing.limit - standing.spent)),
        renews=standing.until,
    )


def _raise_view(rule: Rule, one: Raise) -> RaiseView:
    return RaiseView(
        id=one.id,
        key=None if one.key is None else dict(zip(rule.chosen.per, parts(one.key), strict=True)),
        by=rule.number(one.units),
        reason=one.reason,
        given_by=one.by,
        begins=one.begins,
        ends=one.ends,
    )
