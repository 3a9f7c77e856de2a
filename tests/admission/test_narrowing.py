"""Whatever operators do in whatever order, and whatever their store does: what stands revoked or stopped admits nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st

from doorward.admission import matters
from doorward.admission.matters import EVERYTHING, FOR_GOOD, Matter, MatterKind, StopError
from doorward.admission.stops import Effect, Switch
from doorward.domain.errors import StoreError
from doorward.domain.ids import SessionId
from doorward.domain.reasons import Refused
from tests.admission.stores import Memory
from tests.admission.test_matters import TOKEN
from tests.made import Clock, call, principal, target

TOKEN_CALL = replace(call(by=TOKEN, to=target("git", "commit")), session=SessionId("s1"))
KEY_CALL = call(by=principal("planner", key="key1"), to=target("git", "push"))
CALLS = (TOKEN_CALL, KEY_CALL)
MATTERS = sorted({*matters.matters(TOKEN_CALL), *matters.matters(KEY_CALL), Matter(MatterKind.USER, "corp:bob")}, key=matters.written)

Standing = set[tuple[Matter, Effect]]


@dataclass
class World:
    """The switch, and what must stand still by what was said so far."""

    store: Memory
    switch: Switch
    standing: Standing
    durable: Standing
    began: list[tuple[int, int]]
    """Calls that were admitted: which, and at what epoch."""
    cut: list[tuple[Matter, int]]
    """What was cut, and how many calls had been admitted by then."""


@dataclass(frozen=True)
class Order:
    """Something that an operator or the world does."""

    what: str
    matter: Matter = EVERYTHING

    async def __call__(self, world: World) -> None:
        match self.what:
            case "stop" | "revoke":
                await self._narrow(world)
            case "resume" | "restore":
                await self._widen(world)
            case "cut":
                world.switch.cut(self.matter, "suspended")
                world.cut.append((self.matter, len(world.began)))
            case "fail":
                world.store.fails = not world.store.fails
            case _:
                await _restart(world)

    async def _narrow(self, world: World) -> None:
        effect = Effect.STOPPED if self.what == "stop" else Effect.REVOKED
        verb = world.switch.stop if self.what == "stop" else world.switch.revoke
        if self.what == "revoke" and self.matter == EVERYTHING:
            return
        world.cut.append((self.matter, len(world.began)))
        world.standing.add((self.matter, effect))
        try:
            await verb(self.matter, "why", "ann")
        except StoreError:
            return
        world.durable.add((self.matter, effect))

    async def _widen(self, world: World) -> None:
        effect = Effect.STOPPED if self.what == "resume" else Effect.REVOKED
        verb = world.switch.resume if self.what == "resume" else world.switch.restore
        try:
            await verb(self.matter)
        except (StopError, StoreError):
            return
        assert effect is Effect.STOPPED or self.matter.kind not in FOR_GOOD
        world.standing.discard((self.matter, effect))
        world.durable.discard((self.matter, effect))


async def _restart(world: World) -> None:
    world.store.fails = False
    world.switch = Switch(world.store, Clock())
    await world.switch.load()
    # What could not be written is gone: its operator was told so. What could be is still there.
    world.standing = set(world.durable)
    world.began.clear()
    world.cut.clear()


def _is_refused(what: object, *given: object) -> bool:
    try:
        what(*given)  # type: ignore[operator]
    except Refused:
        return True
    return False


def _check(world: World) -> None:
    for number, one in enumerate(CALLS):
        touched = set(matters.matters(one))
        stands = {(matter, effect) for matter, effect in world.standing if matter in touched}
        assert _is_refused(world.switch.check, one) == bool(stands)
        proven = {Matter(*name) for name in matters.of_principal(one.principal)}
        withdrawn = any(effect is Effect.REVOKED and matter in proven for matter, effect in stands)
        assert _is_refused(world.switch.known, one.principal) == withdrawn
        for position, (which, epoch) in enumerate(world.began):
            if which == number:
                is_cut = any(matter in touched and position < before for matter, before in world.cut)
                assert _is_refused(world.switch.still, one, epoch) == (is_cut or (bool(stands) and epoch != world.switch.epoch))
        if not stands:
            world.began.append((number, world.switch.epoch))


orders = st.one_of(
    st.builds(Order, st.sampled_from(("stop", "revoke", "revoke", "resume", "restore", "cut")), st.sampled_from(MATTERS)),
    st.sampled_from((Order("fail"), Order("restart"))),
)


@settings(max_examples=150)
@given(st.lists(orders, max_size=25))
def test_no_sequence_of_narrowing_and_widening_admits_what_stands_still(script: Sequence[Order]) -> None:
    async def run() -> None:
        store = Memory()
        world = World(store, Switch(store, Clock()), set(), set(), [], [])
        await world.switch.load()
        for order in script:
            await order(world)
            _check(world)

    anyio.run(run)
