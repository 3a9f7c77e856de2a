"""Scenarios that are told at the door: headers that say other things than the body, foreign origins, plain addresses, forged states."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.defence import traffic
from bench.defence.verdict import NOTHING, Fixture, Verdict, stopped
from doorward.config.load import load
from doorward.config.model import Listen
from doorward.config.problems import ConfigError
from doorward.domain.calls import Era
from doorward.domain.reasons import Refused
from doorward.serving.edge import EdgeError, allowed, fields
from doorward.testing.house import Plan
from doorward.testing.playbook import Playbook, playbook, tool_call
from doorward.testing.trace import GotRefusal
from doorward.testing.upstream import says
from doorward.wire.eras import CAPABILITIES_KEY, era_of, open_envelope
from doorward.wire.headers import check, check_unasked
from doorward.wire.jsonrpc import Limits, Request, parse

_NOBODY: dict[str, Any] = {"io.modelcontextprotocol/clientInfo": {"name": "scenario", "version": "1"}, CAPABILITIES_KEY: {}}
"""What a request says of its client; scenarios leave it out."""


async def request(fixture: Fixture) -> Verdict:
    """One request as the door reads it."""
    return _read(fixture["headers"], fixture["body"])


async def requests(fixture: Fixture) -> Verdict:
    """Several requests; the first that is turned away ends them."""
    for one in fixture["requests"]:
        verdict = _read(one["headers"], one["body"]) if "body" in one else stopped("a stream belongs to a session, and there is none")
        if verdict.enforce:
            return verdict
    return NOTHING


def _read(headers: Mapping[str, str], body: Mapping[str, Any]) -> Verdict:
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    message = parse(json.dumps(body).encode(), Limits())
    assert isinstance(message, Request)
    said = dict(pairs)
    try:
        if era_of(said.get(b"mcp-protocol-version", b"").decode() or None) is Era.SESSION:
            check_unasked(pairs, message.method, message.params)
            return stopped("a session that nobody opened") if b"mcp-session-id" in said else NOTHING
        params: dict[str, Any] = dict(message.params)
        params["_meta"] = {**_NOBODY, **params.get("_meta", {})}
        check(pairs, message.method, params, open_envelope(params).version)
    except Refused as refused:
        return stopped(f"{refused.reason}: {refused.detail}")
    return NOTHING


async def scenario(fixture: Fixture) -> Verdict:
    """A deployment: a foreign origin at a local listener, an address without TLS, arguments that lead out of a workspace."""
    match fixture:
        case {"request": asked}:
            return _knock(asked)
        case {"endpoint": url}:
            return _configured(url)
        case {"observation": _, "setup": setup}:
            return _configured(next(word.rstrip(".") for word in setup.split() if word.startswith("http")))
        case {"action": action}:
            return await traffic.call({"tool": {"name": action["name"]}, "call": action})
        case _:
            return NOTHING


def _knock(asked: Mapping[str, str]) -> Verdict:
    host, _, port = asked["host"].partition(":")
    try:
        fields([(name.encode(), value.encode()) for name, value in asked.items()], allowed(Listen(host=host, port=int(port)), int(port)))
    except EdgeError as error:
        return stopped(error.sentence)
    return NOTHING


def _configured(url: str) -> Verdict:
    """An upstream with this address; one of this machine is said to be meant, as it has to be."""
    is_local = urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}
    meant = "{private: true, plain_http: true}" if is_local and url.startswith("http:") else "{}"
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "doorward.yaml")
        path.write_text(f"version: 1\nupstreams:\n  server: {{url: '{url}', {meant.strip('{}')}}}\n", encoding="utf-8")
        try:
            load(path)
        except ConfigError as error:
            return stopped("; ".join(error.lines))
    return NOTHING


async def retry(fixture: Fixture) -> Verdict:
    """A retry with a state: one that was changed or is somebody else's, or the one that was handed out."""
    asked = fixture.get("issued", {"resultType": "input_required", "inputRequests": {}, "requestState": fixture.get("requestState")})
    params = fixture.get("tamperedRetry", {}).get("params", {"name": fixture.get("originalRequest", {}).get("name"), "arguments": {}})
    call = tool_call(f"bench__{params['name']}", params["arguments"])
    async with playbook(Plan({"bench": traffic.sight({"name": params["name"]})})) as book:
        book.house.upstream("bench").will(says({"inputRequests": {"ask": _QUESTION}, **asked}))
        first = traffic.ended(await book.play(replace(call, capabilities={"elicitation": {"form": {}}})))
        assert isinstance(first, Mapping)
        state = await _presented(fixture, first, book)
        who = fixture.get("replayedBy", {}).get("principal", "")
        again = replace(
            call, agent="mallory" if who == "mallory" else "claude", params={**call.params, "requestState": state, "inputResponses": {}}
        )
        got = traffic.ended(await book.play(again))
    return stopped(f"{got.reason}: {got.sentence}") if isinstance(got, GotRefusal) else NOTHING


_QUESTION = {
    "method": "elicitation/create",
    "params": {"mode": "form", "message": "Go on?", "requestedSchema": {"type": "object", "properties": {"yes": {"type": "boolean"}}}},
}


async def _presented(fixture: Fixture, first: Mapping[str, Any], book: Playbook) -> object:
    """The state that comes back: as it was handed out, unless the scenario changes what the server had signed."""
    if "tamperedRetry" in fixture and fixture["tamperedRetry"]["params"].get("requestState") != fixture["issued"]["requestState"]:
        return fixture["tamperedRetry"]["params"]["requestState"]
    return first["requestState"]
