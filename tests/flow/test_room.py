"""Contexts are bounded, and what had to make room is not clean for that."""

from dataclasses import replace

import pytest

from doorward.domain.flow import UNMOVED, Confidentiality, Integrity, Label
from doorward.flow import room as rooms
from doorward.flow.rules import UNLABELLED
from tests.flow.bench import HOUR, Bench, document, finding, text
from tests.made import principal

PUBLIC = document(
    mail={}, public={"labels": {"integrity": "trusted", "confidentiality": "public"}}, git={"labels": {"integrity": "trusted"}}
)


def _bench(most: int = 3) -> Bench:
    return Bench(PUBLIC, most=most)


def test_without_room_the_longest_quiet_clean_one_goes_first() -> None:
    bench = _bench()
    for upstream, key in (("mail", "dirty"), ("public", "older"), ("public", "newer"), ("public", "last")):
        bench.clock.at += 1
        bench.forwarded(bench.call(upstream, key))
    calls = {key: bench.contexts.flow(bench.call(by=key)).calls for key in ("dirty", "older", "newer", "last")}
    assert calls == {"dirty": 1, "older": 0, "newer": 1, "last": 1}


@pytest.mark.anyio
async def test_what_a_dirty_one_held_is_in_every_new_context_of_its_agent_and_in_no_other() -> None:
    bench = _bench(1)
    made = bench.call("mail", "first")
    bench.forwarded(made)
    bench.answered(made, text("mallory@evil.example"), finding("pii", "card"))
    bench.clock.at += 60
    bench.forwarded(bench.call("public", principal("robin", key="other")))
    assert bench.contexts.flow(bench.call(by=principal("robin", key="other"))).label == Label()
    held = Label(Integrity.UNTRUSTED, Confidentiality.RESTRICTED, frozenset({"personal"}))
    for key in ("first", "second"):
        flow = bench.contexts.flow(bench.call(by=key))
        assert (flow.label, flow.findings, flow.calls) == (held, frozenset({"pii/card"}), 0)
        assert bench.sources(key, to="ada@corp.example") == {"/to": ""}
    await bench.restarted()
    assert bench.contexts.flow(bench.call(by="second")).label == held
    bench.forwarded(bench.call("public", "third"))
    assert bench.contexts.flow(bench.call(by="third")).label == held
    assert bench.contexts.flow(bench.call(by=principal("robin", key="more"))) is UNMOVED


def test_what_is_left_of_others_is_forgotten_when_they_would_have_been() -> None:
    bench = _bench(1)
    bench.forwarded(bench.call("mail", "first"))
    bench.clock.at += 7 * HOUR
    bench.forwarded(bench.call("public", principal("robin", key="other")))
    assert bench.contexts.flow(bench.call(by="second")).label == UNLABELLED
    bench.clock.at += 1 * HOUR + 1
    assert bench.contexts.flow(bench.call(by="second")) is UNMOVED
    bench.forwarded(bench.call("public", "second"))
    assert bench.contexts.flow(bench.call(by="second")).label == Label()


@pytest.mark.anyio
async def test_a_context_that_made_room_is_told_to_the_store_until_it_knows() -> None:
    bench = _bench(1)
    bench.forwarded(bench.call("mail", "first"))
    lost, kept = bench.call("git", "second"), bench.call("git", "second")
    bench.contexts.rise(lost)
    rise = bench.contexts.rise(kept)
    assert rise is not None
    bench.store.write((rise,))
    bench.contexts.rose(rise)
    assert bench.forwarded(bench.call("git", "second"))[1:] == ((), ())
    await bench.restarted()
    assert [one.instance for one in bench.contexts.room.every()] == ["", "key:second"]
    assert bench.contexts.flow(bench.call(by="third")).label == UNLABELLED


def test_where_all_together_remember_too_much_the_one_that_remembers_most_of_the_agent_that_does_is_blind() -> None:
    bench = Bench(most=1_000)
    addresses = [f"user{number}@corp.example" for number in range(19_900)]
    bench.read("mail", text("quiet@corp.example"), by="quiet")
    noisy = [principal("robin", key=f"noisy{number}") for number in range(rooms.MOST_IN_ALL // len(addresses) + 1)]
    room = bench.contexts.room
    names = frozenset(range(len(addresses)))
    for one in noisy:
        context = room.opened(bench.call(by=one), bench.clock())
        room.remember(context, names, "mail")
    blind = [context.agent for context in room.every() if context.index is None]
    assert blind == ["robin"]
    assert bench.sources("quiet", to="quiet@corp.example", cc="ada@corp.example") == {"/to": "mail"}


@pytest.mark.anyio
async def test_two_rows_of_one_instance_are_one_context_that_holds_what_both_did() -> None:
    bench = Bench()
    rise = bench.forwarded(bench.call("git"))
    (held,) = rise.held
    secret = Label(Integrity.TRUSTED, Confidentiality.RESTRICTED, frozenset({"secret"}))
    late = replace(held, context=9, label=secret)
    bench.store.write((rise._replace(counts=rise.counts._replace(context=9), held=(late,)),))
    await bench.restarted()
    (context,) = bench.contexts.room.every()
    assert (context.number, context.label) == (9, secret)
    bench.forwarded(bench.call("git"))
    assert [one.context for one, _ in await bench.store.load()] == [9]
