"""Revisions, envelopes, and results carried from one revision to another."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp_types import methods as sdk
from mcp_types import version as sdk_version

from doorward.domain.calls import Era
from doorward.domain.reasons import Reason, Refused
from doorward.wire.eras import (
    CACHEABLE,
    CAPABILITIES_KEY,
    CLIENT_KEY,
    EXCHANGE_VERSIONS,
    LEVEL_KEY,
    SESSION_VERSIONS,
    VERSION_KEY,
    Envelope,
    era_of,
    make_envelope,
    open_envelope,
    to_exchange,
    to_session,
)

TEXT = {"type": "text", "text": "hi", "vendor": {"kept": True}}
AUDIO = {"type": "audio", "data": "UklGRg==", "mimeType": "audio/wav", "annotations": {"priority": 1}}
LINK = {"type": "resource_link", "uri": "file:///a", "name": "a"}
IMAGE = {"type": "image", "data": "aGk=", "mimeType": "image/png"}
EMBEDDED = {"type": "resource", "resource": {"uri": "file:///b", "text": "b"}}
SERVER = {"io.modelcontextprotocol/serverInfo": {"name": "s", "version": "1"}}

RESULTS: dict[str, list[dict[str, Any]]] = {
    "tools/call": [
        {"content": [TEXT, IMAGE, AUDIO, LINK, EMBEDDED], "structuredContent": {"a": [1]}, "isError": False, "vendor": 1},
        {"resultType": "complete", "content": [TEXT], "structuredContent": [1, 2], "_meta": {**SERVER, "x.y/z": 1}},
        {"resultType": "complete", "content": [], "structuredContent": None, "_meta": SERVER},
        {"content": [TEXT]},
    ],
    "tools/list": [
        {"tools": [{"name": "t", "title": "T", "inputSchema": {"type": "object", "properties": {"a": {"type": "string"}}}, "icons": []}]},
        {
            "resultType": "complete",
            "ttlMs": 60000,
            "cacheScope": "public",
            "tools": [
                {"name": "t", "inputSchema": {"type": "object", "properties": {"a": True, "b": False}}, "outputSchema": {"type": "array"}},
                {"name": "u", "inputSchema": {"type": "object"}, "outputSchema": {"type": "object", "properties": {"a": True}}},
                {"name": "v", "inputSchema": {"type": "object"}, "outputSchema": {"anyOf": [{"type": "object"}]}},
            ],
            "nextCursor": "c",
        },
    ],
    "prompts/get": [
        {"messages": [{"role": "user", "content": block} for block in (TEXT, IMAGE, AUDIO, LINK, EMBEDDED)], "description": "d"},
        {"resultType": "complete", "messages": []},
    ],
    "prompts/list": [{"prompts": [{"name": "p", "arguments": [{"name": "a"}]}]}, {"resultType": "complete", "prompts": [], "ttlMs": 1}],
    "resources/read": [
        {"contents": [{"uri": "file:///a", "text": "a"}, {"uri": "file:///b", "blob": "aGk="}]},
        {"resultType": "complete", "contents": [{"uri": "ui://a", "text": "", "_meta": {"ui": {}}}], "ttlMs": 5, "cacheScope": "public"},
    ],
    "resources/list": [{"resources": [{"uri": "file:///a", "name": "a"}]}],
    "resources/templates/list": [{"resourceTemplates": [{"uriTemplate": "file:///{a}", "name": "a"}]}],
    "completion/complete": [{"completion": {"values": ["a"], "hasMore": False}}, {"resultType": "complete", "completion": {"values": []}}],
}
CASES = [(method, result) for method, results in RESULTS.items() for result in results]


def test_every_revision_that_the_official_sdk_knows_belongs_to_an_era() -> None:
    assert tuple(reversed(sdk_version.HANDSHAKE_PROTOCOL_VERSIONS)) == SESSION_VERSIONS
    assert sdk_version.MODERN_PROTOCOL_VERSIONS == EXCHANGE_VERSIONS
    assert {version: era_of(version) for version in SESSION_VERSIONS} == dict.fromkeys(SESSION_VERSIONS, Era.SESSION)
    assert {version: era_of(version) for version in EXCHANGE_VERSIONS} == dict.fromkeys(EXCHANGE_VERSIONS, Era.EXCHANGE)
    assert (era_of(None), era_of(" 2026-07-28\t")) == (Era.SESSION, Era.EXCHANGE)


@pytest.mark.parametrize("version", ["2099-01-01", "", "v1", "2026-07-28, 2026-07-28", "x" * 999])
def test_an_unknown_revision_is_refused_with_those_that_are_spoken(version: str) -> None:
    with pytest.raises(Refused) as refused:
        era_of(version)
    assert refused.value.reason is Reason.UNSUPPORTED_VERSION
    assert refused.value.extra == {"supported": ["2026-07-28", "2025-11-25", "2025-06-18"], "requested": version[:40]}


# Results


@pytest.mark.parametrize(("method", "result"), CASES)
@pytest.mark.parametrize("version", SESSION_VERSIONS)
def test_any_result_becomes_one_that_a_client_of_the_session_era_accepts(method: str, result: dict[str, Any], version: str) -> None:
    sdk.validate_server_result(method, version, to_session(method, result, version))


@pytest.mark.parametrize(("method", "result"), CASES)
def test_any_result_becomes_one_that_a_client_of_the_exchange_era_accepts(method: str, result: dict[str, Any]) -> None:
    sdk.validate_server_result(method, "2026-07-28", to_exchange(method, result))


@pytest.mark.parametrize(("method", "result"), CASES)
@pytest.mark.parametrize(("one", "other"), list(itertools.product(SESSION_VERSIONS, repeat=2)))
def test_going_by_a_newer_revision_makes_no_difference(method: str, result: dict[str, Any], one: str, other: str) -> None:
    older, newer = sorted((one, other))
    assert to_session(method, to_session(method, result, newer), older) == to_session(method, result, older)


@pytest.mark.parametrize(("method", "result"), CASES)
def test_carrying_a_result_changes_neither_the_result_nor_what_is_carried_already(method: str, result: dict[str, Any]) -> None:
    before = repr(result)
    once = to_session(method, result, "2025-06-18")
    assert to_session(method, once, "2025-06-18") == once
    again = to_exchange(method, result)
    assert to_exchange(method, again) == again
    assert repr(result) == before


@given(st.dictionaries(st.sampled_from(["vendor", "content", "isError", "structuredContent", "nextCursor"]), st.integers(), max_size=4))
def test_what_no_revision_gives_a_meaning_survives_both_ways(fields: dict[str, Any]) -> None:
    for method in ("completion/complete", "resources/list"):
        assert to_session(method, fields, "2024-11-05") == fields
        assert fields.items() <= to_exchange(method, fields).items()


def test_only_cacheable_complete_results_say_how_long_they_hold_and_that_they_are_for_one_caller() -> None:
    assert to_exchange("tools/call", {"content": []}) == {"content": [], "resultType": "complete"}
    held = {"resultType": "complete", "ttlMs": 0, "cacheScope": "private"}
    for method in CACHEABLE:
        assert to_exchange(method, {}) == held
        assert to_exchange(method, {"ttlMs": 500, "cacheScope": "public"}) == {**held, "ttlMs": 500}
        for odd in (-1, True, "1", None, 1.5):
            assert to_exchange(method, {"ttlMs": odd}) == held
    asking = {"resultType": "input_required", "requestState": "s"}
    assert to_exchange("resources/read", asking) == asking


def test_fields_of_the_exchange_era_stay_there() -> None:
    complete = {"resultType": "complete", "ttlMs": 1, "cacheScope": "public", "contents": [], "_meta": {**SERVER, "a.b/c": 1}}
    assert to_session("resources/read", complete, "2025-11-25") == {"contents": [], "_meta": {"a.b/c": 1}}
    assert to_session("tools/call", {"content": [], "ttlMs": 1}, "2025-11-25") == {"content": [], "ttlMs": 1}
    asking = {"resultType": "input_required", "inputRequests": {}, "requestState": "s"}
    assert to_session("tools/call", asking, "2025-11-25") == {}


@pytest.mark.parametrize(("value", "printed"), [(None, "null"), ([1], "[1]"), ("text", '"text"'), (5, "5"), (True, "true")])
def test_a_structured_value_that_is_no_object_is_kept_as_text_if_nothing_else_says_it(value: object, printed: str) -> None:
    told = {"content": [TEXT], "structuredContent": value}
    assert to_session("tools/call", told, "2025-11-25") == {"content": [TEXT]}
    assert to_exchange("tools/call", told)["structuredContent"] == value
    shown = to_session("tools/call", {"content": [IMAGE], "structuredContent": value}, "2025-11-25")
    assert shown == {"content": [IMAGE, {"type": "text", "text": printed}]}


def test_an_object_as_structured_value_reaches_every_revision() -> None:
    for version in SESSION_VERSIONS:
        assert to_session("tools/call", {"content": [TEXT], "structuredContent": {"a": 1}}, version)["structuredContent"] == {"a": 1}


def test_kinds_of_content_that_a_revision_lacks_are_said_in_those_it_has() -> None:
    unknown = {"type": "hologram", "uri": "x:y"}
    embedded_audio = {
        "type": "resource",
        "resource": {"uri": "urn:doorward:audio", "blob": "UklGRg==", "mimeType": "audio/wav"},
        "annotations": {"priority": 1},
    }
    link = {"type": "text", "text": "a file:///a"}
    expected = {
        "2025-11-25": [AUDIO, LINK, unknown, 7],
        "2025-06-18": [AUDIO, LINK, unknown, 7],
        "2025-03-26": [AUDIO, link, unknown, 7],
        "2024-11-05": [embedded_audio, link, unknown, 7],
    }
    result = {"content": [AUDIO, LINK, unknown, 7]}
    assert {version: to_session("tools/call", result, version)["content"] for version in SESSION_VERSIONS} == expected


def test_schemas_that_older_readers_refuse_are_spelled_for_them() -> None:
    tools = to_session("tools/list", RESULTS["tools/list"][1], "2025-11-25")["tools"]
    assert tools == [
        {"name": "t", "inputSchema": {"type": "object", "properties": {"a": {}, "b": {"not": {}}}}},
        {"name": "u", "inputSchema": {"type": "object"}, "outputSchema": {"type": "object", "properties": {"a": {}}}},
        {"name": "v", "inputSchema": {"type": "object"}},
    ]


# Envelopes

NEEDED = {VERSION_KEY: "2026-07-28", CAPABILITIES_KEY: {"elicitation": {}}}


def test_an_envelope_is_opened_into_its_parts() -> None:
    trace = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    meta = {
        **NEEDED,
        CLIENT_KEY: {"name": "c"},
        LEVEL_KEY: "warning",
        "progressToken": 7,
        "traceparent": trace,
        "baggage": "secret=1",
        "com.example/x": [1],
        "io.modelcontextprotocol/other": 1,
    }
    assert open_envelope({"_meta": meta, "name": "n"}) == Envelope(
        "2026-07-28", {"elicitation": {}}, {"name": "c"}, "warning", 7, trace, {"com.example/x": [1]}
    )
    assert open_envelope({"_meta": NEEDED}) == Envelope("2026-07-28", {"elicitation": {}}, {}, None, None, "", {})


@pytest.mark.parametrize(
    "meta",
    [
        None,
        [],
        {},
        {VERSION_KEY: "2026-07-28"},
        {CAPABILITIES_KEY: {}},
        {**NEEDED, VERSION_KEY: 1},
        {**NEEDED, CAPABILITIES_KEY: []},
        {**NEEDED, CAPABILITIES_KEY: None},
        {**NEEDED, CLIENT_KEY: "me"},
        {**NEEDED, LEVEL_KEY: "loud"},
        {**NEEDED, LEVEL_KEY: []},
        {**NEEDED, "progressToken": True},
        {**NEEDED, "progressToken": 1.0},
        {**NEEDED, "progressToken": {}},
    ],
)
def test_an_envelope_without_what_it_must_have_is_refused(meta: object) -> None:
    with pytest.raises(Refused) as refused:
        open_envelope({} if meta is None else {"_meta": meta})
    assert refused.value.reason is Reason.INVALID_PARAMS


def test_an_envelope_made_for_an_upstream_opens_to_what_it_was_made_of() -> None:
    made = make_envelope("2026-07-28", {"roots": {}}, {"name": "doorward"}, "info")
    assert open_envelope({"_meta": made}) == Envelope("2026-07-28", {"roots": {}}, {"name": "doorward"}, "info", None, "", {})
    assert LEVEL_KEY not in make_envelope("2026-07-28", {}, {}, None)
