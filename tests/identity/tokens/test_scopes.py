"""What scopes cover, and that no meeting of two gives more than both."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.domain.calls import Call
from doorward.domain.catalog import Kind, Reversibility, Target
from doorward.domain.ids import CallId, Digest, TeamId, UpstreamId
from doorward.identity.own import own
from doorward.identity.tokens.scopes import covers, narrowed, needed, reaches

UPSTREAMS = ("git", "wiki", "read", "a-b", "mcp")
SCOPES = ("mcp", "mcp:read", *(f"mcp:{name}" for name in UPSTREAMS if name != "read"), *(f"mcp:{name}:read" for name in UPSTREAMS))
FOREIGN = ("openid", "", "mcp:", "mcp:*", "mcp:Git", "mcp:git:write", "mcp::read", "mcp:git:read:read", "MCP", "mcp:read ", "mcp:a--b")


def call(upstream: str, *parents: str) -> Call:
    target = Target(UpstreamId(upstream), Kind.TOOL, "x", None, TeamId("team"), frozenset(parents), Reversibility.IRREVERSIBLE)
    return Call(CallId("0"), own(), target, "tools/call", {}, {}, b"", Digest(""))


READING = (("read",), ("read", "external"))
WRITING = ((), ("write",), ("write", "destructive", "external"), ("read", "write"))

calls = st.builds(
    lambda upstream, parents: call(upstream, *parents), st.sampled_from(UPSTREAMS), st.sampled_from(READING + WRITING)
) | st.just(call("*", "read"))
scopes = st.frozensets(st.sampled_from(SCOPES + FOREIGN), max_size=5)


def covering(one: Call) -> set[str]:
    return {scope for scope in SCOPES + FOREIGN if covers(frozenset({scope}), one)}


@pytest.mark.parametrize("parents", READING)
def test_call_that_reads_is_covered_by_every_scope_around_it(parents: Iterable[str]) -> None:
    assert covering(call("git", *parents)) == {"mcp", "mcp:read", "mcp:git", "mcp:git:read"}
    assert needed(call("git", *parents)) == "mcp:git:read"


@pytest.mark.parametrize("parents", WRITING)
def test_call_that_may_write_is_covered_by_no_scope_for_reading(parents: Iterable[str]) -> None:
    assert covering(call("git", *parents)) == {"mcp", "mcp:git"}
    assert needed(call("git", *parents)) == "mcp:git"


def test_list_over_all_upstreams_is_covered_by_what_reads_everywhere() -> None:
    assert covering(call("*", "read")) == {"mcp", "mcp:read"}
    assert needed(call("*", "read")) == "mcp:read"


def test_upstream_that_is_called_read_gets_nothing_from_the_right_to_read() -> None:
    assert (covering(call("read", "write")), needed(call("read", "write"))) == ({"mcp"}, "mcp")
    assert (covering(call("read", "read")), needed(call("read", "read"))) == ({"mcp", "mcp:read", "mcp:read:read"}, "mcp:read:read")


@given(scopes, scopes, calls)
def test_more_scopes_never_cover_less(some: frozenset[str], more: frozenset[str], one: Call) -> None:
    assert covers(some | more, one) == (covers(some, one) or covers(more, one))


@given(calls)
def test_needed_scope_covers_the_call_and_no_narrower_one_does(one: Call) -> None:
    least = needed(one)
    assert covers(frozenset({least}), one)
    assert all(narrowed(frozenset({least}), frozenset({wider})) == {least} for wider in covering(one))


@given(scopes, scopes, calls)
def test_narrowed_scopes_cover_exactly_what_both_cover(wanted: frozenset[str], held: frozenset[str], one: Call) -> None:
    assert covers(narrowed(wanted, held), one) == (covers(wanted, one) and covers(held, one))


@given(scopes, scopes)
def test_narrowing_brings_no_text_of_others_and_again_changes_nothing(wanted: frozenset[str], held: frozenset[str]) -> None:
    kept = narrowed(wanted, held)
    assert kept & set(FOREIGN) == wanted & held & set(FOREIGN)
    assert narrowed(kept, held) == kept
    assert narrowed(wanted, frozenset()) == narrowed(frozenset(), held) == frozenset()


@given(scopes, st.sampled_from(UPSTREAMS))
def test_scopes_reach_an_upstream_where_they_cover_reading_there(some: frozenset[str], upstream: str) -> None:
    assert reaches(some, UpstreamId(upstream)) == covers(some, call(upstream, "read"))
