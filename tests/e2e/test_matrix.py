"""The era matrix: clients of three revisions × upstreams of three revisions over HTTP and of both eras on stdio, in everything they share.

LAW: what a client sees through Doorward is what the conformance peer itself tells a client of that revision.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from tests.e2e.client import RECEIPT, REVISIONS, Client, Json, Said
from tests.e2e.log import until
from tests.gateway import Running, doorward, http_upstream, stdio_upstream
from tests.peers import EVERYTHING, everything

pytestmark = pytest.mark.peer

MORE = ("--more", "130")
HTTP = {
    "http-2025-06-18": ("--era", "session", "--newest", "2025-06-18", *MORE),
    "http-2025-11-25": ("--era", "session", *MORE),
    "http-2026-07-28": ("--era", "exchange", *MORE),
}
STDIO = {"stdio-session": ("--stdio", "--era", "session", *MORE), "stdio-exchange": ("--stdio", "--era", "exchange", *MORE)}
UPSTREAMS = [*HTTP, *STDIO]
LISTS = {
    "tools/list": "tools",
    "prompts/list": "prompts",
    "resources/list": "resources",
    "resources/templates/list": "resourceTemplates",
}
FRAME = {"_meta", "ttlMs", "cacheScope", "resultType"}
"""What a gateway says of its own in a result."""


class Peers(NamedTuple):
    """A gateway in front of every upstream, and the peer itself."""

    gateway: Running
    direct: str


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peers]:
    """Everything is started once."""
    with ExitStack() as stack:
        direct = stack.enter_context(everything(*MORE))
        upstreams = {name: http_upstream(stack.enter_context(everything(*arguments))) for name, arguments in HTTP.items()}
        upstreams |= {name: stdio_upstream((*EVERYTHING, *arguments)) for name, arguments in STDIO.items()}
        rules = {"calls_per_minute": 100_000, "burst": 10_000}
        document = {"upstreams": upstreams, "admission": rules}
        yield Peers(stack.enter_context(doorward(tmp_path_factory.mktemp("matrix"), document)), direct)


@pytest.fixture(params=REVISIONS)
def revision(request: pytest.FixtureRequest) -> str:
    """What the client speaks."""
    return str(request.param)


@pytest.fixture(params=UPSTREAMS)
def upstream(request: pytest.FixtureRequest) -> str:
    """Who answers."""
    return str(request.param)


@pytest.fixture
def client(peers: Peers, revision: str, upstream: str) -> Iterator[Client]:
    """A client of one revision at one upstream."""
    with Client(peers.gateway.url(upstream), peers.gateway.key(), revision) as made:
        yield made


@pytest.fixture
def direct(peers: Peers, revision: str) -> Iterator[Client]:
    """The same client at the peer itself."""
    with Client(peers.direct, "", revision) as made:
        yield made


def whole(client: Client, method: str) -> list[Json]:
    """Every page of a list."""
    items: list[Json] = []
    cursor: Json = {}
    while True:
        result = client.ask(method, cursor).result
        items += result[LISTS[method]]
        if "nextCursor" not in result:
            return items
        cursor = {"cursor": result["nextCursor"]}


def body(said: Said) -> Json:
    """A result but for what frames it."""
    return {key: value for key, value in said.result.items() if key not in FRAME}


def test_lists_are_what_the_upstream_itself_lists(client: Client, direct: Client) -> None:
    for method in LISTS:
        key = {"tools/list": "name", "prompts/list": "name", "resources/list": "uri"}.get(method, "uriTemplate")
        assert whole(client, method) == sorted(whole(direct, method), key=lambda item: str(item[key])), method


@pytest.mark.parametrize(
    "tool",
    ["test_simple_text", "test_image_content", "test_audio_content", "test_embedded_resource", "test_multiple_content_types", "more-129"],
)
def test_tool_gives_what_the_upstream_itself_gives(client: Client, direct: Client, tool: str) -> None:
    said = client.call(tool)
    assert body(said) == body(direct.call(tool))
    assert said.status == 200
    assert len(said.result["_meta"][RECEIPT]) == 26


def test_tool_that_fails_says_so_to_the_model(client: Client) -> None:
    said = client.call("test_error_handling")
    assert (said.result["isError"], said.text) == (True, "this tool always fails")


def test_prompts_give_what_the_upstream_itself_gives(client: Client, direct: Client) -> None:
    asked: list[Json] = [
        {"name": "test_simple_prompt"},
        {"name": "test_prompt_with_arguments", "arguments": {"arg1": "one", "arg2": "zwei"}},
        {"name": "test_prompt_with_embedded_resource", "arguments": {"resourceUri": "test://example"}},
        {"name": "test_prompt_with_image"},
    ]
    for params in asked:
        assert body(client.ask("prompts/get", params)) == body(direct.ask("prompts/get", params)), params


@pytest.mark.parametrize("uri", ["test://static-text", "test://static-binary", "test://template/4711/data"])
def test_resource_holds_what_the_upstream_itself_gives(client: Client, direct: Client, uri: str) -> None:
    assert body(client.ask("resources/read", {"uri": uri})) == body(direct.ask("resources/read", {"uri": uri}))


def test_completion_completes(client: Client) -> None:
    for reference in (
        {"type": "ref/prompt", "name": "test_prompt_with_arguments"},
        {"type": "ref/resource", "uri": "test://template/{id}/data"},
    ):
        argument = {"name": "arg1", "value": "par"}
        said = client.ask("completion/complete", {"ref": reference, "argument": argument})
        assert said.result["completion"] == {"values": ["par1", "par2"], "total": 2, "hasMore": False}


def test_progress_comes_in_order_under_the_clients_own_token(client: Client) -> None:
    said = client.call("test_tool_with_progress", progressToken="mine")
    assert [notice["method"] for notice in said.notices] == ["notifications/progress"] * 3
    assert [(notice["params"]["progressToken"], notice["params"]["progress"]) for notice in said.notices] == [
        ("mine", 0),
        ("mine", 50),
        ("mine", 100),
    ]
    assert said.text == "Went from 0 to 100."


def test_no_progress_comes_unasked(client: Client) -> None:
    assert client.call("test_tool_with_progress").notices == []


def test_log_messages_come_at_the_level_that_the_client_set(client: Client, revision: str) -> None:
    def logged(level: str) -> list[str]:
        if client.is_exchange:
            said = client.call("test_tool_with_logging", logLevel=level)
        else:
            assert client.ask("logging/setLevel", {"level": level}).result == {}
            said = client.call("test_tool_with_logging")
        return [notice["params"]["data"] for notice in said.notices if notice["method"] == "notifications/message"]

    assert logged("info") == ["Tool started", "Tool processing", "Tool completed"]
    assert logged("error") == []


def test_cancelled_call_is_cancelled_at_the_upstream(client: Client, revision: str, upstream: str) -> None:
    def waits(what: str) -> bool:
        return mark in json.loads(client.call("test_waits").text)[what]

    mark = f"{revision} {upstream}"
    pending = client.begin_call("test_wait", {"mark": mark})
    until(lambda: waits("begun"))
    client.cancel(pending)
    until(lambda: waits("cancelled"))
    assert client.call("test_simple_text").text == "A simple text."


def test_errors_are_those_of_the_clients_revision(client: Client, revision: str) -> None:
    missing = -32602 if client.is_exchange else -32002
    asked = {
        ("tools/call", "name", "no_such_tool"): -32602,
        ("prompts/get", "name", "no_such_prompt"): -32602,
        ("prompts/get", "name", "test_prompt_with_arguments"): -32602,
        ("resources/read", "uri", "test://no/such"): missing,
    }
    for (method, field, value), code in asked.items():
        assert client.ask(method, {field: value}).error["code"] == code, (method, value)
    unknown = client.ask("no/such")
    assert (unknown.error["code"], unknown.status) == (-32601, 404 if client.is_exchange else 200)


def test_what_cannot_cross_yet_is_refused_and_not_offered(client: Client) -> None:
    for method in ("resources/subscribe", "tasks/list"):
        assert client.ask(method, {"uri": "test://static-text"}).error["code"] == -32601, method
    client.session = ""
    offered = client.ask("server/discover").result if client.is_exchange else client.open()
    assert set(offered["capabilities"]) == {"tools", "prompts", "resources", "completions", "logging"}
    assert "subscribe" not in offered["capabilities"]["resources"]
    asks = client.call("test_elicitation", {"message": "Who?"})
    assert asks.result["isError"]


def test_all_upstreams_together_are_listed_and_called_under_prefixed_names(peers: Peers, revision: str) -> None:
    with Client(peers.gateway.url(), peers.gateway.key(), revision) as client, Client(peers.direct, "", revision) as direct:
        own = sorted(item["name"] for item in whole(direct, "tools/list"))
        listed = [item["name"] for item in whole(client, "tools/list")]
        assert listed == sorted(f"{upstream}__{name}" for upstream in UPSTREAMS for name in own)
        for upstream in UPSTREAMS:
            assert client.call(f"{upstream}__test_simple_text").text == "A simple text."
            assert client.ask("prompts/get", {"name": f"{upstream}__test_simple_prompt"}).result["messages"]
            uri = f"{upstream}+test://static-text"
            assert [contents["uri"] for contents in client.ask("resources/read", {"uri": uri}).result["contents"]] == [uri]
            embedded = client.call(f"{upstream}__test_embedded_resource").result["content"][0]["resource"]["uri"]
            assert embedded == f"{upstream}+test://embedded-resource"


def test_pages_are_the_same_for_whoever_follows_the_cursors_and_cursors_are_nobody_elses(peers: Peers, revision: str) -> None:
    with Client(peers.gateway.url(), peers.gateway.key(), revision) as client:
        first = client.ask("tools/list").result
        assert len(first["tools"]) == 250
        again = [client.ask("tools/list", {"cursor": first["nextCursor"]}).result["tools"] for _ in range(2)]
        assert again[0] == again[1]
        assert {tool["name"] for tool in first["tools"]}.isdisjoint({tool["name"] for tool in again[0]})
        for other, method in ((client, "prompts/list"), (Client(peers.gateway.url(), peers.gateway.key("eve"), revision), "tools/list")):
            assert other.ask(method, {"cursor": first["nextCursor"]}).error["code"] == -32602
