"""The limits that an operator declares: which of them concern a call, and taking from all of these or from none.

INVARIANT: nothing is waited for between asking the first counter and taking from the last, so no call is ever half counted. What a
limit is about is worked out once for each caller and target (`reads_of`), so a call pays only for the limits that concern it.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Final, Protocol

import msgspec

from doorward.admission.intake import SHORTLY
from doorward.admission.rates import CounterError, Key, Rates
from doorward.admission.running import Running
from doorward.admission.selection import Chosen, reads_of
from doorward.config.limits import Limit as Rule
from doorward.config.limits import Rate as RateRule
from doorward.domain.calls import Call
from doorward.domain.reasons import Reason, Refused
from doorward.wire.limits import CONCURRENT, LIMITS_KEY, Entry

KNOWN: Final = 4_096
"""Pairs of caller and target whose limits are remembered; beyond, all are worked out anew."""


class Counter(Protocol):
    """What a limit has counted, by key. Asking never waits: a counter that is shared takes portions ahead of time."""

    def wait(self, key: Key, now: float) -> float:
        """The seconds until there is one, 0 for now, infinite where nobody knows; raises `CounterError` where the count cannot be had."""
        ...

    def put(self, key: Key, now: float) -> None:
        """Takes one, which `wait` has just said is there."""
        ...

    def leave(self, key: Key) -> None:
        """Hears that a call that has taken one of a share has ended; of a rate nobody is told."""
        ...

    def left(self, key: Key, now: float) -> tuple[int, int | None]:
        """How many there are, and the whole seconds until there is one more; None where there is no such time."""
        ...

    def busiest(self, now: float, most: int) -> list[tuple[Key, int]]:
        """The keys that have taken most, and how many."""
        ...


class Flow(msgspec.Struct, frozen=True):
    """A rate as a bucket: `burst` calls deep, and one more in each `interval` seconds."""

    calls: int
    seconds: int
    burst: int

    @property
    def interval(self) -> float:
        """Seconds that one call costs."""
        return self.seconds / self.calls

    @property
    def depth(self) -> float:
        """Seconds that a whole bucket holds."""
        return self.interval * self.burst

    @property
    def most(self) -> int:
        """What there is to take at once."""
        return self.burst


class Share(msgspec.Struct, frozen=True):
    """A number of calls at the same time."""

    most: int


class Limit(msgspec.Struct, frozen=True):
    """One limit, compiled."""

    name: str
    chosen: Chosen
    bound: Flow | Share
    lets_reads_pass: bool
    """Whether a call that only reads passes where its count cannot be had."""
    rule: Rule
    shown: Entry
    """What is told of it that is always the same."""


def compiled(rules: Mapping[str, Rule]) -> tuple[Limit, ...]:
    """The limits of a document, in the order of their names."""
    return tuple(_compiled(name, rules[name]) for name in sorted(rules))


def counter_of(bound: Flow | Share) -> Counter:
    """A new counter of this process."""
    return Rates(bound) if isinstance(bound, Flow) else Running(bound.most)


class Row(msgspec.Struct, frozen=True):
    """A limit and what it has counted."""

    limit: Limit
    counter: Counter


Counted = tuple[tuple[Limit, Counter, Key], ...]
"""The limits that concern a call, their counters, and the key it counts under in each."""


class Taken:
    """What calls have taken of some limits: the same for all that are alike to these, as their ends are told apart by who tells them."""

    __slots__ = ("_shares", "counted")

    def __init__(self, counted: Counted) -> None:
        self.counted = counted
        # Of a rate, no call gives anything back when it ends.
        self._shares = tuple([(counter, key) for limit, counter, key in counted if isinstance(limit.bound, Share)])

    def leave(self) -> None:
        """Hears that the call has ended; to be told once of each."""
        for counter, key in self._shares:
            counter.leave(key)

    def left(self, now: float) -> tuple[Entry, ...]:
        """What is left of each limit now."""
        told: list[Entry] = []
        for limit, counter, key in self.counted:
            entry = {**limit.shown}
            entry["left"], reset = counter.left(key, now)
            if reset is not None:
                entry["resetSeconds"] = reset
            told.append(entry)
        return tuple(told)


NOTHING: Final = Taken(())
"""What a call has taken that no limit concerns."""


class Declared:
    """All declared limits, with their counters."""

    __slots__ = ("_known", "_make", "_rows")

    def __init__(self, limits: Iterable[Limit], make: Callable[[Flow | Share], Counter] = counter_of) -> None:
        self._make = make
        self._rows: tuple[Row, ...] = tuple(Row(limit, make(limit.bound)) for limit in limits)
        self._known: dict[tuple[object, ...], Taken] = {}

    @property
    def rows(self) -> tuple[Row, ...]:
        """The limits in their order, with what they have counted."""
        return self._rows

    def adopt(self, limits: Iterable[Limit]) -> None:
        """Goes on with other limits. One that keeps its name, its sort and what it counts apart keeps its counts; calls that run go on."""
        before = {row.limit.name: row for row in self._rows}
        self._rows = tuple([self._adopted(limit, before.get(limit.name)) for limit in limits])
        self._known = {}

    def take(self, call: Call, now: float) -> Taken:
        """Takes one from every limit that concerns a call; or from none, and raises `Refused` OVER_RATE, OVER_CONCURRENCY or OVERLOADED."""
        if not self._rows:
            return NOTHING
        about = reads_of(call)
        taken = self._known.get(about) or self._concerned(about, call)
        counted = taken.counted
        longest = 0.0
        try:
            for _, counter, key in counted:
                # No call of `max`, on the way of every call.
                longest = wait if (wait := counter.wait(key, now)) > longest else longest
        except CounterError:
            counted, longest = _without_missing(counted, call, now)
            taken = Taken(counted)
        if longest:
            raise _over(counted, now)
        for _, counter, key in counted:
            counter.put(key, now)
        return taken

    def _concerned(self, about: tuple[object, ...], call: Call) -> Taken:
        """What a call takes, worked out and remembered."""
        if len(self._known) >= KNOWN:
            self._known.clear()
        keyed = ((row, row.limit.chosen.of(call)) for row in self._rows)
        counted = tuple([(row.limit, row.counter, key) for row, key in keyed if key is not None])
        found = self._known[about] = Taken(counted) if counted else NOTHING
        return found

    def _adopted(self, limit: Limit, before: Row | None) -> Row:
        if before is None or before.limit.chosen.per != limit.chosen.per:
            return Row(limit, self._make(limit.bound))
        counter, bound = before.counter, limit.bound
        match counter, bound:
            case Rates(), Flow():
                counter.adopt(bound)
            case Running(), Share():
                counter.adopt(bound.most)
            case _:
                counter = self._make(bound)
        return Row(limit, counter)


def _compiled(name: str, rule: Rule) -> Limit:
    bound: Flow | Share
    shown: dict[str, int | str]
    match rule.rate:
        case RateRule(calls=calls, seconds=seconds, burst=burst):
            bound = Flow(calls, seconds, burst or calls)
            shown = {"name": name, "quota": bound.burst, "windowSeconds": math.ceil(bound.depth)}
        case None:
            assert rule.concurrent is not None  # `check_limits` has seen to it
            bound = Share(rule.concurrent)
            shown = {"name": name, "quota": bound.most, "unit": CONCURRENT}
    return Limit(name, Chosen(rule.of, rule.per), bound, rule.when_unavailable == "allow", rule, shown)


def _only_reads(call: Call) -> bool:
    """Whether nothing is changed by a call, as far as anybody has said."""
    parents = call.target.parents
    return "read" in parents and parents.isdisjoint(("write", "destructive"))


def _without_missing(counted: Counted, call: Call, now: float) -> tuple[Counted, float]:
    """The limits whose counts can be had, and the longest wait; raises `Refused` where a call may not pass without one of the others."""
    had: list[tuple[Limit, Counter, Key]] = []
    longest = 0.0
    for limit, counter, key in counted:
        try:
            longest = max(longest, counter.wait(key, now))
        except CounterError as error:
            _check_passes(limit, call, error)
        else:
            had.append((limit, counter, key))
    return tuple(had), longest


def _check_passes(limit: Limit, call: Call, error: CounterError) -> None:
    """Raises `Refused` OVERLOADED where a call is not to pass without being counted."""
    if limit.lets_reads_pass and _only_reads(call):
        return
    raise Refused(
        Reason.OVERLOADED,
        f"the limit {limit.name!r} cannot be counted: {error}",
        sentence=f"The limit `{limit.name}` cannot be counted now, so this was not done. Try again shortly.",
        extra={"limit": limit.name, "retryAfterSeconds": SHORTLY},
    ) from error


def _over(counted: Counted, now: float) -> Refused:
    """The refusal by the limit that keeps a call out for longest: who waits for that one has waited for all."""
    longest, reached = max(_waits(counted, now), key=lambda found: found[0])
    bound, name = reached[0].bound, reached[0].name
    if isinstance(bound, Flow):
        reason, wait = Reason.OVER_RATE, math.ceil(longest)
        most, then = f"{bound.calls} in {bound.seconds} s", f"Wait {wait} s, then try again."
    else:
        reason, wait = Reason.OVER_CONCURRENCY, SHORTLY
        most, then = f"{bound.most} at once", "Wait until one of them ends, then try again."
    return Refused(
        reason,
        f"the limit {name!r} is reached",
        sentence=f"The limit `{name}` is reached: at most {most}. {then}",
        extra={"limit": name, "retryAfterSeconds": wait, LIMITS_KEY: Taken((reached,)).left(now)},
    )


def _waits(counted: Counted, now: float) -> Iterator[tuple[float, tuple[Limit, Counter, Key]]]:
    for one in counted:
        with suppress(CounterError):
            yield one[1].wait(one[2], now), one
