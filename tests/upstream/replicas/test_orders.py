"""Whatever happens to the addresses, in whatever order: what may have run is sent once, and who is well is asked before who is not."""

import asyncio
from collections.abc import Callable, Coroutine

import hypothesis.strategies as st
from hypothesis import given

from doorward.domain.calls import Answer
from doorward.upstream.health import AddressState, Duty
from doorward.upstream.order import Order
from doorward.upstream.port import Notices, unheard
from tests.loops import JumpingLoop
from tests.upstream.kit import order
from tests.upstream.replicas.yard import OTHER, PROBES, RULES, VIEW, FakeSpeaker, Yard, broke_off, settled, unsent

Step = tuple[str, object]

ENDS = {"well": None, "unsent": unsent, "broke": broke_off}
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("call"), st.sampled_from(("ann", "bob"))),
        st.tuples(st.just("end"), st.tuples(st.integers(0, 5), st.sampled_from(sorted(ENDS)))),
        st.tuples(st.just("wait"), st.sampled_from((0.1, 1.0, 3.0, 20.0))),
        st.tuples(st.sampled_from(("fall", "rise", "drain", "restore", "differ", "agree", "look")), st.sampled_from("abcd")),
    ),
    max_size=60,
)


class Watch:
    """Plays steps on a yard, and checks each choice at the moment when a call arrives somewhere."""

    def __init__(self, names: str, failures: int, *, keeps: bool) -> None:
        self.yard = Yard(*names, rules=RULES.model_copy(update={"failures": failures}))
        self.keeps = keeps
        self.arrived: dict[int, list[str]] = {}
        self.ended: dict[tuple[int, str], str] = {}
        self.waiting: list[tuple[int, str, asyncio.Future[str]]] = []
        self.going: list[asyncio.Task[Answer]] = []
        for speaker in self.yard.speakers.values():
            speaker.keeps_sessions = keeps
            speaker.forward = self._forward(speaker, speaker.forward)  # type: ignore[method-assign, assignment]

    async def play(self, steps: list[Step]) -> None:
        await self.yard.seen()
        for what, detail in steps:
            await self._do(what, detail)
            await settled()
        for _, _, end in self.waiting:
            end.cancel()
        for task in self.going:
            task.cancel()
        await asyncio.gather(*self.going, return_exceptions=True)
        await self.yard.front.close()

    async def _do(self, what: str, detail: object) -> None:
        match what, detail:
            case "call", str(principal):
                asked = order(principal=principal, meta={"number": len(self.going)})
                self.going.append(asyncio.get_running_loop().create_task(self.yard.front.forward(asked, unheard)))
            case "end", (int(index), str(end)) if self.waiting:
                number, name, future = self.waiting.pop(index % len(self.waiting))
                self.ended[(number, name)] = end
                future.set_result(end)
            case "wait", float(seconds):
                await asyncio.sleep(seconds)
            case "look", _:
                await asyncio.gather(self.yard.seen(), return_exceptions=True)
            case _, str(name) if name in self.yard.speakers:
                self._turn(what, name)
            case _:
                return

    def _turn(self, what: str, name: str) -> None:
        speaker, front = self.yard.speakers[name], self.yard.front
        match what:
            case "fall" | "rise":
                speaker.is_up = what == "rise"
            case "differ" | "agree":
                speaker.sight = OTHER if what == "differ" else VIEW
            case "drain":
                front.drain(name)
            case "restore":
                front.restore(name)

    def _forward(
        self, speaker: FakeSpeaker, probed: Callable[[Order, Notices], Coroutine[object, object, Answer]]
    ) -> Callable[[Order, Notices], Coroutine[object, object, Answer]]:
        async def forward(asked: Order, notices: Notices) -> Answer:
            if asked.method in PROBES:
                return await probed(asked, notices)
            number = asked.meta["number"]
            assert isinstance(number, int)
            self._check(speaker.name, number)
            future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            self.waiting.append((number, speaker.name, future))
            end = ENDS[await future]
            speaker.is_up, was_up = end is None, speaker.is_up
            speaker.fails_with = end or unsent
            try:
                return await probed(asked, notices)
            finally:
                speaker.is_up, speaker.fails_with = was_up, unsent

        return forward

    def _check(self, name: str, number: int) -> None:
        before = self.arrived.setdefault(number, [])
        assert len(before) < 2, "sent a third time"
        assert all(self.ended[(number, one)] == "unsent" for one in before), "what may have run was sent again"
        assert name not in before
        states = {state.name: state for state in self.yard.front.addresses()}
        before.append(name)
        assert states[name].duty in {Duty.SERVING, Duty.EJECTED}, "drained, held back or unseen"
        serving = [state for state in states.values() if state.duty is Duty.SERVING and state.name not in before[:-1]]
        assert states[name] in serving or not serving, "one that is left out was asked while another was well"
        if serving and not self.keeps and len(states) > 1:
            # The call that is being placed is counted already.
            assert _load(states[name]) - 1 <= min(_load(state) for state in serving)


def _load(state: AddressState) -> int:
    return (state.outstanding or 0) + state.failures


@given(st.sampled_from(("a", "ab", "abc", "abcd")), st.integers(1, 3), st.booleans(), STEPS)
def test_nothing_that_may_have_run_is_sent_twice_and_the_well_are_asked_first(
    names: str, failures: int, keeps: bool, steps: list[Step]
) -> None:
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        watch = Watch(names, failures, keeps=keeps)
        runner.run(watch.play(steps))
        broken = [task.exception() for task in watch.going if not task.cancelled()]
    assert [failure for failure in broken if isinstance(failure, AssertionError)] == []
    assert all(count <= 2 for count in map(len, watch.arrived.values()))
