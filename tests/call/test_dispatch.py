"""The spine as a door sees it: which way each method goes, and what sessions, lists and answers look like in each era."""

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from doorward.call.dispatch import Dispatch
from doorward.call.local import SERVER_INFO
from doorward.config.model import Sessions as Bounds
from doorward.domain.actors import Principal
from doorward.domain.calls import Era, Fault
from doorward.domain.ids import UpstreamId
from doorward.domain.reasons import Reason, Refused
from doorward.identity.chain import NotYetError, Presented
from doorward.testing.house import Plan
from doorward.testing.playbook import Stimulus, leaves, playbook, tool_call
from doorward.testing.trace import Counted, Got, GotRefusal, Leaf
from doorward.testing.upstream import faults, says, tool
from doorward.wire.eras import EXCHANGE_VERSIONS, SESSION_VERSIONS
from doorward.wire.methods import METHODS, Route
from tests.call.steps import GIT, PERMIT, PLAN, policy

CALL = tool_call("git__commit", {"n": 1})
REFUSED = sorted((method, era) for (method, era), row in METHODS.items() if row.route in (Route.REFUSED, Route.REVERSE))


@pytest.mark.anyio
async def test_no_method_that_is_refused_reaches_anything() -> None:
    async with playbook(PLAN) as book:
        for method, era in (*REFUSED, ("tools/invent", Era.EXCHANGE), ("tools/invent", Era.SESSION)):
            trace = await book.play(Stimulus(method, {"name": "git__commit", "taskId": "1"}, era=era))
            assert trace == [GotRefusal(Reason.UNKNOWN_METHOD)], (method, era)
        assert book.house.upstream("git").orders == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("method", "era"),
    [
        ("initialize", Era.SESSION),
        ("notifications/initialized", Era.SESSION),
        ("notifications/cancelled", Era.EXCHANGE),
        ("subscriptions/listen", Era.EXCHANGE),
    ],
)
async def test_what_its_door_answers_is_not_answered_here(method: str, era: Era) -> None:
    async with playbook(PLAN) as book:
        assert await book.play(Stimulus(method, era=era)) == [GotRefusal(Reason.UNKNOWN_METHOD)]


@pytest.mark.anyio
async def test_ping_is_answered_without_a_leaf() -> None:
    async with playbook(PLAN) as book:
        assert await book.play(Stimulus("ping", era=Era.SESSION)) == [Got({})]


@pytest.mark.anyio
async def test_discover_says_what_is_spoken_and_offered_here() -> None:
    async with playbook(
        replace(PLAN, sights={"git": msgspec.structs.replace(GIT, capabilities={"tools": {}, "experimental": {}}, instructions="be kind")})
    ) as book:
        (every,) = await book.play(Stimulus("server/discover"))
        (own,) = await book.play(Stimulus("server/discover", endpoint="git"))
        common = {
            "supportedVersions": ["2026-07-28", "2025-11-25", "2025-06-18"],
            "capabilities": {"tools": {"listChanged": True}},
            "resultType": "complete",
            "ttlMs": 0,
            "cacheScope": "private",
            "_meta": {"io.modelcontextprotocol/serverInfo": SERVER_INFO},
        }
        assert (every, own) == (Got(common), Got({**common, "instructions": "be kind"}))
        assert await book.play(Stimulus("server/discover", endpoint="hg")) == [GotRefusal(Reason.UNKNOWN_TARGET)]


@pytest.mark.anyio
async def test_asking_what_is_offered_counts_for_the_pace_of_an_agent() -> None:
    async with playbook(replace(PLAN, document={"admission": {"calls_per_minute": 1, "burst": 2}})) as book:
        look = Stimulus("server/discover")
        assert [isinstance(step, Got) for step in await book.play(look, look)] == [True, True]
        refused, other = await book.play(look, replace(look, agent="robin"))
        assert (refused, isinstance(other, Got)) == (GotRefusal(Reason.OVER_RATE), True)


@pytest.mark.anyio
async def test_a_session_begins_with_what_is_offered_and_serves_its_client_only() -> None:
    async with playbook(PLAN) as book:
        dispatch, who = book.house.dispatch, await book.principal()
        params = {"protocolVersion": "2025-06-18", "capabilities": {"roots": {}}, "clientInfo": {"name": "c"}}
        text, result = await dispatch.initialize(who, None, params)
        assert result == {
            "protocolVersion": "2025-06-18",
            "capabilities": {
                "tools": {"listChanged": True},
                "prompts": {"listChanged": True},
                "resources": {"listChanged": True},
                "completions": {},
                "logging": {},
            },
            "serverInfo": SERVER_INFO,
        }
        live = dispatch.session(text, who, None)
        assert (live.version, live.capabilities, live.client_info) == ("2025-06-18", {"roots": {}}, {"name": "c"})
        with pytest.raises(Refused) as caught:
            dispatch.session(text, await book.principal("gpt"), None)
        assert caught.value.reason is Reason.UNKNOWN_SESSION
        await dispatch.end(text, who, None)
        with pytest.raises(Refused):
            dispatch.session(text, who, None)
        with pytest.raises(Refused):
            await dispatch.end(text, who, None)


@pytest.mark.anyio
@pytest.mark.parametrize("requested", ["2024-11-05", "2025-03-26", "2026-07-28", "1999-01-01", ""])
async def test_a_revision_that_is_not_spoken_here_gets_the_newest_that_is(requested: str) -> None:
    async with playbook(PLAN) as book:
        _, result = await book.house.dispatch.initialize(await book.principal(), None, {"protocolVersion": requested})
        assert result["protocolVersion"] == "2025-11-25"


@pytest.mark.anyio
@pytest.mark.parametrize("params", [{}, {"protocolVersion": 7}])
async def test_a_session_without_a_revision_is_refused(params: dict[str, object]) -> None:
    async with playbook(PLAN) as book:
        with pytest.raises(Refused) as caught:
            await book.house.dispatch.initialize(await book.principal(), None, params)
        assert caught.value.reason is Reason.INVALID_PARAMS


@pytest.mark.anyio
async def test_a_client_that_says_nothing_sound_of_itself_has_said_nothing() -> None:
    async with playbook(PLAN) as book:
        who = await book.principal()
        text, _ = await book.house.dispatch.initialize(who, None, {"protocolVersion": "2025-11-25", "capabilities": [], "clientInfo": "x"})
        live = book.house.dispatch.session(text, who, None)
        assert (live.capabilities, live.client_info) == ({}, {})


@pytest.mark.anyio
async def test_sessions_are_bounded_by_the_document() -> None:
    async with playbook(replace(PLAN, document={"sessions": {"overall": 1}})) as book:
        assert book.house.generations.current.document.sessions == Bounds(overall=1)
        await book.house.dispatch.initialize(await book.principal(), None, {"protocolVersion": "2025-11-25"})
        with pytest.raises(Refused) as caught:
            await book.house.dispatch.initialize(await book.principal("gpt"), None, {"protocolVersion": "2025-11-25"})
        assert caught.value.reason is Reason.OVERLOADED


@pytest.mark.anyio
async def test_a_level_is_kept_for_its_session() -> None:
    async with playbook(PLAN) as book:
        who = await book.principal()
        text, _ = await book.house.dispatch.initialize(who, None, {"protocolVersion": "2025-11-25"})
        live = book.house.dispatch.session(text, who, None)
        setting = Stimulus("logging/setLevel", {"level": "error"}, era=Era.SESSION, session=live.id)
        assert await book.play(setting) == [Got({})]
        assert live.log_level == "error"
        assert await book.play(replace(setting, session=None)) == [Got({})]
        for wrong in ({}, {"level": "loud"}, {"level": 7}):
            assert await book.play(replace(setting, params=wrong)) == [GotRefusal(Reason.INVALID_PARAMS)]
        assert live.log_level == "error"


class Slow:
    """A source that knows everybody, once it has fetched something."""

    def __init__(self, principal: Principal) -> None:
        self._principal = principal
        self._is_ready = False

    def identify(self, presented: Presented) -> Principal:
        if not self._is_ready:
            raise NotYetError(self._fetch)
        return self._principal

    async def _fetch(self) -> None:
        self._is_ready = True


@pytest.mark.anyio
async def test_who_is_not_known_yet_is_waited_for_and_not_told_of() -> None:
    async with playbook(PLAN) as book:
        principal, dispatch, hello = await book.principal(), book.house.dispatch, Presented("Bearer x", "10.0.0.9", loopback=False)
        await book.rest()
        book.house.parts.chain.adopt([Slow(principal)])
        assert dispatch.at_once(hello) is None
        assert await dispatch.identified(hello) == principal
        assert dispatch.at_once(hello) == principal
        assert leaves(await book.rest()) == []


@pytest.mark.anyio
@pytest.mark.parametrize("asked", [Dispatch.identify, Dispatch.at_once])
async def test_who_is_not_known_is_refused_and_told_of_once_a_minute(asked: Callable[[Dispatch, Presented], object]) -> None:
    async with playbook(PLAN) as book:
        for _ in range(3):
            with pytest.raises(Refused) as caught:
                asked(book.house.dispatch, Presented("Bearer dw_nothing", "10.0.0.9", loopback=False))
            assert caught.value.reason is Reason.UNAUTHENTICATED
        (told,) = leaves(await book.rest())
        assert (told.type, told.body["fields"]) == (
            "turned_away",
            {"source": "10.0.0.0/24", "reason": "unauthenticated", "detail": told.body["fields"]["detail"]},
        )


@pytest.mark.anyio
async def test_what_a_door_refuses_is_told_of_with_its_agent() -> None:
    async with playbook(PLAN) as book:
        book.house.dispatch.turned_down(await book.principal(), Refused(Reason.HEADER_MISMATCH, "why"))
        (told,) = leaves(await book.rest())
        assert (told.type, told.body["fields"]) == ("turned_away", {"source": "agent claude", "reason": "header_mismatch", "detail": "why"})


EXCHANGE_ONLY = {"resultType": "complete"}


@pytest.mark.anyio
@pytest.mark.parametrize("version", [version for version in SESSION_VERSIONS if version >= "2025-06-18"])
async def test_a_result_is_in_the_words_of_its_callers_revision(version: str) -> None:
    body = {"content": [], "structuredContent": {"a": 1}, **EXCHANGE_ONLY, "com.example/x": 1}
    async with playbook(PLAN) as book:
        book.house.upstream("git").will(says(body), says(body))
        (old,) = [step.body for step in await book.play(replace(CALL, era=Era.SESSION, version=version)) if isinstance(step, Got)]
        assert old == {"content": [], "structuredContent": {"a": 1}, "com.example/x": 1, "_meta": {"dev.doorward/receipt": "call-1"}}
        (new,) = [step.body for step in await book.play(replace(CALL, version=EXCHANGE_VERSIONS[0])) if isinstance(step, Got)]
        assert isinstance(new, dict)
        assert (new["resultType"], new["structuredContent"], new["com.example/x"]) == ("complete", {"a": 1}, 1)


@pytest.mark.anyio
async def test_an_error_is_in_the_codes_of_its_callers_era() -> None:
    reading = Stimulus("resources/read", {"uri": "git+file:///none"})
    async with playbook(PLAN) as book:
        book.house.upstream("git").will(faults(-32602, "none"), faults(-32002, "none"))
        assert Got(Fault(-32002, "none")) in await book.play(replace(reading, era=Era.SESSION))
        assert Got(Fault(-32602, "none")) in await book.play(reading)


@pytest.mark.anyio
async def test_uris_in_results_are_those_of_the_endpoint() -> None:
    link = {"content": [{"type": "resource_link", "uri": "file:///a", "name": "a"}]}
    async with playbook(PLAN) as book:
        book.house.upstream("git").will(says(link), says(link))
        every, own = await book.play(CALL), await book.play(replace(CALL, params={"name": "commit"}, endpoint="git"))
        uris = [step.body["content"][0]["uri"] for step in (*every, *own) if isinstance(step, Got) and isinstance(step.body, dict)]
        assert uris == ["git+file:///a", "file:///a"]


@pytest.mark.anyio
async def test_the_trace_of_a_call_stands_in_its_leaf_and_its_meta_is_kept_in_its_result() -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with playbook(PLAN) as book:
        book.house.upstream("git").will(says({"content": [], "_meta": {"com.example/x": 1}}), says({"content": [], "_meta": "odd"}))
        trace = await book.play(replace(CALL, trace=parent))
        assert leaves(trace)[0].body["trace"] == parent
        (body,) = [step.body for step in trace if isinstance(step, Got)]
        assert isinstance(body, dict)
        assert body["_meta"] == {
            "com.example/x": 1,
            "dev.doorward/receipt": "call-1",
            "io.modelcontextprotocol/serverInfo": SERVER_INFO,
        }
        odd = await book.play(CALL)
        assert Leaf("outcome", "delivered") in odd


@pytest.mark.anyio
async def test_an_endpoint_is_there_for_who_may_see_anything_of_it() -> None:
    denied = policy('forbid (principal == Agent::"gpt", action in Action::"git", resource);', "no-git")
    async with playbook(Plan({"git": msgspec.structs.replace(GIT, tools=(tool("commit"),)), "hg": GIT}, policies=PERMIT + denied)) as book:
        gpt, claude = await book.principal("gpt"), await book.principal()
        sees = book.house.dispatch.sees
        assert [sees(gpt, UpstreamId("git")), sees(gpt, UpstreamId("hg")), sees(claude, UpstreamId("git"))] == [False, True, True]


@pytest.mark.anyio
async def test_a_call_on_an_endpoint_that_is_gone_is_left_to_its_door_to_tell_of() -> None:
    # The door tells of it: see `turned_down`.
    async with playbook(PLAN) as book:
        assert await book.play(replace(CALL, endpoint="gone")) == [GotRefusal(Reason.UNKNOWN_TARGET)]
        assert Counted("", "unknown_target") not in await book.rest()
