"""The stop switch: what stands still, for whom, and across a restart."""

from dataclasses import replace

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.admission import stops
from doorward.admission.stops import EVERYTHING, MOST_CUTS, Effect, Matter, MatterKind, Stop, StopError, Switch
from doorward.domain.actors import ALL_SCOPES, AuthnMethod, Proof
from doorward.domain.calls import Call
from doorward.domain.catalog import Kind
from doorward.domain.errors import StoreError
from doorward.domain.ids import AgentId, KeyId, SessionId, UpstreamId
from doorward.domain.reasons import Reason, Refused
from tests.admission.stores import Memory
from tests.admission.test_matters import TOKEN
from tests.made import Clock, call, principal, target

pytestmark = pytest.mark.anyio

CALL = call(by=principal("claude", key="key1"), to=target("git", "commit"))
TOUCHED = [
    EVERYTHING,
    stops.agent(AgentId("claude")),
    stops.key(KeyId("key1")),
    stops.upstream(UpstreamId("git")),
    stops.tool(UpstreamId("git"), "commit"),
]
UNTOUCHED = [
    stops.agent(AgentId("other")),
    stops.key(KeyId("key2")),
    stops.upstream(UpstreamId("gi")),
    stops.tool(UpstreamId("git"), "commi"),
    stops.tool(UpstreamId("other"), "commit"),
]


async def loaded(store: Memory | None = None) -> Switch:
    switch = Switch(store or Memory(), Clock(50.0))
    await switch.load()
    return switch


def refused(switch: Switch, what: Call = CALL) -> Reason | None:
    try:
        switch.check(what)
    except Refused as refusal:
        return refusal.reason
    return None


def refused_still(switch: Switch, epoch: int, what: Call = CALL) -> Reason | None:
    try:
        switch.still(what, epoch)
    except Refused as refusal:
        return refusal.reason
    return None


@pytest.mark.parametrize("matter", TOUCHED, ids=str)
async def test_a_stop_takes_effect_on_the_next_call_and_on_those_in_flight(matter: Matter) -> None:
    switch = await loaded()
    before = switch.epoch
    assert refused(switch) is None
    await switch.stop(matter, "leak", "ada")
    assert (refused(switch), refused_still(switch, before)) == (Reason.STOPPED, Reason.REVOKED_MEANWHILE)


@pytest.mark.parametrize("matter", UNTOUCHED, ids=str)
async def test_a_stop_of_something_else_changes_nothing(matter: Matter) -> None:
    switch = await loaded()
    before = switch.epoch
    await switch.stop(matter, "leak", "ada")
    assert (refused(switch), refused_still(switch, before)) == (None, None)


async def test_a_resumed_matter_takes_new_calls_but_not_the_old_ones() -> None:
    switch = await loaded()
    before = switch.epoch
    await switch.stop(EVERYTHING, "leak", "ada")
    await switch.resume(EVERYTHING)
    assert (refused(switch), refused_still(switch, before), refused_still(switch, switch.epoch)) == (None, Reason.REVOKED_MEANWHILE, None)


async def test_stops_and_revocations_survive_a_restart() -> None:
    store = Memory()
    switch = await loaded(store)
    stop = await switch.stop(stops.upstream(UpstreamId("git")), "leak", "ada")
    gone = await switch.revoke(stops.agent(AgentId("claude")), "left", "bob")
    again = await loaded(store)
    assert again.standing() == (stop, gone)
    assert (stop.since, stop.by, stop.reason) == (50.0, "ada", "leak")
    assert refused(again) is Reason.REVOKED
    assert again.epoch > gone.epoch


async def test_until_the_stops_are_read_everything_is_stopped() -> None:
    store = Memory()
    store.fails = True
    switch = Switch(store, Clock())
    with pytest.raises(StoreError):
        await switch.load()
    assert refused(switch) is Reason.STOPPED
    store.fails = False
    await switch.load()
    assert refused(switch) is None


@pytest.mark.parametrize(
    ("matter", "reason"),
    [
        (stops.agent(AgentId("claude")), Reason.REVOKED),
        (stops.key(KeyId("key1")), Reason.REVOKED),
        (stops.upstream(UpstreamId("git")), Reason.STOPPED),
        (stops.tool(UpstreamId("git"), "commit"), Reason.STOPPED),
    ],
)
async def test_a_revoked_credential_is_as_good_as_none_and_a_revoked_target_is_stopped(matter: Matter, reason: Reason) -> None:
    switch = await loaded()
    await switch.revoke(matter, "left", "ada")
    assert refused(switch) is reason


async def test_the_revocation_of_an_agent_or_key_is_for_good() -> None:
    switch = await loaded()
    for matter in (stops.agent(AgentId("claude")), stops.key(KeyId("key1"))):
        await switch.revoke(matter, "left", "ada")
        with pytest.raises(StopError):
            await switch.restore(matter)


async def test_the_revocation_of_an_upstream_can_be_lifted_and_its_stop_stays() -> None:
    switch, matter = await loaded(), stops.upstream(UpstreamId("git"))
    await switch.stop(matter, "leak", "ada")
    await switch.revoke(matter, "gone", "ada")
    await switch.restore(matter)
    assert refused(switch) is Reason.STOPPED
    await switch.resume(matter)
    assert refused(switch) is None


async def test_what_does_not_stand_still_cannot_be_lifted_and_everything_cannot_be_revoked() -> None:
    switch = await loaded()
    with pytest.raises(StopError):
        await switch.resume(EVERYTHING)
    with pytest.raises(StopError):
        await switch.restore(stops.upstream(UpstreamId("git")))
    with pytest.raises(StopError):
        await switch.revoke(EVERYTHING, "x", "ada")


async def test_a_stop_holds_although_the_store_fails_and_says_so() -> None:
    store = Memory()
    switch = await loaded(store)
    store.fails = True
    with pytest.raises(StoreError):
        await switch.stop(EVERYTHING, "leak", "ada")
    assert refused(switch) is Reason.STOPPED
    with pytest.raises(StoreError):
        await switch.resume(EVERYTHING)
    assert refused(switch) is Reason.STOPPED


async def test_a_stop_is_in_force_while_it_is_being_written() -> None:
    store = Memory()
    switch = await loaded(store)
    store.gate = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(switch.stop, EVERYTHING, "leak", "ada")
        await store.waiting.wait()
        assert refused(switch) is Reason.STOPPED
        store.gate.set()


async def test_a_stop_that_overtakes_a_resumption_stands_in_memory_and_in_the_store() -> None:
    store = Memory()
    switch = await loaded(store)
    await switch.stop(EVERYTHING, "first", "ada")
    store.gate = anyio.Event()
    lost: list[StopError] = []

    async def resume() -> None:
        try:
            await switch.resume(EVERYTHING)
        except StopError as error:
            lost.append(error)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(resume)
        await store.waiting.wait()
        tasks.start_soon(switch.stop, EVERYTHING, "second", "bob")
        await anyio.lowlevel.checkpoint()
        store.gate.set()
    (stands,) = switch.standing()
    assert (stands.reason, store.stops[EVERYTHING, Effect.STOPPED], len(lost)) == ("second", stands, 1)


async def test_followers_hear_what_and_why_before_it_is_written() -> None:
    store = Memory()
    switch = await loaded(store)
    heard: list[tuple[Matter, str]] = []
    switch.on_change(lambda matter, why: heard.append((matter, why)))
    store.fails = True
    with pytest.raises(StoreError):
        await switch.stop(stops.agent(AgentId("claude")), "leak", "ada")
    assert heard == [(stops.agent(AgentId("claude")), "agent 'claude' was stopped by ada: leak")]


async def test_a_cut_voids_what_was_admitted_and_nothing_after_it() -> None:
    switch = await loaded()
    before = switch.epoch
    switch.cut(stops.agent(AgentId("claude")), "suspended")
    other = call(by=principal("other"))
    assert (refused_still(switch, before), refused(switch), refused_still(switch, switch.epoch)) == (Reason.REVOKED_MEANWHILE, None, None)
    assert refused_still(switch, before, other) is None


async def test_cuts_that_are_remembered_are_bounded_and_none_is_forgotten() -> None:
    switch = await loaded()
    before = switch.epoch
    switch.cut(stops.agent(AgentId("claude")), "suspended")
    for number in range(MOST_CUTS + 1):
        switch.cut(stops.agent(AgentId(f"a{number}")), "suspended")
    assert len(switch._cuts) <= MOST_CUTS
    assert refused_still(switch, before) is Reason.REVOKED_MEANWHILE


async def test_the_agent_is_told_what_to_do_and_not_by_whom_or_why() -> None:
    switch = await loaded()
    await switch.stop(stops.tool(UpstreamId("git"), "commit"), "incident 7 at ACME", "ada")
    with pytest.raises(Refused) as caught:
        switch.check(CALL)
    assert caught.value.public == "An operator has stopped this tool. Do not call it again until you are told; others are not affected."
    assert caught.value.detail == "tool 'git/commit' was stopped by ada: incident 7 at ACME"


def test_a_call_is_caught_by_exactly_what_it_touches() -> None:
    assert list(stops.matters(CALL)) == TOUCHED


def test_a_caller_without_a_key_is_not_caught_by_a_key_and_a_prompt_not_by_a_tool() -> None:
    anonymous = call(by=principal("tour", method=AuthnMethod.ANONYMOUS, key="key1"), to=target("git", "commit", Kind.PROMPT))
    assert list(stops.matters(anonymous)) == [EVERYTHING, stops.agent(AgentId("tour")), stops.upstream(UpstreamId("git"))]


@pytest.mark.parametrize(
    ("text", "matter"),
    [
        ("all", EVERYTHING),
        ("agent:claude", Matter(MatterKind.AGENT, "claude")),
        ("key:abc", Matter(MatterKind.KEY, "abc")),
        ("upstream:git", Matter(MatterKind.UPSTREAM, "git")),
        ("tool:git/a/b:c", Matter(MatterKind.TOOL, "git/a/b:c")),
    ],
)
def test_what_an_operator_writes_is_read(text: str, matter: Matter) -> None:
    assert stops.parse(text) == matter


@pytest.mark.parametrize("text", ["", "agent", "agent:", "all:x", "tool:git", "tool:/x", "tool:git/", "team:x", "ALL", "Agent:x"])
def test_what_is_no_matter_is_refused(text: str) -> None:
    with pytest.raises(StopError):
        stops.parse(text)


@given(st.sets(st.sampled_from([*TOUCHED, *UNTOUCHED])), st.sampled_from(list(Effect)))
def test_a_call_is_refused_exactly_if_something_it_touches_stands_still(standing: set[Matter], effect: Effect) -> None:
    store = Memory(*(Stop(matter, effect, "r", "b", 1.0, 1) for matter in standing))

    async def run() -> Reason | None:
        return refused(await loaded(store))

    assert (anyio.run(run) is not None) == bool(standing & set(TOUCHED))


async def test_whether_anything_is_kept_out_follows_each_change_at_once() -> None:
    switch = Switch(Memory(), Clock(50.0))
    seen = [switch.bars]
    await switch.load()
    seen.append(switch.bars)
    await switch.stop(EVERYTHING, "leak", "ada")
    seen.append(switch.bars)
    await switch.resume(EVERYTHING)
    seen.append(switch.bars)
    await switch.revoke(stops.upstream(UpstreamId("git")), "gone", "ada")
    seen.append(switch.bars)
    await switch.restore(stops.upstream(UpstreamId("git")))
    seen.append(switch.bars)
    switch.bar(stops.family("fam1"), "given_back", 100.0)
    seen.append(switch.bars)
    assert seen == [True, False, True, False, True, False, True]


async def test_what_is_stopped_before_the_stops_are_read_is_kept_out_then_and_later() -> None:
    switch = Switch(Memory(), Clock(50.0))
    await switch.stop(EVERYTHING, "leak", "ada")
    assert refused(switch) is Reason.STOPPED
    await switch.load()
    assert (switch.bars, refused(switch)) == (True, Reason.STOPPED)


async def test_what_is_barred_is_withdrawn_until_then_in_flight_too_and_written_nowhere() -> None:
    clock, store = Clock(50.0), Memory()
    switch = Switch(store, clock)
    await switch.load()
    before = switch.epoch
    heard: list[Matter] = []
    switch.on_change(lambda matter, why: heard.append(matter))
    family = stops.family("fam1")
    switch.bar(family, "given_back", 100.0)
    bearer = call(by=replace(principal("claude", method=AuthnMethod.ACCESS_TOKEN), proof=Proof(ALL_SCOPES, "self", family="fam1")))
    other = call(by=replace(bearer.principal, proof=Proof(ALL_SCOPES, "self", family="fam2")))
    assert (refused(switch, bearer), refused_still(switch, before, bearer)) == (Reason.REVOKED, Reason.REVOKED_MEANWHILE)
    assert (refused(switch, other), refused_still(switch, before, other), refused(switch)) == (None, None, None)
    with pytest.raises(Refused) as caught:
        switch.known(bearer.principal)
    assert (caught.value.reason, caught.value.detail) == (Reason.REVOKED, "family 'fam1' has ended: given_back")
    assert (heard, switch.standing(), store.stops) == ([family], (), {})
    clock.at = 100.0
    assert refused(switch, bearer) is None
    switch.bar(stops.family("fam3"), "expired", 200.0)
    assert len(switch._barred) == 1


async def test_who_is_withdrawn_is_known_to_be_and_who_is_stopped_is_not() -> None:
    switch = await loaded()
    who = principal("claude", key="key1")
    await switch.stop(stops.agent(AgentId("claude")), "a look", "ada")
    switch.known(who)
    await switch.revoke(stops.key(KeyId("key1")), "lost", "ada")
    with pytest.raises(Refused) as caught:
        switch.known(who)
    assert caught.value.reason is Reason.REVOKED
    switch.known(principal("other", key="key2"))


async def test_until_the_stops_are_read_nobody_is_known() -> None:
    with pytest.raises(Refused) as caught:
        Switch(Memory(), Clock()).known(principal())
    assert caught.value.reason is Reason.STOPPED


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (MatterKind.USER, Reason.REVOKED),
        (MatterKind.CLIENT, Reason.REVOKED),
        (MatterKind.ISSUER, Reason.REVOKED),
        (MatterKind.FAMILY, Reason.REVOKED),
        (MatterKind.CERTIFICATE, Reason.REVOKED),
        (MatterKind.AGENT, Reason.REVOKED),
        (MatterKind.SESSION, Reason.UNKNOWN_SESSION),
        (MatterKind.TOOL, Reason.STOPPED),
        (MatterKind.UPSTREAM, Reason.STOPPED),
    ],
)
async def test_what_a_client_is_told_of_a_withdrawal_says_what_it_can_do(kind: MatterKind, reason: Reason) -> None:
    made = replace(call(by=TOKEN), session=SessionId("s1"))
    switch = await loaded()
    (matter, *_) = [matter for matter in stops.matters(made) if matter.kind is kind]
    await switch.revoke(matter, "why", "ada")
    assert refused(switch, made) is reason


async def test_of_what_is_stopped_and_revoked_the_revocation_counts() -> None:
    switch, matter = await loaded(), stops.upstream(UpstreamId("git"))
    assert switch.effect(matter) is None
    await switch.stop(matter, "a look", "ada")
    assert switch.effect(matter) is Effect.STOPPED
    await switch.revoke(matter, "gone", "ada")
    assert (switch.effect(matter), switch.effect(stops.upstream(UpstreamId("hg")))) == (Effect.REVOKED, None)
