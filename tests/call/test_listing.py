"""Lists: each principal its own view, in one order, page by page."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo

import msgspec
import pytest

from doorward.admission import stops
from doorward.call.pages import PAGE
from doorward.domain.actors import Principal
from doorward.domain.calls import Era
from doorward.domain.catalog import Kind
from doorward.domain.ids import Generation, UpstreamId
from doorward.domain.reasons import Reason
from doorward.policy.question import Moment
from doorward.runtime.snapshot import Snapshot
from doorward.testing.house import Plan
from doorward.testing.playbook import Playbook, Stimulus, leaves, playbook
from doorward.testing.trace import Counted, Got, GotRefusal, Leaf, Trace
from doorward.testing.upstream import SHOWN, tool
from tests.call.steps import GIT, PERMIT, PLAN, policy

TOOLS = Stimulus("tools/list")
BOTH = Plan({"hg": msgspec.structs.replace(GIT, prompts=({"name": "ask"},)), "git": GIT})
NO_PUSH = policy('forbid (principal == Agent::"claude", action == Action::"git/push", resource);', "no-push")


def shown(trace: Trace, where: str = "tools", by: str = "name") -> list[object]:
    """The names in a list."""
    (body,) = [step.body for step in trace if isinstance(step, Got)]
    assert isinstance(body, Mapping)
    items = body[where]
    assert isinstance(items, list)
    return [item[by] for item in items]


def cursor(trace: Trace) -> object:
    (body,) = [step.body for step in trace if isinstance(step, Got)]
    assert isinstance(body, Mapping)
    return body.get("nextCursor")


@pytest.mark.anyio
async def test_a_list_is_in_the_order_of_upstreams_and_names_and_leaves_one_leaf() -> None:
    async with playbook(BOTH) as book:
        trace = await book.play(TOOLS)
        assert shown(trace) == ["git__commit", "git__push", "hg__commit", "hg__push"]
        assert leaves(trace) == [Leaf("list")]
        assert trace[-1] == Counted("*", "listed")
        assert shown(await book.play(replace(TOOLS, endpoint="git"))) == ["commit", "push"]


@pytest.mark.anyio
async def test_each_kind_has_its_list_with_names_of_the_endpoint() -> None:
    everything = msgspec.structs.replace(
        SHOWN,
        tools=(tool("query"),),
        prompts=({"name": "ask"},),
        resources=({"name": "readme", "uri": "file:///readme"},),
        templates=({"name": "row", "uriTemplate": "db://{row}"},),
    )
    async with playbook(Plan({"db": everything})) as book:
        assert shown(await book.play(Stimulus("prompts/list")), "prompts") == ["db__ask"]
        assert shown(await book.play(Stimulus("resources/list")), "resources", "uri") == ["db+file:///readme"]
        assert shown(await book.play(Stimulus("resources/templates/list")), "resourceTemplates", "uriTemplate") == ["db+db://{row}"]
        own = Stimulus("resources/templates/list", endpoint="db", era=Era.SESSION)
        assert shown(await book.play(own), "resourceTemplates", "uriTemplate") == ["db://{row}"]


@pytest.mark.anyio
async def test_what_policy_could_not_allow_is_not_listed() -> None:
    async with playbook(replace(BOTH, policies=PERMIT + NO_PUSH)) as book:
        assert shown(await book.play(TOOLS)) == ["git__commit", "hg__commit", "hg__push"]
        assert shown(await book.play(replace(TOOLS, agent="gpt"))) == ["git__commit", "git__push", "hg__commit", "hg__push"]


@pytest.mark.anyio
async def test_what_some_arguments_or_a_person_could_make_allowed_is_listed() -> None:
    some = policy('forbid (principal, action == Action::"git/push", resource) unless { context.input has n };', "some")
    asking = policy('forbid (principal, action == Action::"git/commit", resource);', "asks", approval="finance")
    shown_tools = msgspec.structs.replace(SHOWN, tools=(tool("commit"), tool("push", n={"type": "integer"})))
    async with playbook(Plan({"git": shown_tools}, policies=PERMIT + some + asking)) as book:
        assert shown(await book.play(TOOLS)) == ["git__commit", "git__push"]


@pytest.mark.anyio
async def test_an_observed_upstream_is_listed_whole() -> None:
    async with playbook(Plan({"git": GIT, "hg": GIT}, policies="", upstreams={"git": {"posture": "observe"}})) as book:
        assert shown(await book.play(TOOLS)) == ["git__commit", "git__push"]
        assert book.house.dispatch.sees(await book.principal(), UpstreamId("git"))
        assert not book.house.dispatch.sees(await book.principal(), UpstreamId("hg"))


@pytest.mark.anyio
async def test_what_nobody_has_accepted_is_not_listed() -> None:
    async with playbook(replace(PLAN, upstreams={"git": {"trust": "review"}})) as book:
        assert shown(await book.play(TOOLS)) == []
    async with playbook(PLAN) as book:
        book.house.upstream("git").sight = msgspec.structs.replace(
            GIT, tools=(tool("commit", "Does it and mails it."), tool("push"), tool("new"))
        )
        await book.house.discovery.look(UpstreamId("git"))
        await book.rest()
        assert shown(await book.play(TOOLS)) == ["git__new", "git__push"]


MANY = Plan({"git": msgspec.structs.replace(SHOWN, tools=tuple(tool(f"t{number:04d}") for number in range(PAGE + 7)))})


async def pages(book: Playbook, of: Stimulus) -> list[list[object]]:
    """Every page, one request each."""
    found: list[list[object]] = []
    rest: object = None
    while rest is not None or not found:
        trace = await book.play(of if rest is None else replace(of, params={"cursor": rest}))
        found.append(shown(trace))
        rest = cursor(trace)
    return found


@pytest.mark.anyio
async def test_pages_hold_everything_once() -> None:
    async with playbook(MANY) as book:
        first, second = await pages(book, TOOLS)
        assert first + second == [f"git__t{number:04d}" for number in range(PAGE + 7)]
        assert (len(first), len(second)) == (PAGE, 7)


@pytest.mark.anyio
async def test_what_comes_and_goes_between_two_pages_shifts_nothing() -> None:
    async with playbook(MANY) as book:
        first = await book.play(TOOLS)
        changed = [item for item in MANY.sights["git"].tools if item["name"] not in ("t0001", f"t{PAGE:04d}")]
        book.house.upstream("git").sight = msgspec.structs.replace(SHOWN, tools=(*changed, tool("a"), tool("t9999")))
        await book.house.discovery.look(UpstreamId("git"))
        await book.rest()
        second = shown(await book.play(replace(TOOLS, params={"cursor": cursor(first)})))
        assert second == [f"git__t{number:04d}" for number in range(PAGE + 1, PAGE + 7)] + ["git__t9999"]


FOREIGN: list[tuple[str, dict[str, object]]] = [
    ("of another agent", {"agent": "gpt"}),
    ("of another list", {"method": "prompts/list"}),
    ("of another endpoint", {"endpoint": "git"}),
]


@pytest.mark.anyio
@pytest.mark.parametrize("changed", [pytest.param(changed, id=name) for name, changed in FOREIGN])
async def test_a_cursor_is_good_for_its_own_list_alone(changed: dict[str, object]) -> None:
    async with playbook(MANY) as book:
        rest = cursor(await book.play(TOOLS))
        asked = replace(TOOLS, params={"cursor": rest}, **changed)  # type: ignore[arg-type]
        trace = await book.play(asked)
        assert trace == [
            Leaf("refusal", "invalid_params"),
            GotRefusal(Reason.INVALID_PARAMS),
            Counted("git" if "endpoint" in changed else "*", "invalid_params"),
        ]
        assert [step.sentence for step in trace if isinstance(step, GotRefusal)] == ["The cursor is not valid here."]


@pytest.mark.anyio
@pytest.mark.parametrize("forged", ["", "git\0t0001", 7, ["x"]])
async def test_a_forged_cursor_is_refused(forged: object) -> None:
    async with playbook(MANY) as book:
        assert [step.reason for step in await book.play(replace(TOOLS, params={"cursor": forged})) if isinstance(step, GotRefusal)] == [
            Reason.INVALID_PARAMS
        ]


@pytest.mark.anyio
async def test_a_list_is_admitted_like_a_call() -> None:
    async with playbook(PLAN) as book:
        await book.house.watchmen.switch.stop(stops.EVERYTHING, "fire", "ann")
        assert await book.play(TOOLS) == [Leaf("refusal", "stopped"), GotRefusal(Reason.STOPPED), Counted("*", "stopped")]


@pytest.mark.anyio
async def test_a_list_that_cannot_be_recorded_is_not_shown() -> None:
    async with playbook(PLAN) as book:
        book.house.evidence.log.fail("disk full")
        assert await book.play(TOOLS) == [GotRefusal(Reason.UNRECORDED), Counted("*", "unrecorded")]
        assert book.house.watchmen.gate.inside == 0


class NoZone(tzinfo):
    """A zone that cannot be computed."""

    def utcoffset(self, at: datetime | None) -> timedelta:
        raise LookupError("no such zone")

    tzname = dst = utcoffset  # type: ignore[assignment]


@pytest.mark.anyio
async def test_a_list_that_fails_is_refused_and_recorded() -> None:
    clockless = policy("permit (principal, action, resource) when { context.time.hour >= 0 };", "time")
    async with playbook(replace(PLAN, policies=clockless)) as book:
        book.house.clock.zone = NoZone()
        trace = await book.play(TOOLS)
        assert [step for step in trace if isinstance(step, GotRefusal)] == [GotRefusal(Reason.INTERNAL)]
        assert trace[-1] == Counted("*", "internal")


@pytest.mark.anyio
async def test_who_sees_nothing_of_an_upstream_does_not_see_that_it_is_there() -> None:
    only_gpt = policy('permit (principal == Agent::"gpt", action, resource);', "gpt")
    async with playbook(replace(PLAN, policies=only_gpt)) as book:
        claude, gpt = await book.principal(), await book.principal("gpt")
        sees = book.house.dispatch.sees
        assert [sees(claude, UpstreamId("git")), sees(gpt, UpstreamId("git")), sees(gpt, UpstreamId("hg"))] == [False, True, False]


@pytest.mark.anyio
async def test_a_view_is_compared_by_what_is_in_it() -> None:
    async with playbook(BOTH) as book:
        listing, who = book.house.parts.listing, await book.principal()
        before = listing.fingerprint(who, None, book.house.generations.current)
        assert before == listing.fingerprint(who, None, book.house.generations.current)
        assert isinstance(book.house.parts.moment(), Moment)
        book.house.upstream("hg").sight = msgspec.structs.replace(GIT, prompts=({"name": "ask", "description": "More."},))
        await book.house.discovery.look(UpstreamId("hg"))
        after = listing.fingerprint(who, None, book.house.generations.current)
        assert [method for method in before if before[method] != after[method]] == ["prompts/list"]
        own = UpstreamId("git")
        assert listing.fingerprint(who, own, book.house.generations.current)["prompts/list"] == ()


def _tools(book: Playbook, who: Principal, snapshot: Snapshot) -> list[str]:
    """The tools that a principal sees of a snapshot, as they would be listed."""
    return [str(entry.target.name) for entry in book.house.parts.listing.visible(who, None, Kind.TOOL, snapshot)]


@pytest.mark.anyio
async def test_a_view_of_one_generation_is_none_of_another() -> None:
    async with playbook(replace(PLAN, policies=PERMIT)) as book, playbook(replace(PLAN, policies=PERMIT + NO_PUSH)) as stricter:
        who, now = await book.principal(), book.house.generations.current
        later = msgspec.structs.replace(
            now, generation=Generation(now.generation + 1), policies=stricter.house.generations.current.policies
        )
        seen = [_tools(book, who, snapshot) for snapshot in (now, now, later, later, now)]
        assert seen == [["commit", "push"]] * 2 + [["commit"]] * 2 + [["commit", "push"]]


@pytest.mark.anyio
async def test_a_list_that_depends_on_the_time_is_as_it_is_at_that_time() -> None:
    morning = policy('forbid (principal, action == Action::"git/push", resource) when { context.time.minute >= 30 };', "early")
    async with playbook(replace(PLAN, policies=PERMIT + morning)) as book:
        seen = []
        for minutes in (0, 10, 19, 1, 29, 1):  # 12:00, 12:10, 12:29, 12:30, 12:59, 13:00
            book.house.clock.pass_seconds(60.0 * minutes)
            seen.append(shown(await book.play(TOOLS)))
        both, one = ["git__commit", "git__push"], ["git__commit"]
        assert seen == [both, both, both, one, one, both]


@pytest.mark.anyio
async def test_each_principal_sees_its_own_list_and_whoever_sees_the_same_shares_one_view() -> None:
    async with playbook(replace(BOTH, policies=PERMIT + NO_PUSH)) as book:
        listing, snapshot = book.house.parts.listing, book.house.generations.current
        claude, gpt, third = [await book.principal(name) for name in ("claude", "gpt", "third")]
        views = [listing.visible(who, None, Kind.TOOL, snapshot) for who in (claude, gpt, third, claude)]
        assert [len(view) for view in views] == [3, 4, 4, 3]
        assert (views[1] is views[2], views[0] is views[3], views[0] is views[1]) == (True, True, False)
        limited = replace(claude, proof=replace(claude.proof, scopes=frozenset({"mcp:hg"})))
        assert {str(entry.target.upstream) for entry in listing.visible(limited, None, Kind.TOOL, snapshot)} <= {"hg"}


@pytest.mark.anyio
@pytest.mark.parametrize("version", ["2025-11-25", "2025-06-18", "2024-11-05"])
async def test_a_list_that_was_written_beforehand_reads_as_the_era_has_it(version: str) -> None:
    odd = {**tool("odd"), "inputSchema": {"type": "object", "properties": {"any": True}}, "outputSchema": {"type": "array"}}
    async with playbook(Plan({"git": msgspec.structs.replace(SHOWN, tools=(odd,))})) as book:
        bodies = []
        for asked in (TOOLS, replace(TOOLS, era=Era.SESSION, version=version)) * 2:
            (body,) = [step.body for step in await book.play(asked) if isinstance(step, Got)]
            assert isinstance(body, Mapping)
            tools = body["tools"]
            assert isinstance(tools, list)
            (shown_tool,) = tools
            bodies.append(shown_tool)
        assert bodies[:2] == bodies[2:]
        assert bodies[0] == {**odd, "name": "git__odd"}
        assert bodies[1] == {**tool("odd"), "name": "git__odd", "inputSchema": {"type": "object", "properties": {"any": {}}}}
