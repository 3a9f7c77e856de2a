"""List changes: a listener hears of what changed in its own view, of nothing else, and misses nothing."""

import asyncio
import gc
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from doorward.call.changes import NOTICES, Changes, Listener
from doorward.domain.calls import Notice
from doorward.domain.ids import UpstreamId
from doorward.testing.house import Plan
from doorward.testing.playbook import playbook
from doorward.testing.upstream import tool
from tests import made
from tests.call.steps import GIT, PERMIT, policy

TOOLS, PROMPTS, RESOURCES = (Notice(f"notifications/{kind}/list_changed", {}) for kind in ("tools", "prompts", "resources"))
WHO = Listener(made.principal(), None)


async def heard(listening: AsyncIterator[Notice]) -> list[Notice]:
    """Everything that a listener hears before its stream ends."""
    return [notice async for notice in listening]


@pytest.mark.anyio
async def test_each_list_has_its_notice_and_templates_are_among_resources() -> None:
    changes, view = Changes(), {"tools/list": 1, "prompts/list": 1, "resources/list": 1, "resources/templates/list": 1}
    for method, notices in (
        ("tools/list", [TOOLS]),
        ("prompts/list", [PROMPTS]),
        ("resources/list", [RESOURCES]),
        ("resources/templates/list", [RESOURCES]),
    ):
        listening = changes.listen(WHO, view.copy)
        view[method] += 1
        changes.wake()
        assert [await anext(listening)] == notices
        await listening.aclose()  # type: ignore[attr-defined]


@pytest.mark.anyio
async def test_what_changes_before_the_first_wait_is_heard() -> None:
    changes, view = Changes(), {"tools/list": 1}
    listening = changes.listen(WHO, view.copy)
    view["tools/list"] = 2
    changes.wake()
    assert await anext(listening) == TOOLS


@pytest.mark.anyio
async def test_what_changes_while_a_notice_is_on_its_way_is_heard() -> None:
    changes, view = Changes(), {"tools/list": 1, "prompts/list": 1}
    listening = changes.listen(WHO, view.copy)
    view["tools/list"] = 2
    changes.wake()
    assert await anext(listening) == TOOLS
    # The listener writes the notice to its client; meanwhile there are two more generations.
    view["prompts/list"] = 2
    changes.wake()
    changes.wake()
    assert await anext(listening) == PROMPTS


METHODS = ("tools/list", "prompts/list")


@pytest.mark.anyio
@given(st.lists(st.lists(st.tuples(st.sampled_from(METHODS), st.integers(0, 1)), max_size=3), max_size=8))
async def test_whoever_fetches_at_each_notice_has_what_is_there(generations: list[list[tuple[str, int]]]) -> None:
    changes, view = Changes(), dict.fromkeys(METHODS, 0)
    known = view.copy()

    async def follow(listening: AsyncIterator[Notice]) -> None:
        async for notice in listening:
            method = next(method for method in METHODS if NOTICES[method] == notice.method)
            # To fetch takes a while.
            await asyncio.sleep(0)
            known[method] = view[method]

    following = asyncio.create_task(follow(changes.listen(WHO, view.copy)))
    for number, changed in enumerate(generations):
        view.update(changed)
        changes.wake()
        for _ in range(number % 3):
            await asyncio.sleep(0)
    for _ in range(10):
        await asyncio.sleep(0)
    assert known == view
    changes.close()
    await following


@pytest.mark.anyio
async def test_what_changes_and_changes_back_while_a_client_is_slow_is_heard() -> None:
    changes, view = Changes(), {"tools/list": 0, "prompts/list": 0}
    listening = changes.listen(WHO, view.copy)
    for value in (1, 0, 1):
        view["prompts/list"] = value
        changes.wake()
        assert await anext(listening) == PROMPTS
        # While that notice is on its way:
        for tools in (1, 0):
            view["tools/list"] = tools
            changes.wake()
            await asyncio.sleep(0)
        assert await anext(listening) == TOOLS


@pytest.mark.anyio
async def test_a_view_that_fails_keeps_no_other_from_looking() -> None:
    changes, view = Changes(), {"tools/list": 0}
    views = iter([{"tools/list": 0}])
    failing, listening = changes.listen(WHO, lambda: next(views)), changes.listen(WHO, view.copy)
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: failures.append(context["exception"]))
    view["tools/list"] = 1
    changes.wake()
    assert await anext(listening) == TOOLS
    assert [type(failure) for failure in failures] == [StopIteration]
    changes.close()
    assert await heard(failing) == []


@pytest.mark.anyio
async def test_a_stream_that_nobody_reads_is_no_listener() -> None:
    changes, looks = Changes(), []
    listening = changes.listen(WHO, lambda: looks.append(1) or {})  # type: ignore[func-returns-value]
    del listening
    gc.collect()
    changes.wake()
    await asyncio.sleep(0)
    assert looks == [1]


@pytest.mark.anyio
async def test_a_drain_ends_every_stream_and_each_that_begins_then() -> None:
    changes = Changes()
    before = changes.listen(WHO, dict)
    changes.close()
    assert (await heard(before), await heard(changes.listen(WHO, dict))) == ([], [])


ONLY_COMMIT = policy('permit (principal == Agent::"claude", action in [Action::"git/commit"], resource);', "commit") + policy(
    'permit (principal == Agent::"gpt", action, resource);', "gpt"
)


@pytest.mark.anyio
async def test_nobody_hears_of_what_is_hidden_from_them() -> None:
    async with playbook(Plan({"git": GIT}, policies=ONLY_COMMIT)) as book:
        dispatch = book.house.dispatch
        claude, gpt = dispatch.changes(await book.principal(), None), dispatch.changes(await book.principal("gpt"), None)
        book.house.upstream("git").sight = replace(GIT, tools=(*GIT.tools, tool("new")))
        await book.house.discovery.look(UpstreamId("git"))
        assert await anext(gpt) == TOOLS
        # For claude nothing changed: its stream ends without a word.
        book.house.parts.changes.close()
        assert await heard(claude) == []


@pytest.mark.anyio
async def test_a_listener_at_one_upstream_hears_nothing_of_others() -> None:
    async with playbook(Plan({"git": GIT, "hg": GIT}, policies=PERMIT)) as book:
        own = book.house.dispatch.changes(await book.principal(), UpstreamId("hg"))
        every = book.house.dispatch.changes(await book.principal(), None)
        book.house.upstream("git").sight = replace(GIT, tools=(tool("push"),))
        await book.house.discovery.look(UpstreamId("git"))
        assert await anext(every) == TOOLS
        book.house.parts.changes.close()
        assert await heard(own) == []
