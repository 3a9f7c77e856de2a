"""Headers that say what the body says."""

from contextlib import nullcontext
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp.shared import inbound as sdk

from doorward.domain.reasons import Reason, Refused
from doorward.wire.headers import check, check_params, check_unasked, decode_value, derive, encode_value, param_headers

VERSION = "2026-07-28"
GOOD = [(b"mcp-protocol-version", b"2026-07-28"), (b"mcp-method", b"tools/call"), (b"mcp-name", b"echo")]


@given(st.text(max_size=60))
def test_every_text_survives_the_header_encoding(text: str) -> None:
    encoded = encode_value(text)
    assert decode_value(encoded) == text
    assert all("\x20" <= character <= "\x7e" or character == "\t" for character in encoded)
    assert encoded == encoded.strip(" \t")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.from_regex(r"=\?base64\?.{0,8}\?=", fullmatch=True))
def test_the_official_sdk_and_we_read_each_others_header_values(text: str) -> None:
    assert sdk.decode_header_value(encode_value(text)) == text
    assert decode_value(sdk.encode_header_value(text)) == text


@pytest.mark.parametrize("value", ["=?base64?ZR==?=", "=?base64?ZQ?=", "=?base64?Z Q==?=", "=?base64?_-8=?=", "=?base64?/w==?="])
def test_a_value_between_markers_that_is_not_exactly_base64_of_utf_8_says_nothing(value: str) -> None:
    assert decode_value(value) is None


def test_markers_in_another_case_or_place_are_plain_text() -> None:
    for value in ("=?BASE64?ZQ==?=", " =?base64?ZQ==?=", "x=?base64?ZQ==?=", "=?base64?ZQ==", ""):
        assert decode_value(value) == value


def test_headers_that_agree_with_the_body_pass() -> None:
    check(GOOD, "tools/call", {"name": "echo"}, VERSION)
    check([*GOOD[:2], (b"mcp-name", b" \techo ")], "tools/call", {"name": "echo"}, VERSION)
    check([*GOOD[:2], (b"mcp-name", b"=?base64?w7ZrbwA=?=")], "tools/call", {"name": "öko\0"}, VERSION)
    check([GOOD[0], (b"mcp-method", b"tools/list")], "tools/list", {}, VERSION)
    check([(b"accept", b"a"), (b"accept", b"b"), *GOOD, (b"x-mcp-name", b"other")], "tools/call", {"name": "echo"}, VERSION)
    check([GOOD[0], (b"mcp-method", b"resources/read"), (b"mcp-name", b"a:b")], "resources/read", {"uri": "a:b", "name": "c"}, VERSION)
    check([GOOD[0], (b"mcp-method", b"tasks/get"), (b"mcp-name", b"t1")], "tasks/get", {"taskId": "t1"}, VERSION)


def test_a_body_that_lacks_the_name_is_left_to_those_who_need_it() -> None:
    check(GOOD[:2], "tools/call", {}, VERSION)


def test_a_name_in_raw_bytes_beyond_ascii_is_refused_for_readers_differ_on_them() -> None:
    for name in ("é".encode("latin-1"), "é".encode(), b"a\x00b", b"a\x7f"):
        with pytest.raises(Refused):
            check([*GOOD[:2], (b"mcp-name", name)], "tools/call", {"name": name.decode("latin-1")}, VERSION)


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
        [*GOOD[:2], (b"mcp-name", b"echo,echo")],
        [*GOOD, (b"mcp-protocol-version", b"2026-07-28")],
        [*GOOD, (b"mcp-session-id", b"a"), (b"mcp-session-id", b"a")],
    ],
)
def test_a_header_that_disagrees_is_missing_or_doubled_refuses_the_message(headers: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(Refused) as refused:
        check(headers, "tools/call", {"name": "echo"}, VERSION)
    assert refused.value.reason is Reason.HEADER_MISMATCH


@pytest.mark.parametrize(
    ("headers", "is_good"),
    [
        ([], True),
        ([(b"mcp-method", b"tools/call"), (b"mcp-name", b"echo")], True),
        ([(b"mcp-name", b"=?base64?ZWNobw==?=")], True),
        ([(b"mcp-method", b"tools/list")], False),
        ([(b"mcp-name", b"pay")], False),
        ([(b"mcp-name", b"=?base64?!!?=")], False),
        ([(b"mcp-name", b"echo"), (b"mcp-name", b"echo")], False),
    ],
)
def test_headers_that_the_session_era_does_not_ask_for_may_not_say_something_else(
    headers: list[tuple[bytes, bytes]], is_good: bool
) -> None:
    with nullcontext() if is_good else pytest.raises(Refused, match=r""):
        check_unasked(headers, "tools/call", {"name": "echo"})


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
        {"a": {"type": ["string", "null"], "x-mcp-header": "N"}},
        {"a": {"type": "string", "x-mcp-header": "N\n"}},
        {"a": {"type": "string", "x-mcp-header": "Größe"}},
        {"a": {"x-mcp-header": "N"}},
        {"a": {"type": "object", "additionalProperties": {"type": "string", "x-mcp-header": "N"}}},
        {"a": {"type": "object", "$defs": {"b": {"properties": {"c": {"type": "string", "x-mcp-header": "N"}}}}}},
        {str(number): {"type": "string", "x-mcp-header": f"N{number}"} for number in range(65)},
    ],
)
def test_an_annotation_that_breaks_a_rule_rules_the_tool_out(properties: dict[str, Any]) -> None:
    assert param_headers({"type": "object", "properties": properties}) is None


def test_an_annotation_on_the_root_rules_the_tool_out_and_one_in_plain_values_is_none() -> None:
    assert param_headers({"type": "string", "x-mcp-header": "N"}) is None
    held = {"x-mcp-header": "N"}
    assert param_headers({"properties": {"a": {"default": held, "enum": [held], "const": held, "examples": [held], "x": held}}}) == {}
    assert param_headers({"$defs": {"x-mcp-header": {}}, "properties": {"x-mcp-header": True}}) == {}
    assert param_headers(True) == {}


KEYWORDS = st.sampled_from(["properties", "items", "anyOf", "$defs", "not", "default", "x-mcp-header", "type", "a", "b"])
WORDS = st.sampled_from(["string", "integer", "number", "N", "n", "M", "two words", ""])
SCHEMAS = st.recursive(
    WORDS | st.booleans(), lambda inner: st.dictionaries(KEYWORDS, inner, max_size=4) | st.lists(inner, max_size=2), max_leaves=20
)


@given(SCHEMAS)
def test_what_passes_here_passes_the_official_sdk_with_the_same_headers(schema: object) -> None:
    """We are stricter where a schema is none, such as `anyOf` with an object: an annotation in there is refused."""
    found = param_headers(schema)
    if found is not None:
        assert sdk.find_invalid_x_mcp_header(schema) is None
        assert found == {f"mcp-param-{token.lower()}": path for path, token in sdk.x_mcp_header_map(schema).items()}


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "region": st.text(max_size=20),
            "dry": st.booleans() | st.none(),
            "shard": st.fixed_dictionaries(
                {"no": st.integers(-(10**30), 10**30) | st.decimals(-(10**30), 10**30) | st.lists(st.integers(), max_size=2)}
            ),
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
        ([(b"mcp-param-shard", b"42.5")], {"shard": {"no": 42}}),
        ([(b"mcp-param-shard", b"9007199254740993.0")], {"shard": {"no": 9007199254740992}}),
        ([(b"mcp-param-shard", b"[]")], {"shard": {"no": []}}),
        ([(b"mcp-param-shard", b"1")], {"shard": "1"}),
        ([(b"mcp-param-region", b"\xc3\xa9")], {"region": "é"}),
        ([(b"mcp-param-other", b"a"), (b"mcp-param-other", b"a")], {}),
    ],
)
def test_a_parameter_header_that_disagrees_refuses_the_call(headers: list[tuple[bytes, bytes]], arguments: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        check_params(headers, arguments, EXPECTED)
    assert refused.value.reason is Reason.HEADER_MISMATCH


@pytest.mark.parametrize(
    ("said", "held"),
    [(b"42.0", 42), (b" 42\t", 42), (b"42", Decimal("42.0")), (b"100", Decimal("1E+2")), (b"1.5", Decimal("1.50")), (b"-0", 0)],
)
def test_integers_are_compared_as_numbers(said: bytes, held: object) -> None:
    check_params([(b"mcp-param-shard", said)], {"shard": {"no": held}}, EXPECTED)


def test_a_parameter_header_that_no_annotation_asks_for_passes() -> None:
    check_params([(b"mcp-param-other", b"x")], {}, EXPECTED)


def test_arguments_that_no_header_can_repeat_are_not_repeated() -> None:
    arguments = {"region": None, "shard": {"no": {"a": 1}}, "dry": [True]}
    assert derive("tools/call", {"name": "t", "arguments": arguments}, VERSION, EXPECTED) == [
        ("MCP-Protocol-Version", VERSION),
        ("Mcp-Method", "tools/call"),
        ("Mcp-Name", "t"),
    ]
    check_params([], arguments, EXPECTED)


def test_headers_for_an_upstream_follow_from_its_own_names() -> None:
    assert derive("tools/list", {"name": "no", "": "no"}, VERSION, None) == [
        ("MCP-Protocol-Version", VERSION),
        ("Mcp-Method", "tools/list"),
    ]
    held = {"uri": "file:///ü", "arguments": {"region": "eu"}}
    assert derive("resources/read", held, VERSION, None) == [
        ("MCP-Protocol-Version", VERSION),
        ("Mcp-Method", "resources/read"),
        ("Mcp-Name", "=?base64?ZmlsZTovLy/DvA==?="),
    ]
