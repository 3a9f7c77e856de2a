"""Agents and keys, as they stand and as they are written."""

import anyio
import pytest

from doorward.domain.actors import Agent, AuthnMethod
from doorward.domain.errors import StoreError
from doorward.domain.ids import AgentId, KeyId, TeamId
from doorward.identity.changes import MOST_IDENTITIES
from doorward.identity.identities import Identity, IdentityKind, client
from doorward.identity.records import AGENT_METHODS, AgentRecord, Edit, Terms, Why
from doorward.identity.registry import MOST_LIVE_KEYS, NEVER, Change, Registry, RegistryError, State
from tests.identity.stores import Draws, Memory
from tests.made import Clock

pytestmark = pytest.mark.anyio

CLAUDE = Agent(AgentId("claude"), "ada", TeamId("support"), "client")
DAY = 86_400.0
BOT = client("corp", "bot")
OTHER = Agent(AgentId("other"), "ada", TeamId("ops"), "client")
KEY, TOKEN, CERTIFICATE = AuthnMethod.AGENT_KEY, AuthnMethod.ACCESS_TOKEN, AuthnMethod.CERTIFICATE


async def registered(store: Memory, clock: Clock) -> tuple[Registry, str, KeyId]:
    registry = Registry(store, Draws(), clock)
    await registry.load()
    text, key = await registry.add(CLAUDE, NEVER, DAY)
    return registry, text, key.id


async def test_an_added_agent_is_there_after_a_restart_and_its_secret_is_not() -> None:
    store, clock = Memory(), Clock()
    registry, text, key = await registered(store, clock)
    again = Registry(store, Draws(), clock)
    await again.load()
    assert again.agents() == registry.agents()
    assert again.key(key) == registry.key(key)
    assert text.split("_")[2] not in repr(store.__dict__)


async def test_a_name_is_given_out_once_even_after_revocation() -> None:
    registry, _, _ = await registered(Memory(), Clock())
    await registry.revoke(CLAUDE.id)
    with pytest.raises(RegistryError):
        await registry.add(CLAUDE, NEVER, DAY)


async def test_revoked_is_for_good() -> None:
    registry, _, _ = await registered(Memory(), Clock())
    await registry.revoke(CLAUDE.id)
    with pytest.raises(RegistryError):
        await registry.resume(CLAUDE.id)
    with pytest.raises(RegistryError):
        await registry.suspend(CLAUDE.id)
    with pytest.raises(RegistryError):
        await registry.rotate(CLAUDE.id, DAY, 0)


async def test_a_suspended_agent_comes_back_when_resumed() -> None:
    store = Memory()
    registry, _, _ = await registered(store, Clock())
    await registry.suspend(CLAUDE.id)
    assert store.agents[CLAUDE.id].state is State.SUSPENDED
    await registry.resume(CLAUDE.id)
    assert store.agents[CLAUDE.id].state is State.ACTIVE


async def test_rotation_leaves_the_old_key_its_overlap_and_no_more() -> None:
    store, clock = Memory(), Clock()
    registry, _, old = await registered(store, clock)
    _, new = await registry.rotate(CLAUDE.id, DAY, overlap_seconds=60)
    assert {key.id: key.expires_at for key in registry.keys(CLAUDE.id)} == {old: clock.at + 60, new.id: clock.at + DAY}
    assert store.keys[old].expires_at == clock.at + 60


async def test_rotation_never_lengthens_an_old_key() -> None:
    clock = Clock()
    registry, _, old = await registered(Memory(), clock)
    await registry.rotate(CLAUDE.id, DAY, overlap_seconds=10 * DAY)
    found = registry.key(old)
    assert found is not None
    assert found.expires_at == clock.at + DAY


async def test_live_keys_of_one_agent_are_bounded() -> None:
    registry, _, _ = await registered(Memory(), Clock())
    for _ in range(MOST_LIVE_KEYS - 1):
        await registry.rotate(CLAUDE.id, DAY, DAY)
    with pytest.raises(RegistryError):
        await registry.rotate(CLAUDE.id, DAY, DAY)


@pytest.mark.parametrize("ttl", [0, -1, float("nan")])
async def test_a_key_that_has_ended_already_is_not_issued(ttl: float) -> None:
    registry = Registry(Memory(), Draws(), Clock())
    with pytest.raises(RegistryError):
        await registry.add(CLAUDE, NEVER, ttl)
    assert registry.agents() == ()


async def test_what_nobody_knows_cannot_be_changed() -> None:
    registry = Registry(Memory(), Draws(), Clock())
    for change in (registry.suspend, registry.resume, registry.revoke):
        with pytest.raises(RegistryError):
            await change(AgentId("nobody"))
    with pytest.raises(RegistryError):
        await registry.revoke_key(KeyId("nothing"))


async def test_a_revocation_holds_although_the_store_fails_and_says_so() -> None:
    store = Memory()
    registry, _, key = await registered(store, Clock())
    store.fails = True
    with pytest.raises(StoreError):
        await registry.revoke_key(key)
    found = registry.key(key)
    assert found is not None
    assert found.revoked_at is not None


async def test_an_agent_that_could_not_be_written_is_not_known() -> None:
    store = Memory()
    registry = Registry(store, Draws(), Clock())
    store.fails = True
    with pytest.raises(StoreError):
        await registry.add(CLAUDE, NEVER, DAY)
    assert registry.agent(CLAUDE.id) is None


async def test_a_revocation_that_overtakes_a_resumption_wins_in_memory_and_in_the_store() -> None:
    store = Memory()
    registry, _, _ = await registered(store, Clock())
    await registry.suspend(CLAUDE.id)
    store.gate = anyio.Event()
    lost: list[RegistryError] = []

    async def resume() -> None:
        try:
            await registry.resume(CLAUDE.id)
        except RegistryError as error:
            lost.append(error)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(resume)
        await store.waiting.wait()
        tasks.start_soon(registry.revoke, CLAUDE.id)
        await anyio.lowlevel.checkpoint()
        store.gate.set()
    found = registry.agent(CLAUDE.id)
    assert found is not None
    assert (found.state, store.agents[CLAUDE.id].state, len(lost)) == (State.REVOKED, State.REVOKED, 1)


async def test_followers_hear_of_a_revocation_before_it_is_written() -> None:
    store = Memory()
    registry, _, key = await registered(store, Clock())
    heard: list[Change] = []
    registry.follow(heard.append)
    store.fails = True
    with pytest.raises(StoreError):
        await registry.revoke_key(key)
    assert heard == [Change(CLAUDE.id, key, is_narrower=True)]


async def test_last_seen_reaches_the_store_in_its_own_time() -> None:
    store, clock = Memory(), Clock()
    registry, _, _ = await registered(store, clock)
    registry.seen(CLAUDE.id, 7.0)
    registry.seen(AgentId("nobody"), 7.0)
    store.fails = True
    with pytest.raises(StoreError):
        await registry.flush()
    store.fails = False
    await registry.flush()
    await registry.flush()
    found = registry.agent(CLAUDE.id)
    assert found is not None
    assert (store.touched, found.seen_at) == ({CLAUDE.id: 7.0}, 7.0)


async def test_a_change_of_state_does_not_forget_when_the_agent_was_seen() -> None:
    store = Memory()
    registry, _, _ = await registered(store, Clock())
    registry.seen(CLAUDE.id, 7.0)
    await registry.suspend(CLAUDE.id)
    assert store.agents[CLAUDE.id].seen_at == 7.0


async def both(store: Memory) -> Registry:
    """Two agents of ada's: claude, and one that has no key and is known by `client:corp:bot`."""
    registry, _, _ = await registered(store, Clock())
    await registry.enter(OTHER, NEVER, Terms("Reads.", frozenset({TOKEN}), (BOT,), "operator ada"))
    return registry


def stands(registry: Registry, agent: Agent = CLAUDE) -> AgentRecord:
    found = registry.agent(agent.id)
    assert found is not None
    return found


async def test_an_agent_without_a_key_is_known_by_its_identity_after_a_restart_too() -> None:
    store = Memory()
    registry = await both(store)
    again = Registry(store, Draws(), Clock())
    await again.load()
    for one in (registry, again):
        assert one.by_identity(BOT) == stands(one, OTHER)
        assert (one.keys(OTHER.id), one.enrolled("operator ada")) == ((), 1)


async def test_methods_are_all_three_unless_said_otherwise_and_never_none() -> None:
    registry, _, _ = await registered(Memory(), Clock())
    assert stands(registry).methods == AGENT_METHODS == {KEY, TOKEN, CERTIFICATE}
    for wrong in (frozenset[AuthnMethod](), frozenset({AuthnMethod.OWN}), frozenset({KEY, AuthnMethod.OWN})):
        with pytest.raises(RegistryError):
            await registry.enter(OTHER, NEVER, Terms(methods=wrong))
        with pytest.raises(RegistryError):
            await registry.edit(CLAUDE.id, Edit(methods=wrong))


async def test_an_agent_that_may_not_prove_itself_by_keys_gets_none() -> None:
    registry = await both(Memory())
    with pytest.raises(RegistryError):
        await registry.rotate(OTHER.id, DAY, 0)
    with pytest.raises(RegistryError):
        await registry.add(Agent(AgentId("third"), "ada", TeamId("t"), "client"), NEVER, DAY, Terms(methods=frozenset({CERTIFICATE})))
    assert registry.agent(AgentId("third")) is None


async def test_an_identity_belongs_to_one_agent_at_most() -> None:
    registry = await both(Memory())
    with pytest.raises(RegistryError):
        await registry.bind(CLAUDE.id, BOT)
    with pytest.raises(RegistryError):
        await registry.enter(Agent(AgentId("third"), "ada", TeamId("t"), "client"), NEVER, Terms(identities=(BOT,)))
    await registry.bind(OTHER.id, BOT)
    await registry.unbind(BOT)
    with pytest.raises(RegistryError):
        await registry.unbind(BOT)
    await registry.bind(CLAUDE.id, BOT)
    assert registry.by_identity(BOT) == stands(registry)
    assert stands(registry, OTHER).identities == ()


async def test_a_revoked_agent_keeps_its_identities_until_an_operator_takes_them() -> None:
    registry = await both(Memory())
    await registry.revoke(OTHER.id)
    assert registry.by_identity(BOT) == stands(registry, OTHER)
    for change in (registry.bind(OTHER.id, client("corp", "new")), registry.bind(CLAUDE.id, BOT)):
        with pytest.raises(RegistryError):
            await change
    await registry.unbind(BOT)
    await registry.bind(CLAUDE.id, BOT)


async def test_identities_of_one_agent_are_bounded_and_well_formed() -> None:
    registry, _, _ = await registered(Memory(), Clock())
    for number in range(MOST_IDENTITIES):
        await registry.bind(CLAUDE.id, client("corp", str(number)))
    for wrong in (client("corp", "one more"), Identity(IdentityKind.DNS, "", "*.example.org")):
        with pytest.raises(RegistryError):
            await registry.bind(CLAUDE.id, wrong)
    assert len(stands(registry).identities) == MOST_IDENTITIES


async def test_an_identity_that_could_not_be_written_is_not_bound_and_one_that_was_taken_stays_taken() -> None:
    store = Memory()
    registry = await both(store)
    store.fails = True
    with pytest.raises(StoreError):
        await registry.bind(CLAUDE.id, client("corp", "new"))
    with pytest.raises(StoreError):
        await registry.unbind(BOT)
    assert (registry.by_identity(client("corp", "new")), registry.by_identity(BOT)) == (None, None)


async def test_taking_an_identity_cuts_off_what_its_agent_is_doing() -> None:
    registry = await both(Memory())
    heard: list[Change] = []
    registry.follow(heard.append)
    await registry.bind(OTHER.id, client("corp", "new"))
    await registry.unbind(BOT)
    assert heard == [Change(OTHER.id, None, is_narrower=False), Change(OTHER.id, None, is_narrower=True)]


async def test_an_edit_changes_what_it_names_and_leaves_the_rest() -> None:
    registry = await both(Memory())
    before = stands(registry, OTHER)
    await registry.edit(OTHER.id, Edit(owner="ben", methods=frozenset({TOKEN, CERTIFICATE})))
    after = stands(registry, OTHER)
    assert (after.agent.owner, after.methods) == ("ben", frozenset({TOKEN, CERTIFICATE}))
    assert (after.purpose, after.identities, after.expires_at, after.agent.team) == ("Reads.", before.identities, NEVER, "ops")


async def test_what_an_edit_takes_away_holds_although_the_store_fails_and_what_it_gives_does_not() -> None:
    store = Memory()
    registry = await both(store)
    store.fails = True
    with pytest.raises(StoreError):
        await registry.edit(CLAUDE.id, Edit(purpose="Other.", methods=frozenset({KEY, AuthnMethod.ANONYMOUS}), expires_at=2_000_000.0))
    after = stands(registry)
    assert (after.methods, after.expires_at, after.purpose) == (frozenset({KEY}), 2_000_000.0, "")


@pytest.mark.parametrize(
    "edit", [Edit(owner=" "), Edit(owner="a" * 257), Edit(purpose="a\nb"), Edit(purpose="a" * 257), Edit(expires_at=1.0)]
)
async def test_an_edit_that_says_what_cannot_be_changes_nothing(edit: Edit) -> None:
    registry = await both(Memory())
    before = registry.agents()
    with pytest.raises(RegistryError):
        await registry.edit(OTHER.id, edit)
    assert registry.agents() == before


async def test_agents_of_an_owner_who_left_stay_out_until_somebody_answers_for_them() -> None:
    store = Memory()
    registry = await both(store)
    await registry.edit(OTHER.id, Edit(owner="ben"))
    await registry.owner_left("ada")
    assert [(record.state, record.why) for record in registry.agents()] == [(State.SUSPENDED, Why.OWNER_LEFT), (State.ACTIVE, Why.ORDERED)]
    assert store.agents[CLAUDE.id].why is Why.OWNER_LEFT
    assert (registry.has_left("ada"), registry.has_left("ben")) == (True, False)
    await registry.suspend(CLAUDE.id)
    with pytest.raises(RegistryError):
        await registry.resume(CLAUDE.id)
    await registry.edit(CLAUDE.id, Edit(purpose="Other."))
    with pytest.raises(RegistryError):
        await registry.resume(CLAUDE.id)
    await registry.edit(CLAUDE.id, Edit(owner="ben"))
    assert stands(registry).state is State.SUSPENDED
    await registry.resume(CLAUDE.id)
    assert (stands(registry).state, registry.has_left("ada")) == (State.ACTIVE, False)


async def test_an_owner_who_left_takes_suspended_agents_along_and_leaves_revoked_ones() -> None:
    registry = await both(Memory())
    await registry.suspend(CLAUDE.id)
    await registry.revoke(OTHER.id)
    await registry.owner_left("ada")
    assert [(record.state, record.why) for record in registry.agents()] == [(State.SUSPENDED, Why.OWNER_LEFT), (State.REVOKED, Why.ORDERED)]


async def test_an_owner_has_left_although_the_store_fails() -> None:
    store = Memory()
    registry = await both(store)
    store.fails = True
    with pytest.raises(StoreError):
        await registry.owner_left("ada")
    assert {record.state for record in registry.agents()} == {State.SUSPENDED}


async def test_seen_is_kept_to_the_minute_however_often_it_is_told() -> None:
    store, clock = Memory(), Clock()
    registry, _, _ = await registered(store, clock)
    seen = []
    for seconds in (0, 30, 59, 60, 61):
        registry.seen(CLAUDE.id, 1_000_000.0 + seconds)
        seen.append(stands(registry).seen_at)
    assert seen == [1_000_000.0] * 3 + [1_000_060.0] * 2
