"""What a credential was limited to: calls beyond it are refused with the scope that would do, once policy has said yes."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from doorward.domain.actors import Principal, Proof
from doorward.domain.reasons import Reason, Refused
from doorward.testing.house import Plan
from doorward.testing.playbook import Playbook, Stimulus, leaves, playbook, tool_call
from doorward.testing.trace import Got, GotRefusal
from tests.call.steps import GIT, PERMIT, policy

RULES = {"git": {"tools": {"commit": {"groups": ["read"]}, "push": {"groups": ["write"]}}}}
DENIED = policy('forbid (principal, action == Action::"jira/push", resource);', "denied")
PLAN = Plan({"git": GIT, "jira": GIT}, policies=PERMIT + DENIED, upstreams=RULES)


async def limited(book: Playbook, *scopes: str) -> Principal:
    """The agent with a credential that was limited to these scopes."""
    who = replace(await book.principal(), proof=Proof(frozenset(scopes), "self", "c"))
    book.knows(who)
    return who


async def refused(book: Playbook, asked: Stimulus) -> tuple[Reason, object] | None:
    """How a request is refused, and which scope it is told would do."""
    try:
        await book.house.dispatch.handle(asked.inbound(await book.principal()), _nowhere)
    except Refused as caught:
        return caught.reason, caught.extra.get("scope")
    return None


async def _nowhere(notice: object) -> None:
    raise AssertionError(notice)


def missing(scope: str) -> tuple[Reason, str]:
    return Reason.INSUFFICIENT_SCOPE, scope


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("scopes", "outcomes"),
    [
        (["mcp"], [None, None, None]),
        (["mcp:read"], [None, missing("mcp:git"), missing("mcp:jira")]),
        (["mcp:git"], [None, None, missing("mcp:jira")]),
        (["mcp:git:read"], [None, missing("mcp:git"), missing("mcp:jira")]),
        (["mcp:jira", "openid"], [missing("mcp:git:read"), missing("mcp:git"), None]),
        ([], [missing("mcp:git:read"), missing("mcp:git"), missing("mcp:jira")]),
    ],
)
async def test_a_call_is_within_the_scopes_or_refused_with_the_least_that_would_do(scopes: list[str], outcomes: list[object]) -> None:
    async with playbook(PLAN) as book:
        await limited(book, *scopes)
        calls = [tool_call(name) for name in ("git__commit", "git__push", "jira__commit")]
        assert [await refused(book, one) for one in calls] == outcomes


@pytest.mark.anyio
async def test_what_policy_denies_asks_for_no_scope_and_what_is_unknown_neither() -> None:
    async with playbook(PLAN) as book:
        await limited(book, "openid")
        assert await refused(book, tool_call("jira__push")) == (Reason.UNKNOWN_TARGET, None)
        assert await refused(book, tool_call("jira__invented")) == (Reason.UNKNOWN_TARGET, None)
    denying = policy('forbid (principal, action, resource) when { context.scopes.contains("openid") };', "scoped")
    async with playbook(replace(PLAN, policies=PERMIT + denying, upstreams={})) as book:
        await limited(book, "openid")
        assert await refused(book, tool_call("jira__push")) == (Reason.UNKNOWN_TARGET, None)


@pytest.mark.anyio
async def test_a_refusal_for_scopes_is_a_leaf_and_nothing_goes_upstream() -> None:
    async with playbook(PLAN) as book:
        await limited(book, "mcp:read")
        trace = await book.play(tool_call("git__push"))
        (leaf,) = leaves(trace)
        assert (leaf.type, leaf.body["decision"]["reason"], leaf.body["detail"]) == (
            "refusal",
            "insufficient_scope",
            "the credential is limited to mcp:read",
        )
        assert [step.reason for step in trace if isinstance(step, GotRefusal)] == [Reason.INSUFFICIENT_SCOPE]
        assert book.house.upstream("git").orders == []


@pytest.mark.anyio
async def test_scopes_count_where_policy_only_observes() -> None:
    observed = {name: {"posture": "observe"} for name in ("git", "jira")}
    async with playbook(replace(PLAN, policies="", upstreams=observed)) as book:
        await limited(book, "mcp:git")
        assert await refused(book, tool_call("git__push")) is None
        assert await refused(book, tool_call("jira__push")) == missing("mcp:jira")


def tools(result: Mapping[str, object]) -> list[str]:
    found = result["tools"]
    assert isinstance(found, list)
    return [one["name"] for one in found]


async def listed(book: Playbook, endpoint: str | None = None) -> list[str] | object:
    asked = Stimulus("tools/list", endpoint=endpoint)
    outcome = await refused(book, asked)
    if outcome is not None:
        return outcome
    await book.rest()
    (got,) = [step for step in await book.play(asked) if isinstance(step, Got)]
    assert isinstance(got.body, Mapping)
    return tools(got.body)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("scopes", "everywhere", "git"),
    [
        (["mcp"], ["git__commit", "git__push", "jira__commit"], ["commit", "push"]),
        (["mcp:read"], ["git__commit", "git__push", "jira__commit"], ["commit", "push"]),
        (["mcp:git"], ["git__commit", "git__push"], ["commit", "push"]),
        (["mcp:git:read"], ["git__commit", "git__push"], ["commit", "push"]),
        (["mcp:jira"], ["jira__commit"], missing("mcp:git:read")),
        (["openid"], missing("mcp:read"), missing("mcp:git:read")),
    ],
)
async def test_a_list_shows_what_the_scopes_reach(scopes: list[str], everywhere: object, git: object) -> None:
    async with playbook(PLAN) as book:
        await limited(book, *scopes)
        assert (await listed(book), await listed(book, "git")) == (everywhere, git)


@pytest.mark.anyio
async def test_an_endpoint_beyond_the_scopes_is_there_and_one_beyond_policy_is_not() -> None:
    async with playbook(replace(PLAN, policies=policy('permit (principal, action in Action::"git", resource);', "git"))) as book:
        who = await limited(book, "mcp:jira")
        assert [book.house.dispatch.sees(who, name) for name in book.house.upstreams] == [True, False]
