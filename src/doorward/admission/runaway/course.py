"""What one caller has done lately: a bounded memory of its calls and their answers, and what in them goes in circles.

Nothing here knows of refusals: it is told what was answered, and tells what was found. The same history gives the same findings.
"""

from collections import OrderedDict, deque
from collections.abc import Sequence
from enum import Enum, auto
from typing import Final, Protocol, TypeVar

import msgspec

from doorward.admission.runaway.caps import Cap
from doorward.admission.runaway.levels import Level
from doorward.admission.runaway.rules import Bound, Rule, Rules
from doorward.admission.runaway.seen import PAUSE_SECONDS, Rest, Seen
from doorward.domain.ids import AgentId

CALLS: Final = 64
"""Different calls of one caller that are remembered, those last that were made last."""
TOOLS: Final = 32
"""Tools of one caller that are remembered."""
PERIODS: Final = (2, 3, 4, 5, 6, 7, 8)
"""Calls in one round of a cycle."""
FAILED: Final = 5
"""As so many counts a repetition whose answer is the same error, with nothing new in between: who is kept from it loses little."""
NEAR: Final = 5
"""A caller is told what is left before it is refused, from this part of a bound on: one in so many."""
USUAL: Final = 10
"""Times as many different calls as usual make a storm."""
_WEIGHT: Final = 0.2
"""Of the last window among those that make what is usual."""

Tool = tuple[str, str]
"""An upstream and a tool of it."""

Caps = tuple[tuple[Bound, Cap], ...]
"""Bounds, and what counts for each."""

Pair = tuple[int, int | None]
"""A call and its answer."""

_K = TypeVar("_K")


class Came(Enum):
    """What came of a call."""

    NOTHING = auto()
    """It failed."""
    NEWS = auto()
    """An answer of what only reads: something new, if it is another than the last."""
    EFFECT = auto()
    """An answer of what may have changed something."""


_NOTHING: Final = Came.NOTHING
_NEWS: Final = Came.NEWS
"""Asked for on the way of every call: the member of an enum costs seven times what a name costs (Python 3.11)."""


class Found(msgspec.Struct):
    """What a rule has caught: so many calls in so many seconds. Not frozen: where a rule only watches, each call too many makes one."""

    bound: Bound
    count: int
    seconds: float


class Turn(Protocol):
    """One call of a caller: what was known when it was asked, and what came of it."""

    key: int
    seen: Seen | None
    knew: int | None
    """What it was answered last. Who asks many times at once does not know it yet, and does not go in circles."""
    rest: Rest | None
    """What is tried by it; None for a call that was on its way before it was caught."""
    tools_rest: Rest | None
    """The same of its tool."""
    answer: int | None
    """None: like nothing else."""
    came: Came | None
    """None: it is not known, or nobody is told."""
    near: tuple[tuple[Bound, int], ...]
    """The rules that are to refuse it before long, and how many more such calls there may be at once."""

    @property
    def tool(self) -> Tool:
        """What is called."""
        ...


class Course:
    """One caller's recent past."""

    __slots__ = (
        "_caps",
        "_fresh",
        "_news",
        "_ring",
        "_rounds",
        "_turning",
        "_usual",
        "_window",
        "agent",
        "known_caps",
        "lists",
        "seen",
        "told",
        "tools",
        "total",
    )

    def __init__(self, agent: AgentId) -> None:
        self.agent = agent
        self.seen: OrderedDict[int, Seen] = OrderedDict()
        self.tools: OrderedDict[Tool, Seen] = OrderedDict()
        self.lists: OrderedDict[int, Seen] = OrderedDict()
        self._caps: dict[str, tuple[float, Cap]] = {}
        self.known_caps: dict[frozenset[str], Caps] = {}
        self.told: dict[Rule, float] = {}
        """When each rule's last alert was."""
        self.total = 0
        self._news = 0
        """The number of the last call whose answer was not the one before."""
        self._turning = False
        self._ring: deque[Pair] = deque(maxlen=PERIODS[-1])
        self._rounds = tuple([(period, Level()) for period in PERIODS])
        self._window, self._fresh, self._usual = 0.0, 0, 0.0

    def capped(self, parents: frozenset[str], rules: Rules) -> Caps:
        """The counts of the policy groups that a target belongs to, which are known then; new ones where a window is another than before."""
        known = self.known_caps[parents] = tuple(
            [(bound, self._cap(group, bound)) for group, bound in rules.caps.items() if group in parents]
        )
        return known

    def _cap(self, group: str, bound: Bound) -> Cap:
        held = self._caps.get(group)
        if held is None or held[0] != bound.seconds:
            held = self._caps[group] = (bound.seconds, Cap())
        return held[1]

    def renew(self) -> None:
        """Hears that the rules are others: what was seen is remembered, and what rests may be tried again."""
        self.known_caps.clear()
        for memory in (self.seen, self.tools, self.lists):
            for seen in memory.values():
                seen.rest = None

    def fresh(self, now: float, bound: Bound) -> Found | None:
        """One more call that is not among those remembered; found where there are too many such."""
        window = now // bound.seconds
        if window > self._window:
            self._usual = self._fresh * _WEIGHT + self._usual * (1 - _WEIGHT) if self._window else float(self._fresh)
            self._window, self._fresh = window, 0
        if self._fresh >= bound.calls and self._fresh >= USUAL * self._usual:
            return Found(bound, self._fresh, bound.seconds)
        self._fresh += 1
        return None

    def resting(self, tool: Tool) -> Rest | None:
        """The rest of a tool that is caught."""
        seen = self.tools.get(tool)
        return None if seen is None else seen.rest

    def met(self, turn: Turn, rules: Rules, now: float) -> None:
        """A call that is not remembered was answered: the first of its kind is never too many, as bounds are of two and more."""
        if self.lists:
            self.lists.clear()
        key, memory = turn.key, self.seen
        self.total = self._news = number = self.total + 1
        if len(memory) >= CALLS:
            memory.popitem(last=False)
        seen = memory[key] = Seen(1, now, number)
        seen.answer = answer = turn.answer
        if rules.cycles is not None:
            if self._turning:
                self._straighten()
            self._ring.append((key, answer))

    def again(self, turn: Turn, seen: Seen, rules: Rules, now: float) -> Sequence[Found]:
        """A call that is remembered was made and answered once more; gives what is caught by it."""
        if self.lists:
            self.lists.clear()
        answer = turn.answer
        self.seen.move_to_end(turn.key)
        same = answer is not None and answer == seen.answer
        if same and answer != turn.knew:
            return ()
        self.total = number = self.total + 1
        seen.answer = answer
        found: Sequence[Found]
        if seen.rest is None:
            in_vain = turn.came is _NOTHING and self._news <= seen.latest
            found = self._counted(seen, turn, (FAILED if in_vain else 1) if same else 0, rules, now)
        else:
            found = _tried(seen, turn.rest, same, now)
        if not same:
            self._news = number
        seen.latest = number
        return found

    def _counted(self, seen: Seen, turn: Turn, amount: int, rules: Rules, now: float) -> Sequence[Found]:
        """A call that was not caught counts so much; an `amount` of 0 says that its answer is another."""
        found = self._repeats(seen, turn, amount, rules, now)
        cycles = rules.cycles
        if cycles is None:
            return found
        ring, pair = self._ring, (turn.key, turn.answer)
        # One call again and again is no cycle.
        if not (amount and ring and ring[-1] == pair):
            circles = self._circles(turn, pair, amount, cycles, now)
            found = (*found, *circles) if circles else found
        ring.append(pair)
        return found

    def tried(self, turn: Turn, bound: Bound, now: float) -> Sequence[Found]:
        """A tool was called with arguments that are not remembered: nothing may have come of that for long."""
        answer, came, tool = turn.answer, turn.came, turn.tool
        seen = self.tools.get(tool)
        if seen is None:
            seen = _place(self.tools, tool, TOOLS, Seen())
        else:
            self.tools.move_to_end(tool)
        in_vain = came is _NOTHING or (came is _NEWS and answer is not None and answer == seen.answer)
        seen.answer = answer
        if seen.rest is None and not in_vain:
            if seen.counted is not None:
                seen.counted.clear()
            return ()
        if seen.rest is not None:
            return _tried(seen, turn.tools_rest, in_vain, now)
        return (_caught(seen, bound, seen.same, now),) if seen.same.add(now, self.total, bound) else ()

    def listed(self, key: int, answer: int, bound: Bound, now: float) -> Found | None:
        """One list was shown; `answer` changes when the list may have."""
        seen = self.lists.get(key) or _place(self.lists, key, TOOLS, Seen())
        if answer != seen.answer:
            seen.answer, seen.rest = answer, None
            seen.same.clear()
        if seen.rest is not None:
            seen.rest.longer(now)
            return Found(bound, seen.rest.count, seen.rest.seconds)
        if not seen.same.add(now, 0, bound):
            return None
        return _caught(seen, bound, seen.same, now)

    def _repeats(self, seen: Seen, turn: Turn, amount: int, rules: Rules, now: float) -> Sequence[Found]:
        """A call that was made before."""
        repeated, polling, number = rules.repeated, rules.polling, self.total
        found: Sequence[Found] = ()
        if repeated is not None:
            level = seen.counted or seen.same
            if not amount:
                level.clear()
            if level.add(now, number, repeated, amount or 1):
                found = self._judged(seen, level, repeated, 2)
            elif amount and repeated.refuses:
                _near(turn, repeated, level, amount)
        if polling is not None:
            level = seen.polled or seen.every
            if level.add(now, number, polling):
                found = (*found, *self._judged(seen, level, polling, 4))
        return found

    def _judged(self, seen: Seen, level: Level, bound: Bound, share: int) -> Sequence[Found]:
        """Caught where the call makes one in `share` of all since the count began; else the count begins anew."""
        if level.count * share > self.total - level.first:
            return (_caught(seen, bound, level, level.latest),)
        level.clear()
        return ()

    def _circles(self, turn: Turn, pair: Pair, amount: int, bound: Bound, now: float) -> Sequence[Found]:
        """One call more in a round, or one that ends every cycle, for its answer is another."""
        found: list[Found] = []
        if not amount:
            self._straighten()
        for period, level in self._rounds if amount and self._ring else ():
            self._turning = True
            if self._turns(period, level, pair) and level.add(now, self.total, bound, amount / period):
                found.append(self._circle(period, level, bound, now))
            if bound.refuses:
                _near(turn, bound, level, amount)
        return found

    def _turns(self, period: int, level: Level, pair: Pair) -> bool:
        """Whether a call is the one that was made so many before it; if not, no round of that length goes on."""
        ring = self._ring
        if len(ring) >= period and ring[-period] == pair:
            return True
        level.clear()
        return False

    def _straighten(self) -> None:
        """No round goes on."""
        if self._turning:
            self._turning = False
            for _, level in self._rounds:
                level.clear()

    def _circle(self, period: int, level: Level, bound: Bound, now: float) -> Found:
        """A cycle is caught: every call of it rests."""
        found = Found(bound, level.count, now - level.since)
        members = [self.seen[key] for key, _ in list(self._ring)[-period:] if key in self.seen]
        for member in members if bound.refuses else ():
            member.rest = Rest(bound, found.count, found.seconds, now + PAUSE_SECONDS)
        level.clear()
        return found


def _place(memory: OrderedDict[_K, Seen], key: _K, most: int, seen: Seen) -> Seen:
    """Puts something new into a memory of at most so many; the one that was used longest ago makes room."""
    if len(memory) >= most:
        memory.popitem(last=False)
    memory[key] = seen
    return seen


def _tried(seen: Seen, rest: Rest | None, same: bool, now: float) -> Sequence[Found]:
    """What rests was tried again: it rests on for longer, or is free. What was on its way when it was caught does not try it."""
    if not same:
        seen.rest = None
        seen.same.clear()
        seen.every.clear()
    elif rest is not None and rest is seen.rest:
        rest.longer(now)
        return (Found(rest.bound, rest.count, rest.seconds),)
    return ()


def _near(turn: Turn, bound: Bound, level: Level, amount: int) -> None:
    """Notes a rule that is to refuse the call before long."""
    if level.height * NEAR >= bound.calls:
        turn.near += ((bound, int((bound.calls - level.height) / amount) + 1),)


def _caught(seen: Seen, bound: Bound, level: Level, now: float) -> Found:
    found = Found(bound, level.count, now - level.since)
    if bound.refuses:
        seen.rest = Rest(bound, found.count, found.seconds, now + PAUSE_SECONDS)
    level.clear()
    return found
