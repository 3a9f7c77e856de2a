"""Guards of others on the way of a call: after those that ship, and closed unless they are declared to observe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import pytest

from doorward.domain.findings import Direction, Severity
from doorward.domain.reasons import Ran, Reason
from doorward.inspection.plugins.panel import Panel, Seat, Terms
from doorward.inspection.port import Carrier, Found, Message
from doorward.testing.guards import Spotter
from doorward.testing.house import Plan
from doorward.testing.playbook import leaves, playbook, tool_call
from doorward.testing.trace import Got, GotRefusal, Leaf, Sent
from doorward.testing.upstream import text
from tests.call.steps import PLAN, got, sent

pytestmark = pytest.mark.anyio

CALL = tool_call("git__commit", {"words": "the plan"})
QUIET = tool_call("git__commit", {"words": "nothing"})


@dataclass
class Word:
    """Finds one word, and keeps what it was shown."""

    word: str = "plan"
    severity: Severity = Severity.HIGH
    shown: list[Message] = field(default_factory=list)

    def look(self, message: Message) -> Iterable[Found]:
        self.shown.append(message)
        for one in message.texts:
            if self.word in one.text:
                start = one.text.index(self.word)
                yield Found("word", self.severity, one.pointer, start, start + len(self.word), one.part)


@dataclass
class Crashes:
    """Fails on some carriers."""

    carriers: frozenset[Carrier]

    async def look(self, message: Message) -> Iterable[Found]:
        if message.carrier in self.carriers:
            raise RuntimeError(message.texts[-1].text)
        return ()


def plan(guard: Word | Crashes, *rules: Mapping[str, object], closed: bool = True, ships: tuple[Spotter, ...] = ()) -> Plan:
    terms = Terms(closed, 30.0, 4096, frozenset(Direction))
    panel = Panel((Seat("mine", guard, terms, lambda *what: None),))
    return replace(PLAN, plugged=lambda document: panel, guards=ships, document={"inspection": {"dispositions": list(rules)}})


async def test_what_a_guard_of_others_finds_is_met_as_the_table_says_of_guards_that_it_does_not_know() -> None:
    async with playbook(plan(Word())) as book:
        assert (await book.play(CALL))[:2] == [Leaf("refusal", "unsafe_request", (), ("mine/word",)), GotRefusal(Reason.UNSAFE_REQUEST)]
        book.house.upstream("git").will(text("here is the plan"))
        assert (await book.play(QUIET))[2:4] == [
            Leaf("outcome", "withheld", ("unsafe_response",), ("mine/word",)),
            GotRefusal(Reason.UNSAFE_RESPONSE, Ran.YES),
        ]


async def test_what_it_finds_is_cut_out_where_a_rule_says_so_and_the_call_is_authorized_again() -> None:
    guard = Word()
    async with playbook(plan(guard, {"guards": ["mine"], "then": "mask"})) as book:
        book.house.upstream("git").will(text("plan b"))
        trace = await book.play(CALL)
        assert trace[1:4] == [
            sent(words="the [withheld: word]"),
            Leaf("outcome", "delivered", (), ("mine/word", "mine/word")),
            got({"content": [{"type": "text", "text": "[withheld: word] b"}]}),
        ]
        assert [message.carrier for message in guard.shown] == [Carrier.REQUEST, Carrier.RESPONSE]


async def test_it_is_not_shown_what_was_cut_out_before_and_nothing_that_was_refused() -> None:
    guard = Word("zzz")
    spotters = (Spotter("secret", Severity.MEDIUM, carriers=frozenset({Carrier.RESPONSE})), Spotter("bad", name="other"))
    async with playbook(plan(guard, ships=spotters)) as book:
        book.house.upstream("git").will(text("the secret is out"))
        await book.play(QUIET, tool_call("git__commit", {"words": "bad"}))
        (shown,) = [message for message in guard.shown if message.carrier is Carrier.RESPONSE]
        assert [one.text for one in shown.texts if one.pointer == "/content/0/text"][1:] == ["the [withheld: word] is out"]
        assert [one.text for message in guard.shown for one in message.texts if one.text == "bad"] == []


@pytest.mark.parametrize("carrier", [Carrier.REQUEST, Carrier.RESPONSE])
async def test_a_crash_lets_nothing_past_whatever_the_rules_say(carrier: Carrier) -> None:
    everything = {"then": "pass"}
    async with playbook(plan(Crashes(frozenset({carrier})), everything)) as book:
        trace = await book.play(QUIET)
        reason, ran = (Reason.UNSAFE_REQUEST, Ran.NO) if carrier is Carrier.REQUEST else (Reason.UNSAFE_RESPONSE, Ran.YES)
        assert trace[-2] == GotRefusal(reason, ran)
        assert leaves(trace)[-1].findings == ("mine/guard_failed",)
        assert [step for step in trace if isinstance(step, Sent)] == ([] if carrier is Carrier.REQUEST else [sent(words="nothing")])
        assert "nothing" not in str(leaves(trace)[-1].body.get("detail"))


async def test_a_guard_that_is_only_observed_changes_nothing_and_is_on_record() -> None:
    async with playbook(plan(Crashes(frozenset(Carrier)), {"then": "block"}, closed=False)) as book:
        trace = await book.play(QUIET)
        assert [step for step in trace if isinstance(step, Got)] == [got()]
        assert [leaf.findings for leaf in leaves(trace)] == [("mine/guard_failed",), ("mine/guard_failed", "mine/guard_failed")]
    async with playbook(plan(Word(), {"then": "block"}, closed=False)) as book:
        trace = await book.play(CALL)
        assert [step for step in trace if isinstance(step, Sent)] == [sent(words="the plan")]
        assert leaves(trace)[0].body["findings"][0]["done"] == "pass"


async def test_what_is_larger_than_it_is_shown_counts_as_not_looked_at() -> None:
    async with playbook(plan(Word("zzz"))) as book:
        trace = await book.play(tool_call("git__commit", {"words": "a" * 5000}))
        assert leaves(trace)[0] == Leaf("refusal", "unsafe_request", (), ("mine/guard_oversize",))
