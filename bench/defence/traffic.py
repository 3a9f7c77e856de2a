"""Scenarios that are MCP traffic: played on a whole house in memory, with the guards, pins and limits that ship."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from bench.defence.verdict import NOTHING, Fixture, Verdict, stopped
from doorward.domain.ids import UpstreamId
from doorward.testing.house import PERMIT_ALL, Plan
from doorward.testing.playbook import Playbook, Stimulus, playbook, tool_call
from doorward.testing.trace import Got, GotRefusal, Trace
from doorward.testing.upstream import SHOWN, says
from doorward.upstream.sight import Sight

_OPEN = {"type": "object"}
_BOUNDED = (
    '@id("inside")\n@reason("Files of the project alone.")\n'
    'forbid (principal, action == Action::"bench/{tool}", resource) unless {{ context.derived.place.root == "inside" }};\n'
)


def definition(tool: Mapping[str, Any]) -> dict[str, Any]:
    """A tool as an upstream lists it; one that says nothing of its arguments takes any."""
    return {"inputSchema": _OPEN, **tool}


def sight(*tools: Mapping[str, Any]) -> Sight:
    """An upstream that lists these tools."""
    return replace(SHOWN, tools=tuple(map(definition, tools)))


def ended(trace: Trace) -> Mapping[str, Any] | GotRefusal:
    """How the last request ended."""
    last = [step for step in trace if isinstance(step, Got | GotRefusal)][-1]
    if isinstance(last, GotRefusal):
        return last
    return last.body if isinstance(last.body, Mapping) else {"error": last.body}


async def listed(book: Playbook) -> Mapping[str, Any]:
    """The tools that an agent is shown."""
    shown = ended(await book.play(Stimulus("tools/list")))
    assert isinstance(shown, Mapping)
    return shown


def names(shown: Mapping[str, Any]) -> set[str]:
    """The names of a list of tools, prefix and all."""
    return {tool["name"] for tool in shown["tools"]}


async def tool_definition(fixture: Fixture) -> Verdict:
    """A definition that is accepted at first use: shown, or held for a person."""
    return await _shown({"bench": [fixture["tool"]]})


async def registry(fixture: Fixture) -> Verdict:
    """The definitions of several servers beside one another."""
    return await _shown({server["server"]: server["tools"] for server in fixture["servers"]})


async def _shown(servers: Mapping[str, Sequence[Mapping[str, Any]]]) -> Verdict:
    """Upstreams are named here, not by themselves: by letters, in their order."""
    own = dict(zip(servers, (f"server-{number}" for number in range(1, len(servers) + 1)), strict=True))
    async with playbook(Plan({own[name]: sight(*tools) for name, tools in servers.items()})) as book:
        found = names(await listed(book))
    missing = {f"{own[name]}__{tool['name']}" for name, tools in servers.items() for tool in tools} - found
    return stopped(f"held for a person: {', '.join(sorted(missing))}") if missing else NOTHING


async def tool_list(fixture: Fixture) -> Verdict:
    """A list result: what an agent gets of it, and for whom it may be kept."""
    result = fixture["result"]
    async with playbook(Plan({"bench": sight(*result["tools"])})) as book:
        shown = await listed(book)
    if missing := {f"bench__{tool['name']}" for tool in result["tools"]} - names(shown):
        return stopped(f"held for a person: {', '.join(sorted(missing))}")
    if fixture.get("variesByAuthorization") and result.get("cacheScope") != shown.get("cacheScope", "private"):
        return stopped(f"is shown for {shown.get('cacheScope', 'private')} use instead of {result.get('cacheScope')}")
    return NOTHING


async def change(fixture: Fixture) -> Verdict:
    """A definition that changes after it was accepted."""
    return await _changed([fixture["before"]], [fixture["after"]])


async def stale(fixture: Fixture) -> Verdict:
    """A list that is kept while the upstream says that it has changed."""
    before, after = fixture["cached"]["result"]["tools"], fixture["upstreamNow"]["tools"]
    return await _changed(before, after if fixture["notification"] else before)


async def _changed(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> Verdict:
    tolerant = {"bench": {"drift": {"accept": ["title", "optional_argument"]}}}
    async with playbook(Plan({"bench": sight(*before)}, upstreams=tolerant)) as book:
        book.house.upstream("bench").sight = sight(*after)
        await book.house.discovery.look(UpstreamId("bench"))
        found = names(await listed(book))
    missing = {f"bench__{tool['name']}" for tool in after} - found
    return stopped(f"withheld since it changed: {', '.join(sorted(missing))}") if missing else NOTHING


async def call(fixture: Fixture) -> Verdict:
    """A call with these arguments; a boundary that the scenario configures is a policy."""
    tool, asked, boundary = fixture["tool"], fixture["call"], fixture.get("configuredBoundary")
    plan = Plan({"bench": sight(tool)})
    if boundary is not None:
        fact = {"place": {"of": "/path", "kind": "path", "base": boundary, "roots": {"inside": boundary}}}
        rules = {"bench": {"tools": {tool["name"]: {"facts": fact}}}}
        plan = Plan({"bench": sight(tool)}, upstreams=rules, policies=PERMIT_ALL + _BOUNDED.format(tool=tool["name"]))
    async with playbook(plan) as book:
        return _refused(ended(await book.play(tool_call(f"bench__{asked['name']}", asked["arguments"]))))


async def result(fixture: Fixture) -> Verdict:
    """A result as its caller gets it."""
    tool, given = definition(fixture["tool"]), fixture["result"]
    arguments = fixture.get("call", {}).get("arguments", _placeholders(tool["inputSchema"]))
    async with playbook(Plan({"bench": sight(tool)})) as book:
        book.house.upstream("bench").will(says(given))
        got = ended(await book.play(tool_call(f"bench__{tool['name']}", arguments)))
    return _told(got, given)


async def sequence(fixture: Fixture) -> Verdict:
    """Calls of one agent, one after the other, at the upstreams they name; `{{result_of_previous}}` is what the last one said."""
    calls = fixture["calls"]
    servers: dict[str, dict[str, Mapping[str, Any]]] = {}
    for one in calls:
        servers.setdefault(one.get("server", "bench"), {})[one["name"]] = {"name": one["name"]}
    plan = Plan(
        {name: sight(*tools.values()) for name, tools in servers.items()}, document={"flow": {"presets": ["no_untrusted_destination"]}}
    )
    async with playbook(plan) as book:
        before = ""
        for number, one in enumerate(calls):
            server, said = (
                one.get("server", "bench"),
                one.get("result", {"content": [{"type": "text", "text": f"what call {number} says"}]}),
            )
            book.house.upstream(server).will(says(said))
            arguments = {key: before if value == "{{result_of_previous}}" else value for key, value in one["arguments"].items()}
            got = ended(await book.play(tool_call(f"{server}__{one['name']}", arguments)))
            if isinstance(got, GotRefusal):
                return stopped(f"call {number + 1}: {got.reason}: {got.sentence}")
            before = "".join(str(block.get("text", "")) for block in got["content"])
    return NOTHING


async def asks(fixture: Fixture) -> Verdict:
    """A result that asks its caller for something first."""
    request = fixture["onRequest"]["params"]
    capabilities: dict[str, object] = {"elicitation": {"form": {}, "url": {}}, "sampling": {}}
    allowed = {"bench": {"client_input": ["elicitation", "sampling"]}}
    async with playbook(Plan({"bench": sight({"name": request["name"]})}, upstreams=allowed)) as book:
        book.house.upstream("bench").will(says(fixture["result"]))
        stimulus = dataclasses.replace(tool_call(f"bench__{request['name']}", request["arguments"]), capabilities=capabilities)
        got = ended(await book.play(stimulus))
    if isinstance(got, GotRefusal):
        return stopped(f"{got.reason}: {got.sentence}")
    wanted, handed = fixture["result"]["inputRequests"], got.get("inputRequests", {})
    return NOTHING if wanted == handed else stopped("what it asks for was changed")


async def page(fixture: Fixture) -> Verdict:
    """A page of a server as a client reads it."""
    contents = [{"uri": fixture["uri"], "mimeType": fixture["mimeType"], "text": fixture["html"]}]
    shown = replace(SHOWN, resources=({"uri": fixture["uri"], "name": "page", "mimeType": fixture["mimeType"]},))
    async with playbook(Plan({"bench": shown})) as book:
        book.house.upstream("bench").will(says({"contents": contents}))
        got = ended(await book.play(Stimulus("resources/read", {"uri": fixture["uri"]}, endpoint="bench")))
    return _told(got, {"contents": contents})


def _refused(got: Mapping[str, Any] | GotRefusal) -> Verdict:
    return stopped(f"{got.reason}: {got.sentence}") if isinstance(got, GotRefusal) else NOTHING


def _told(got: Mapping[str, Any] | GotRefusal, given: Mapping[str, Any]) -> Verdict:
    """Whether a result came through as it was."""
    if isinstance(got, GotRefusal):
        return stopped(f"{got.reason}: {got.sentence}")
    changed = [name for name, value in given.items() if name not in {"_meta", "resultType"} and got.get(name) != value]
    return stopped(f"{', '.join(changed)} was changed: {[got.get(name) for name in changed]}") if changed else NOTHING


def _placeholders(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments that a schema takes, where the scenario says none."""
    simple = {"string": "x", "integer": 0, "number": 0, "boolean": False, "array": [], "object": {}}
    properties = schema.get("properties", {})
    return {name: _placeholder(properties.get(name, {}), simple) for name in schema.get("required", ())}


def _placeholder(schema: Mapping[str, Any], simple: Mapping[str, Any]) -> Any:
    return schema["enum"][0] if schema.get("enum") else simple.get(str(schema.get("type")), "x")
