"""Whatever happens in whatever order, a budget of payments is never exceeded, and the sums are what the calls have used."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from doorward.domain.budgets import Draw
from doorward.domain.calls import Call
from doorward.domain.reasons import Refused
from doorward.domain.receipts import Status
from tests.admission.budgets.bench import DAY, PAYMENTS, Bench, document, ended, pay
from tests.made import principal

AGENTS = ("claude", "robin")
LIMIT = 1000 * 10**6
WINDOWS = st.sampled_from(["day", "week", "month", {"seconds": 3600}])


class Spending(RuleBasedStateMachine):
    """Calls that run at the same time, crashes, and clocks that jump."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench(document(payments=PAYMENTS))
        self.open: dict[str, tuple[Call, Draw]] = {}
        self.spent: dict[tuple[str, str], list[tuple[int, int]]] = {}
        self.calls = 0

    @rule(cents=st.integers(0, 60_000), agent=st.sampled_from(AGENTS))
    def reserve(self, cents: int, agent: str) -> None:
        self.calls += 1
        call = pay(f"{cents // 100}.{cents % 100:02d}", f"c{self.calls}", principal(agent))
        units = cents * 10_000
        try:
            (draw,) = self.bench.intend(call)
        except Refused:
            ((current, held),) = [(one.ledger, self._counting(one.ledger, agent)) for one in self.bench.budgets.rules()]
            assert held + units > LIMIT, f"{current} refuses what fits"
            return
        assert draw.units == units
        self.spent.setdefault((draw.ledger, agent), []).append((draw.until, units))
        self.open[call.id] = (call, draw)

    @precondition(lambda self: self.open)
    @rule(
        data=st.data(), status=st.sampled_from([Status.DELIVERED, Status.NOT_FORWARDED, Status.FAILED, Status.TOOL_ERROR, Status.CANCELLED])
    )
    def settle(self, data: st.DataObject, status: Status) -> None:
        name = data.draw(st.sampled_from(sorted(self.open)))
        call, draw = self.open.pop(name)
        self.bench.conclude(ended(call, status, 10))
        if status is Status.NOT_FORWARDED:
            self.spent[draw.ledger, call.principal.agent.id].remove((draw.until, draw.units))

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def fail_to_record(self, data: st.DataObject) -> None:
        """An intent that could not be written: nothing of it is in the store."""
        name = data.draw(st.sampled_from(sorted(self.open)))
        call, draw = self.open.pop(name)
        self.bench.store.give_back((draw,))
        self.bench.budgets.dropped(call.id)
        self.spent[draw.ledger, call.principal.agent.id].remove((draw.until, draw.units))

    @rule()
    def crash(self) -> None:
        """What ran stays spent: its outcome is unknown."""
        self.open.clear()
        self.bench.restart(self.bench.now())

    @rule(seconds=st.floats(0, 2 * DAY))
    def pass_time(self, seconds: float) -> None:
        self.bench.pass_seconds(seconds)

    @rule(seconds=st.floats(-3 * DAY, 3 * DAY))
    def set_clock(self, seconds: float) -> None:
        self.bench.wall.at += seconds

    @rule(window=WINDOWS)
    def change_window(self, window: object) -> None:
        """A budget that counts otherwise begins anew, and goes on where it was when it counts so again."""
        self.bench.of = document(payments={**PAYMENTS, "window": window})
        self.bench.budgets.adopt(self.bench.of)

    @invariant()
    def never_over(self) -> None:
        for ledger, agent in self.spent:
            assert self._counting(ledger, agent) <= LIMIT

    @invariant()
    def sums_agree(self) -> None:
        at = int(self.bench.now())
        model = sum(units for draws in self.spent.values() for until, units in draws if until > at)
        current = self.bench.budgets.rules()[0].ledger
        of_current = sum(units for (ledger, _), draws in self.spent.items() if ledger == current for until, units in draws if until > at)
        assert (self.bench.rows(), self.bench.mirrored()) == (model, of_current)

    def _counting(self, ledger: str, agent: str) -> int:
        at = int(self.bench.now())
        return sum(units for until, units in self.spent.get((ledger, agent), []) if until > at)


Spending.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestSpending = Spending.TestCase
