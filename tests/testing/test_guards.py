"""The bench that guards are held to, and the guards that stand in for others."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pytest

from doorward.domain.findings import Finding, Part, Severity
from doorward.inspection.guards.unicode import Unicode
from doorward.inspection.port import Found, Message
from doorward.inspection.view import Carrier, View
from doorward.testing.guards import Bench, Faulty, GuardError, OfOthers, Spotter


@dataclass
class Odd:
    """A guard that does as it is told."""

    act: Callable[[View, int], tuple[Finding, ...]]
    looks: int = field(default=0)

    def look(self, view: View) -> tuple[Finding, ...]:
        self.looks += 1
        return self.act(view, self.looks)


def finding(pointer: str, start: int = 0, end: int = 0) -> Finding:
    return Finding("odd", "rule", Severity.LOW, pointer, start, end)


def test_a_guard_that_ships_keeps_its_word() -> None:
    bench = Bench(Unicode())
    assert bench.request({"a": "plain"}) == ()
    assert [one.pointer for one in bench.request({"a": "hid\u200bden"}, {"b": ["hid\u200bden"]})] == ["/arguments/a", "/extras/b/0"]
    assert [one.pointer for one in bench.response({"content": [{"text": "hid\u200bden"}]})] == ["/content/0/text"]
    assert [one.pointer for one in bench.notice({"data": "hid\u200bden"})] == ["/data"]


def changing(view: View, look: int) -> tuple[Finding, ...]:
    view.body["arguments"]["a"] = "other"  # type: ignore[index]
    return ()


BROKEN: list[tuple[str, Callable[[View, int], tuple[Finding, ...]], str]] = [
    ("changes the message", changing, "to stay as it was"),
    ("says something else the second time", lambda view, look: (finding(f"/arguments/{'ab'[look - 1]}"),), "the same findings"),
    ("points outside", lambda view, look: (finding("/method"),), "a part of the message"),
    ("points at nothing", lambda view, look: (finding("/arguments/none"),), "a part of the message"),
    ("points behind the text", lambda view, look: (finding("/arguments/a", 1, 99),), "a part of the message"),
]


@pytest.mark.parametrize(("act", "why"), [pytest.param(act, why, id=name) for name, act, why in BROKEN])
def test_a_guard_that_breaks_its_word_is_found_out(act: Callable[[View, int], tuple[Finding, ...]], why: str) -> None:
    with pytest.raises(GuardError, match=why):
        Bench(Odd(act)).request({"a": "text", "b": "text"})


def test_a_finding_about_the_whole_message_is_in_its_place() -> None:
    assert Bench(Odd(lambda view, look: (finding(""),))).request({"a": 1}) == (finding(""),)


def test_a_spotter_finds_its_word_in_values_and_keys_of_its_carriers() -> None:
    spotter = Spotter("key", Severity.MEDIUM, "mine", frozenset({Carrier.REQUEST}))
    found = Bench(spotter).request({"key": "a key"})
    assert set(found) == {
        Finding("mine", "word", Severity.MEDIUM, "/arguments/key", 0, 3, Part.KEY),
        Finding("mine", "word", Severity.MEDIUM, "/arguments/key", 2, 5, Part.VALUE),
    }
    assert Bench(spotter).response({"key": "a key"}) == ()


def test_a_faulty_guard_fails_as_it_is_told() -> None:
    with pytest.raises(KeyError):
        Bench(Faulty(KeyError("lost"))).request({})
    assert Bench(Faulty(KeyError("lost"), frozenset({Carrier.NOTICE}))).request({}) == ()


class Calm:
    """A guard of the public port, that says what it is told to."""

    def __init__(self, said: object) -> None:
        self.said = said

    def look(self, message: Message) -> Iterable[Found]:
        return self.said  # type: ignore[return-value] # what others write keeps to no type


@pytest.mark.anyio
async def test_a_guard_of_others_is_put_on_the_bench_and_believed_as_a_gateway_does() -> None:
    found = Found("word", Severity.LOW, "/arguments/a", 0, 1)
    assert Bench(OfOthers(Calm([found]))).request({"a": "text"}) == (Finding("bench", "word", Severity.LOW, "/arguments/a", 0, 1),)

    class Later:
        async def look(self, message: Message) -> Iterable[Found]:
            return [found] if any(text.text == "text" for text in message.texts) else ()

    assert Bench(OfOthers(Later(), "mine")).request({"a": "text"}) == (Finding("mine", "word", Severity.LOW, "/arguments/a", 0, 1),)
    with pytest.raises(GuardError, match="the pointer of a text"):
        Bench(OfOthers(Calm([Found("word", Severity.LOW, "/nowhere")]))).request({"a": "text"})
