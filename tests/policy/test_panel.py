"""A panel that is asked what Cedar cannot even read, and who reads what in it."""

from cedarpy import Entities

from doorward.domain.decisions import Deny
from doorward.policy.memo import Memo
from doorward.policy.panel import Panel, panel
from doorward.policy.rules import Source, parse
from tests.policy.world import policy


def made(*conditions: str) -> Panel:
    texts = [policy(f"permit(principal, action, resource) {condition};", f"p{position}") for position, condition in enumerate(conditions)]
    return panel(parse(Source("x", "\n".join(texts)))[0])


def test_a_question_that_cedar_cannot_read_is_denied() -> None:
    decision = made("").decide({"principal": "nonsense", "action": "nonsense", "resource": "nonsense"}, Entities.from_json_str("[]"))
    assert isinstance(decision, Deny)
    assert decision.policies == ()
    assert decision.reason.startswith("the policies could not be evaluated: `")


def test_the_readers_of_a_place_are_those_who_read_it_or_what_is_above_or_below() -> None:
    asked = made(
        "when { context.input.a == 1 }",
        "when { context.input.a.b == 1 }",
        "when { context.input == {} }",
        "when { context.input has a }",
        "when { context.input.c == 1 }",
        "when { context.time.hour == 1 }",
        "when { [context].isEmpty() }",
        "",
    )
    assert asked.readers(("input", "a")) == ("p0", "p1", "p2", "p3", "p6")
    assert asked.readers(("input", "a", "*")) == ("p0", "p2", "p3", "p6")
    assert asked.readers(("network",)) == ("p6",)


def test_a_memory_forgets_the_oldest_when_it_is_full() -> None:
    memory: Memo[int, str] = Memo(2)
    for number in (1, 2, 3):
        assert memory.put(number, str(number)) == str(number)
    assert [memory.get(number) for number in (1, 2, 3)] == [None, "2", "3"]
