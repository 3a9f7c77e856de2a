"""The set of contexts, bounded: one for each instance, and one for each agent that holds what is left of those that had to make room.

INVARIANT: no context that holds something is dropped but by time or a person. Where there is no room, the ones without a label go first;
what another one held stays with its agent, and new contexts of that agent begin with it.
"""

from collections.abc import Callable, Collection
from math import inf
from typing import Final

from doorward.domain.calls import Call
from doorward.domain.flow import Rise
from doorward.flow.context import Context
from doorward.flow.store import FlowStore

MOST: Final = 20_000
"""Contexts: some 20 MB with nothing remembered."""
MOST_IN_ALL: Final = 1_000_000
"""Names that all contexts remember together: some 100 MB."""
_AT_ONCE = 20
"""One in so many makes room at a time, as looking for them is dear."""


class Room:
    """Which contexts there are."""

    __slots__ = ("_by_instance", "_by_number", "_gone", "_last", "_left", "_most", "_names", "_owing", "_store", "expiry_seconds")

    def __init__(self, store: FlowStore, most: int = MOST) -> None:
        self._store = store
        self._most = most
        self.expiry_seconds = inf
        """Since its last call, a context is forgotten after so long."""
        self._by_instance: dict[str, Context] = {}
        self._left: dict[str, Context] = {}
        """What is left of contexts that made room, by agent."""
        self._by_number: dict[int, Context] = {}
        self._owing: set[int] = set()
        """Of those that are left, the ones that the store may not have yet."""
        self._gone: set[int] = set()
        """Contexts that are no more, which the store may still have."""
        self._last = 0
        self._names = 0

    async def load(self) -> None:
        """Goes on from what the store holds; raises `StoreError`."""
        for held, counts in sorted(await self._store.load(), key=lambda one: one[0].context):
            self._last = max(self._last, held.context)
            context = Context(held.context, held.instance, held.agent, counts.at)
            context.restored(held, counts)
            known = self._place(context)
            if known is not None:
                # Two of one instance, where an entry was written late: neither loses what it holds.
                context.inherits(known)
                self._forget(known)
            self._put(context)

    def own(self, call: Call, at: float) -> Context | None:
        """The context of a call's instance, if it has one that counts."""
        context = self._by_instance.get(call.principal.instance)
        return context if context is not None and at - context.at <= self.expiry_seconds else None

    def before(self, call: Call, now: Callable[[], float]) -> Context | None:
        """What a call comes from: its instance's context, or what is left of earlier ones of its agent; None where nothing is known of it."""
        context = self.known(call)
        return context if context is not None and now() - context.at <= self.expiry_seconds else None

    def known(self, call: Call) -> Context | None:
        """The same, whether it counts still or not: for who may not ask for the time, such as another thread."""
        context = self._by_instance.get(call.principal.instance)
        return self._left.get(call.principal.agent.id) if context is None and self._left else context

    def opened(self, call: Call, at: float) -> Context:
        """The context of a call's instance, which is made where there is none."""
        known = self._by_instance.get(call.principal.instance)
        if known is None or at - known.at > self.expiry_seconds:
            return self._begun(call, at, known)
        return known

    def _begun(self, call: Call, at: float, expired: Context | None) -> Context:
        """A new context of a call's instance."""
        instance, agent = call.principal.instance, call.principal.agent.id
        if expired is not None:
            self._forget(expired)
        if len(self._by_instance) >= self._most:
            self._make_room()
        context = self._new(instance, agent, at)
        left = self._left.get(agent)
        if left is not None and at - left.at <= self.expiry_seconds:
            context.inherits(left)
            self.blind(context)
        return context

    def rise(self, context: Context) -> Rise:
        """How a context stands, to be written; with everything else that the store may not have yet."""
        if context.stored >= context.version and not (self._owing or self._gone):
            return tuple.__new__(Rise, (context.counts(), (), ()))
        held = [context.held()] if context.owes else []
        held += [self._by_number[number].held() for number in self._owing]
        return Rise(context.counts(), tuple(held), tuple(self._gone))

    def written(self, rise: Rise) -> None:
        """The store has this."""
        if not (rise.held or rise.gone):
            return
        for held in rise.held:
            context = self._by_number.get(held.context)
            if context is not None:
                context.written(held.version)
        if self._owing:
            self._owing = {number for number in self._owing if self._by_number[number].owes}
        self._gone.difference_update(rise.gone)

    def numbered(self, number: int) -> Context | None:
        """The context of this number, while there is one."""
        return self._by_number.get(number)

    def every(self) -> tuple[Context, ...]:
        """Every context, what is left of others included, by number."""
        return tuple([self._by_number[number] for number in sorted(self._by_number)])

    def remember(self, context: Context, names: Collection[int], source: str) -> None:
        """Adds what a context was shown; `source` is empty for what can be trusted. Where there is no room, it is blind from then on."""
        index = context.index
        if index is None:
            return
        before = len(index)
        fits = index.takes(names, source)
        self._names += len(index) - before
        if not fits:
            self.blind(context)
        while self._names > MOST_IN_ALL:
            self.blind(self._fullest())

    def blind(self, context: Context) -> None:
        """It is not known any more what a context was shown."""
        if context.index is not None:
            self._names -= len(context.index)
            context.index = None

    async def reset(self, number: int) -> None:
        """Forgets a context, durably: its instance begins anew. What is out comes back to the new one. Raises `StoreError`."""
        await self._store.drop((number,))
        context = self._by_number.get(number)
        if context is not None:
            self._forget(context)

    async def sweep(self, at: float) -> None:
        """Forgets what has expired; to be called every minute or so. Raises `StoreError`."""
        for context in [one for one in self._by_number.values() if at - one.at > self.expiry_seconds]:
            self._forget(context)
        gone = tuple(self._gone)
        if gone:
            await self._store.drop(gone)
            self._gone.difference_update(gone)

    def _make_room(self) -> None:
        """The longest quiet ones go, those without a label first."""
        by_worth = sorted(self._by_instance.values(), key=lambda one: (not one.is_clean, one.at))
        for context in by_worth[: max(1, self._most // _AT_ONCE)]:
            self._forget(context)
            if not context.is_clean:
                self._leave(context)

    def _leave(self, context: Context) -> None:
        """Keeps what a context held for the next ones of its agent."""
        left = self._left.get(context.agent)
        if left is None:
            left = self._new("", context.agent, context.at)
        left.inherits(context)
        left.lasts(context.at)
        self.blind(left)
        self._owing.add(left.number)

    def _fullest(self) -> Context:
        """Of the agent that remembers most, the context that does."""
        by_agent: dict[str, int] = {}
        for one in self._by_number.values():
            by_agent[one.agent] = by_agent.get(one.agent, 0) + one.remembered
        return max(self._by_number.values(), key=lambda one: (by_agent[one.agent] if one.remembered else 0, one.remembered))

    def _new(self, instance: str, agent: str, at: float) -> Context:
        self._last += 1
        context = Context(self._last, instance, agent, at)
        self._put(context)
        return context

    def _put(self, context: Context) -> None:
        self._by_number[context.number] = context
        if context.instance:
            self._by_instance[context.instance] = context
        else:
            self._left[context.agent] = context

    def _place(self, context: Context) -> Context | None:
        """The one that stands where this one would."""
        return self._by_instance.get(context.instance) if context.instance else self._left.get(context.agent)

    def _forget(self, context: Context) -> None:
        self.blind(context)
        del self._by_number[context.number]
        if context.instance:
            del self._by_instance[context.instance]
        else:
            del self._left[context.agent]
        self._gone.add(context.number)
        self._owing.discard(context.number)
