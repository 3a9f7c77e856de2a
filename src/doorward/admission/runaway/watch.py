"""The watch: asked before each call whether it goes in circles, and told afterwards what came of it.

What it remembers hangs on the instance that was authenticated (RULINGS 8), never on what a client says of itself. The gateway's own
calls are not watched. INVARIANT: an instance's first call is never refused, and none that people have said yes to or that goes on
an exchange that is open.
"""

import math
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from types import TracebackType
from typing import Final, Self

from doorward.admission.runaway.course import Came, Caps, Course, Found, Tool, Turn
from doorward.admission.runaway.digests import answer_digest, call_digest, fault_digest
from doorward.admission.runaway.rules import Bound, Rules
from doorward.admission.runaway.seen import Rest
from doorward.admission.runaway.words import alert, refusal
from doorward.admission.selection import tool_of
from doorward.domain.actors import AuthnMethod, Principal
from doorward.domain.alerts import Alarm, Alert, AlertKind
from doorward.domain.calls import Call, Fault
from doorward.domain.catalog import Kind
from doorward.domain.ids import AgentId
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.telemetry.meter import Meter
from doorward.wire.limits import Entry

INSTANCES: Final = 1_024
"""Instances that are remembered, those last that called last."""
LEAST_SECONDS: Final = 60.0
"""Between two alerts of one rule about one instance, however short its window."""

_UNIT: Final = "repetitions"
"""What is left is told in; no unit of HTTP's header fields, so it stands in `_meta` alone."""
_CHANGING: Final = frozenset({"write", "destructive"})
_SAID: Final = frozenset({Reason.UPSTREAM_UNREACHABLE, Reason.UPSTREAM_TIMEOUT, Reason.UPSTREAM_BROKEN, Reason.UNSAFE_RESPONSE})
"""Refusals that are an answer of the upstream, in a way, where the call may have run; the others say what to do themselves."""


class Standing(Enum):
    """What speaks for a call."""

    FREE = auto()
    """Nothing: it may be refused."""
    PROMISED = auto()
    """People have said yes to it, or it goes on an exchange that is open: it counts, and is not refused."""


_FREE: Final = Standing.FREE
_OWN: Final = AuthnMethod.OWN
_ANONYMOUS: Final = AuthnMethod.ANONYMOUS
_TOOL: Final = Kind.TOOL
_NOTHING: Final = Came.NOTHING
_EFFECT: Final = Came.EFFECT
_NEWS: Final = Came.NEWS
"""Asked for on the way of every call: the member of an enum costs seven times what a name costs (Python 3.11)."""


class Step:
    """One call under watch, until it ends: a context for that, and the `Turn` of its caller's course."""

    __slots__ = (
        "_call",
        "_course",
        "_watch",
        "answer",
        "came",
        "caps",
        "key",
        "knew",
        "near",
        "rest",
        "seen",
        "taken",
        "tools_rest",
    )

    taken: float
    """When it took one of each of its caps."""

    def __init__(self, watch: "Watch", call: Call, course: Course | None) -> None:
        self._watch, self._call, self._course = watch, call, course
        self.near: tuple[tuple[Bound, int], ...] = ()
        self.caps: Caps = ()
        """Those of which it has taken one."""
        if course is None:
            return
        self.answer: int | None = None
        self.came: Came | None = None
        self.tools_rest: Rest | None = None
        self.key = key = call_digest(call)
        seen = self.seen = course.seen.get(key)
        if seen is None:
            self.knew = self.rest = None
        else:
            self.knew, self.rest = seen.answer, seen.rest

    @property
    def tool(self) -> Tool:
        """What is called."""
        target = self._call.target
        return target.upstream, target.name

    def answered(self, body: Mapping[str, object] | Fault) -> None:
        """What the caller is given, which ends the step; an exchange that is open has no answer yet."""
        course = self._course
        if course is None:
            return
        if isinstance(body, Fault):
            self.answer, self.came = fault_digest(body), _NOTHING
        elif body.get("resultType") != "input_required":
            self.answer, self.came = answer_digest(body), _NOTHING if body.get("isError") is True else _EFFECT
        else:
            return
        self._watch._ended(course, self._call, self)  # noqa: SLF001 - a step is half of the watch

    def left(self) -> tuple[Entry, ...]:
        """What is left of the rules that are to refuse such a call before long; once it has ended."""
        return tuple([_entry(bound, left) for bound, left in self.near]) if self.near else ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None and isinstance(error, Refused):
            self._refused(error)

    def _refused(self, refused: Refused) -> None:
        course = self._course
        if refused.ran is Ran.NO:
            # Nothing was made of it: an address that is down or rests says when it may be tried again, and is no news of the call.
            if self.caps:
                _give_back(self.caps, self.taken)
        elif course is not None and refused.reason in _SAID:
            self.answer, self.came = hash(refused.reason), _NOTHING
            self._watch._ended(course, self._call, self)  # noqa: SLF001


class Watch:
    """Watches every instance."""

    __slots__ = ("_alarm", "_courses", "_meter", "_monotonic", "_of", "_rules")

    def __init__(self, rules: Rules, monotonic: Callable[[], float], meter: Meter, alarm: Alarm) -> None:
        self._rules = rules
        self._monotonic = monotonic
        self._meter = meter
        self._alarm = alarm
        self._courses: OrderedDict[str, Course] = OrderedDict()
        self._of: dict[AgentId, int] = {}

    def __len__(self) -> int:
        return len(self._courses)

    def adopt(self, rules: Rules) -> None:
        """Goes on by other rules; what was seen is remembered, and what rests is free."""
        if rules != self._rules:
            self._rules = rules
            for course in self._courses.values():
                course.renew()

    def admit(self, call: Call, standing: Standing) -> Step:
        """A call that is about to be made; raises `Refused` RUNAWAY."""
        if call.principal.method is _OWN:
            return Step(self, call, None)
        now, rules = self._monotonic(), self._rules
        course = self._course(call.principal)
        step = Step(self, call, course)
        tried = rules.no_progress
        if tried is not None and tried.refuses:
            step.tools_rest = course.resting(step.tool)
        if standing is _FREE:
            if step.rest is not None:
                _refuse_resting(step.rest, now)
            if step.seen is None:
                self._spread(course, call, step, now)
        if rules.caps:
            parents = call.target.parents
            caps = course.known_caps.get(parents)
            if caps is None:
                caps = course.capped(parents, rules)
            if caps:
                self._capped(course, caps, call, standing, now)
                step.caps, step.taken = caps, now
        return step

    def show(self, call: Call, generation: int) -> None:
        """A list that is about to be shown, as of a generation of what there is; raises `Refused` RUNAWAY."""
        bound = self._rules.lists
        if bound is None or call.principal.method is _OWN:
            return
        now, key = self._monotonic(), call_digest(call)
        course = self._course(call.principal)
        seen = course.lists.get(key)
        if seen is not None and seen.rest is not None and bound.refuses and seen.answer == generation:
            _refuse_resting(seen.rest, now)
        found = course.listed(key, generation, bound, now)
        if found is not None:
            self._tell(course, call, found, now)

    def _ended(self, course: Course, call: Call, turn: Turn) -> None:
        now, rules = self._monotonic(), self._rules
        seen = course.seen.get(turn.key)
        if seen is None:
            found = self._guessed(course, call, turn, now)
            course.met(turn, rules, now)
        else:
            found = course.again(turn, seen, rules, now)
        if found:
            for one in found:
                self._tell(course, call, one, now)

    def _guessed(self, course: Course, call: Call, turn: Turn, now: float) -> Sequence[Found]:
        """A call that is not remembered, as one of its tool."""
        target, bound = call.target, self._rules.no_progress
        if bound is None or target.kind is not _TOOL:
            return ()
        if turn.came is _EFFECT and "read" in target.parents and _CHANGING.isdisjoint(target.parents):
            turn.came = _NEWS
        return course.tried(turn, bound, now)

    def _course(self, principal: Principal) -> Course:
        """The recent past of who calls; who is anonymous is told apart by address, which is all that is known."""
        instance: str = principal.instance
        if principal.method is _ANONYMOUS:
            instance = f"{instance} {principal.network}"
        course = self._courses.get(instance)
        if course is None:
            if len(self._courses) >= INSTANCES:
                self._forget()
            agent = principal.agent.id
            course = self._courses[instance] = Course(agent)
            self._of[agent] = self._of.get(agent, 0) + 1
        else:
            self._courses.move_to_end(instance)
        return course

    def _forget(self) -> None:
        """Makes room: of the agents that have as many instances as is usual or more, the one that called longest ago.

        So nobody is forgotten because another agent comes from ever new instances.
        """
        usual = len(self._courses) / len(self._of)
        instance, course = next(one for one in self._courses.items() if self._of[one[1].agent] >= usual)
        del self._courses[instance]
        left = self._of[course.agent] - 1
        if left:
            self._of[course.agent] = left
        else:
            del self._of[course.agent]

    def _spread(self, course: Course, call: Call, turn: Turn, now: float) -> None:
        """Raises `Refused` for a call that is not remembered and is one of too many such, or is to rest as one of its tool."""
        if turn.tools_rest is not None and call.target.kind is _TOOL:
            _refuse_resting(turn.tools_rest, now)
        bound = self._rules.fan_out
        found = None if bound is None else course.fresh(now, bound)
        if found is not None:
            self._tell(course, call, found, now)
            bound = found.bound
            if bound.refuses:
                raise refusal(found, bound.seconds - now % bound.seconds)

    def _capped(self, course: Course, caps: Caps, call: Call, standing: Standing, now: float) -> None:
        """Takes one of every cap that concerns a call; or none, and raises `Refused`."""
        is_over = False
        for bound, cap in caps:
            is_over |= cap.take(now, bound)
        if is_over:
            self._over(course, caps, call, standing, now)

    def _over(self, course: Course, caps: Caps, call: Call, standing: Standing, now: float) -> None:
        """Tells of the caps that a call is too many for, and raises `Refused` by the first that refuses."""
        for bound, cap in [one for one in caps if one[1].sum > one[0].calls]:
            found = Found(bound, cap.sum, bound.seconds)
            self._tell(course, call, found, now)
            if bound.refuses and standing is _FREE:
                _give_back(caps, now)
                raise refusal(found, cap.wait(now, bound))

    def _tell(self, course: Course, call: Call, found: Found, now: float) -> None:
        """Counts what was caught, and raises the alarm once in a window."""
        bound, agent = found.bound, call.principal.agent.id
        self._meter.ran_away(bound.rule)
        last = course.told.get(bound.rule)
        if last is not None and now < last + max(bound.seconds, LEAST_SECONDS):
            return
        course.told[bound.rule] = now
        target = tool_of(call)
        fields: dict[str, str | int] = {"agent": agent, "rule": bound.rule, "target": target, "calls": found.count}
        self._alarm(Alert(AlertKind.RUNAWAY, alert(found, agent, target), fields, call.id, f"{agent} {bound.rule}"))


def _entry(bound: Bound, left: int) -> Entry:
    return {"name": f"runaway.{bound.rule}", "quota": bound.calls, "left": left, "unit": _UNIT, "windowSeconds": math.ceil(bound.seconds)}


def _refuse_resting(rest: Rest, now: float) -> None:
    wait = rest.wait(now)
    if wait > 0:
        raise refusal(Found(rest.bound, rest.count, rest.seconds), wait)


def _give_back(caps: Caps, then: float) -> None:
    for bound, cap in caps:
        cap.give_back(then, bound)
