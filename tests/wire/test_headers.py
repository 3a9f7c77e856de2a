"""Headers that say what the body says."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.domain.reasons import Reason, Refused
from doorward.wire.headers import check, check_params, decode_value, derive, encode_value, param_headers

VERSION = "2026-07-28"
GOOD = [(b"mcp-protocol-version", b"2026-07-28"), (b"mcp-method", b"tools/call"), (b"mcp-name", b"echo")]


@given(st.text(max_size=60))
def test_every_text_survives_the_header_encoding(text: str) -> None:
    encoded = encode_value(text)
    assert decode_value(encoded) == text
    assert all("\x20" <= character <= "\x7e" or character == "\t" for character in encoded)
    assert encoded == encoded.strip(" \t")


def test_headers_that_agree_with_the_body_pass() -> None:
    check(GOOD, "tools/call", {"name": "echo"}, VERSION)
    check([*GOOD[:2], (b"mcp-name", b" \techo ")], "tools/call", {"name": "echo"}, VERSION)
    check([*GOOD[:2], (b"mcp-name", b"=?base64?w7ZrbwA=?=")], "tools/call", {"name": "öko\0"}, VERSION)
    check([GOOD[0], (b"mcp-method", b"tools/list")], "tools/list", {}, VERSION)


@pytest.mark.parametrize(
    "headers",
    [
        GOOD[1:],
        [GOOD[0], GOOD[2]],
        GOOD[:2],
        [*GOOD, (b"mcp-name", b"echo")],
        [*GOOD, (b"mcp-method", b"tools/call")],
        [(b"mcp-protocol-version", b"2025-11-25"), *GOOD[1:]],
        [GOOD[0], (b"mcp-method", b"TOOLS/CALL"), GOOD[2]],
        [*GOOD[:2], (b"mcp-name", b"Echo")],
        [*GOOD[:2], (b"mcp-name", b"=?base64?!!?=")],
        [*GOOD[:2], (b"mcp-name", b"=?base64?/w==?=")],
        [*GOOD[:2], (b"mcp-name", b"")],
    ],
)
def test_a_header_that_disagrees_is_missing_or_doubled_refuses_the_message(headers: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(Refused) as refused:
        check(headers, "tools/call", {"name": "echo"}, VERSION)
    assert refused.value.reason is Reason.HEADER_MISMATCH


SCHEMA = {
    "type": "object",
    "properties": {
        "region": {"type": "string", "x-mcp-header": "Region"},
        "shard": {"type": "object", "properties": {"no": {"type": "integer", "x-mcp-header": "Shard"}}},
        "dry": {"type": "boolean", "x-mcp-header": "Dry-Run"},
        "x-mcp-header": {"type": "string"},
    },
}
EXPECTED = {"mcp-param-region": ("region",), "mcp-param-shard": ("shard", "no"), "mcp-param-dry-run": ("dry",)}


def test_annotations_along_properties_become_headers() -> None:
    assert param_headers(SCHEMA) == EXPECTED
    assert param_headers({"type": "object"}) == {}


@pytest.mark.parametrize(
    "properties",
    [
        {"a": {"type": "string", "x-mcp-header": ""}},
        {"a": {"type": "string", "x-mcp-header": "Two Words"}},
        {"a": {"type": "string", "x-mcp-header": 7}},
        {"a": {"type": "number", "x-mcp-header": "N"}},
        {"a": {"type": "string", "x-mcp-header": "N"}, "b": {"type": "string", "x-mcp-header": "n"}},
        {"a": {"type": "array", "items": {"type": "string", "x-mcp-header": "N"}}},
        {"a": {"anyOf": [{"type": "string", "x-mcp-header": "N"}]}},
    ],
)
def test_an_annotation_that_breaks_a_rule_rules_the_tool_out(properties: dict[str, Any]) -> None:
    assert param_headers({"type": "object", "properties": properties}) is None


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "region": st.text(max_size=20),
            "dry": st.booleans(),
            "shard": st.fixed_dictionaries({"no": st.integers(-(2**53) + 1, 2**53 - 1)}),
        },
    )
)
def test_what_we_derive_for_an_upstream_is_what_we_would_accept(arguments: dict[str, Any]) -> None:
    derived = derive("tools/call", {"name": "échange", "arguments": arguments}, VERSION, EXPECTED)
    received = [(name.lower().encode(), value.encode()) for name, value in derived]
    check(received, "tools/call", {"name": "échange"}, VERSION)
    check_params(received, arguments, EXPECTED)


@pytest.mark.parametrize(
    ("headers", "arguments"),
    [
        ([], {"region": "eu"}),
        ([(b"mcp-param-region", b"us")], {"region": "eu"}),
        ([(b"mcp-param-region", b"eu")], {}),
        ([(b"mcp-param-region", b"eu")], {"region": None}),
        ([(b"mcp-param-region", b"eu"), (b"mcp-param-region", b"eu")], {"region": "eu"}),
        ([(b"mcp-param-dry-run", b"True")], {"dry": True}),
        ([(b"mcp-param-shard", b"1e1")], {"shard": {"no": 10}}),
        ([(b"mcp-param-shard", b"1")], {"shard": {"no": True}}),
    ],
)
def test_a_parameter_header_that_disagrees_refuses_the_call(headers: list[tuple[bytes, bytes]], arguments: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        check_params(headers, arguments, EXPECTED)
    assert refused.value.reason is Reason.HEADER_MISMATCH


def test_integers_are_compared_as_numbers_and_unknown_parameter_headers_pass() -> None:
    check_params([(b"mcp-param-shard", b"42.0"), (b"mcp-param-other", b"x")], {"shard": {"no": 42}}, EXPECTED)
