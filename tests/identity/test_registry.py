"""Agents and keys, as they stand and as they are written."""

import anyio
import pytest

from doorward.domain.actors import Agent
from doorward.domain.errors import StoreError
from doorward.domain.ids import AgentId, KeyId, TeamId
from doorward.identity.registry import MOST_LIVE_KEYS, NEVER, Change, Registry, RegistryError, State
from tests.identity.stores import Draws, Memory
from tests.made import Clock

pytestmark = pytest.mark.anyio

CLAUDE = Agent(AgentId("claude"), "ada", TeamId("support"), "client")
DAY = 86_400.0


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
