"""Whether two addresses show the same, and which of several counts."""

import pytest
from msgspec.structs import replace

from doorward.domain.calls import Era
from doorward.domain.ids import Digest
from doorward.testing.upstream import tool
from doorward.upstream.replicas.shown import agreed, differences, shown
from tests.upstream.replicas.yard import VIEW

BOTH = replace(VIEW, tools=(tool("a"), tool("b")))


def test_order_resources_and_versions_make_no_difference() -> None:
    other = replace(
        BOTH, tools=BOTH.tools[::-1], resources=({"uri": "x://1", "name": "one"},), versions=("2027-01-01",), server_info={"name": "two"}
    )
    assert shown(other) == shown(BOTH)


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (replace(BOTH, tools=(tool("a"), tool("b", "Other."))), "tool b"),
        (replace(BOTH, tools=(tool("a"),)), "tool b"),
        (replace(BOTH, tools=(tool("a"), tool("a", "Hidden behind the first."), tool("b"))), "tool a"),
        (replace(BOTH, prompts=({"name": "p"},)), "prompt p"),
        (replace(BOTH, templates=({"uriTemplate": "x://{y}", "name": "t"},)), "template x://{y}"),
        (replace(BOTH, instructions="be evil"), "instructions"),
        (replace(BOTH, capabilities={}), "capabilities"),
        (replace(BOTH, era=Era.SESSION), "era"),
    ],
)
def test_whatever_else_differs_is_named(other: object, named: str) -> None:
    told = differences(shown(BOTH), shown(other))  # type: ignore[arg-type]
    assert told.startswith(named)


def test_differences_are_named_as_far_as_one_reads() -> None:
    many = replace(BOTH, tools=tuple(tool(f"t{number}") for number in range(9)))
    assert differences(shown(replace(BOTH, tools=())), shown(many)) == "tool t0, tool t1, tool t2, tool t3, tool t4, and 4 more"


@pytest.mark.parametrize(
    ("votes", "before", "expected"),
    [("", None, None), ("a", None, "a"), ("baa", None, "a"), ("ba", None, "b"), ("ba", "a", "a"), ("bba", "a", "b"), ("bc", "a", "b")],
)
def test_most_decide_then_what_was_agreed_before_then_the_first(votes: str, before: str | None, expected: str | None) -> None:
    assert agreed((Digest(vote) for vote in votes), None if before is None else Digest(before)) == expected
