"""Names across upstreams."""

import re

from hypothesis import given
from hypothesis import strategies as st

from doorward.domain.ids import UpstreamId
from doorward.wire.naming import advertise, unwrap_uri, wrap_result, wrap_uri

UPSTREAMS = st.from_regex(r"[a-z](-?[a-z0-9]){0,15}", fullmatch=True).map(UpstreamId)
NAMES = st.one_of(
    st.text(min_size=1, max_size=90),
    st.from_regex(r"[A-Za-z0-9_-]{1,60}", fullmatch=True),
    st.from_regex(r"[a-z]{0,20}_x[0-9a-f]{16}", fullmatch=True),
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


def test_a_short_plain_name_is_kept_readable() -> None:
    assert advertise(UpstreamId("git-hub"), "create_issue") == "git-hub__create_issue"


@given(UPSTREAMS, st.text(max_size=60))
def test_a_wrapped_uri_opens_to_what_was_wrapped(upstream: UpstreamId, uri: str) -> None:
    assert unwrap_uri(wrap_uri(upstream, uri)) == (upstream, uri)


def test_a_uri_without_an_upstream_opens_to_nothing() -> None:
    assert unwrap_uri("file:///a+b") is None


def test_uris_in_results_are_wrapped_wherever_they_name_a_resource() -> None:
    up = UpstreamId("docs")
    result = {
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
