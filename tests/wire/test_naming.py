"""Names across upstreams."""

import re
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.config.part import UpstreamName
from doorward.domain.ids import UpstreamId
from doorward.wire.naming import advertise, unwrap_uri, wrap_definition, wrap_result, wrap_uri

CONSTRAINTS = get_args(UpstreamName)[1]
LONGEST = "u" * CONSTRAINTS.max_length
UPSTREAMS = (
    st.from_regex(CONSTRAINTS.pattern, fullmatch=True).filter(lambda name: len(name) <= CONSTRAINTS.max_length) | st.just(LONGEST)
).map(UpstreamId)
NAMES = st.one_of(
    st.text(min_size=1, max_size=90),
    st.from_regex(r"[A-Za-z0-9_-]{1,60}", fullmatch=True),
    st.from_regex(r"[a-z]{0,20}_x[a-z2-7]{24}", fullmatch=True),
)


@given(UPSTREAMS, NAMES)
def test_an_advertised_name_is_one_that_every_model_api_takes(upstream: UpstreamId, name: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", advertise(upstream, name))


@given(UPSTREAMS, NAMES, UPSTREAMS, NAMES)
def test_two_tools_never_share_a_name(upstream: UpstreamId, name: str, other: UpstreamId, another: str) -> None:
    same = advertise(upstream, name) == advertise(other, another)
    assert same == ((upstream, name) == (other, another))


@given(UPSTREAMS, NAMES)
def test_a_tool_named_like_a_shortened_one_gets_another_name(upstream: UpstreamId, name: str) -> None:
    shown = advertise(upstream, name)
    posing = shown.removeprefix(f"{upstream}__")
    assert posing == name or advertise(upstream, posing) != shown


@given(st.lists(st.tuples(UPSTREAMS, NAMES), max_size=12, unique=True))
def test_an_advertised_name_taken_for_a_tools_own_name_still_collides_with_none(pairs: list[tuple[UpstreamId, str]]) -> None:
    everything = {*pairs, *((upstream, advertise(upstream, name).partition("__")[2]) for upstream, name in pairs)}
    assert len({advertise(upstream, name) for upstream, name in everything}) == len(everything)


@given(UPSTREAMS, NAMES)
def test_the_first_two_underscores_end_the_upstream(upstream: UpstreamId, name: str) -> None:
    assert advertise(upstream, name).partition("__")[0] == upstream


@pytest.mark.parametrize(
    ("upstream", "name", "shown"),
    [
        ("git-hub", "create_issue", "git-hub__create_issue"),
        ("a", "n" * 61, "a__" + "n" * 61),
        ("a", "_", "a___"),
        ("fs", "repo.read", "fs__repo-read_xgrry6ere7ovuxj5bxtx46lxn"),
        ("a", "n" * 62, "a__" + "n" * 35 + "_xhrllw4cyykjrioijorpksska"),
        (LONGEST, "n" * 40, LONGEST + "__nnnnn_xne3ig22svgjbe7qrjcb3uwgr"),
    ],
)
def test_a_short_plain_name_is_kept_and_any_other_stays_recognisable(upstream: str, name: str, shown: str) -> None:
    assert advertise(UpstreamId(upstream), name) == shown


@given(UPSTREAMS, st.text(max_size=60))
def test_a_wrapped_uri_opens_to_what_was_wrapped(upstream: UpstreamId, uri: str) -> None:
    assert unwrap_uri(wrap_uri(upstream, uri)) == (upstream, uri)


@pytest.mark.parametrize("text", ["file:///a+b", "", "+file:///a", "A+file:///a", "a--b+file:///a", "a_b+file:///a", "file"])
def test_a_uri_without_an_upstream_opens_to_nothing(text: str) -> None:
    assert unwrap_uri(text) is None


def test_uris_in_results_are_wrapped_wherever_they_name_a_resource() -> None:
    up = UpstreamId("docs")
    result: dict[str, Any] = {
        "content": [
            {"type": "resource_link", "uri": "file:///a", "name": "a"},
            {"type": "resource", "resource": {"uri": "file:///b", "text": "uri: file:///b"}},
            {"type": "text", "text": "file:///c", "uri": "kept"},
            {"type": "hologram", "uri": "kept"},
        ],
        "vendor": 1,
    }
    assert wrap_result("tools/call", up, result) == {
        "content": [
            {"type": "resource_link", "uri": "docs+file:///a", "name": "a"},
            {"type": "resource", "resource": {"uri": "docs+file:///b", "text": "uri: file:///b"}},
            {"type": "text", "text": "file:///c", "uri": "kept"},
            {"type": "hologram", "uri": "kept"},
        ],
        "vendor": 1,
    }
    assert wrap_result("resources/read", up, {"contents": [{"uri": "x:1"}]}) == {"contents": [{"uri": "docs+x:1"}]}
    assert wrap_result("prompts/get", up, {"messages": [{"role": "user", "content": result["content"][1]}, {"role": "user"}, 7]}) == {
        "messages": [
            {"role": "user", "content": {"type": "resource", "resource": {"uri": "docs+file:///b", "text": "uri: file:///b"}}},
            {"role": "user"},
            7,
        ]
    }


@pytest.mark.parametrize(
    ("method", "result"),
    [
        ("tools/call", {"content": "no list", "structuredContent": {"uri": "x:1"}}),
        ("tools/call", {"content": [{"type": "resource_link"}, {"type": "resource"}, {"type": "resource", "resource": 7}, None]}),
        ("resources/read", {"contents": [{"text": "no uri"}, {"uri": 7}]}),
        ("completion/complete", {"completion": {"values": ["file:///a"]}}),
    ],
)
def test_what_names_no_resource_stays_as_it_is(method: str, result: dict[str, Any]) -> None:
    assert wrap_result(method, UpstreamId("docs"), result) == result


def test_the_interface_of_a_tool_is_named_by_its_wrapped_uri() -> None:
    body = {"name": "t", "_meta": {"ui": {"resourceUri": "ui://a", "visibility": ["app"]}, "ui/resourceUri": "ui://a", "x": 1}}
    assert wrap_definition(UpstreamId("docs"), body) == {
        "name": "t",
        "_meta": {"ui": {"resourceUri": "docs+ui://a", "visibility": ["app"]}, "ui/resourceUri": "docs+ui://a", "x": 1},
    }
    assert wrap_definition(UpstreamId("docs"), {"name": "t"}) == {"name": "t"}
