"""An operator's rule decides what a tool is; a server's word only where the operator believes it."""

from typing import Any

import pytest

from doorward.catalog.groups import UNKNOWN, doubts, parents, reversibility
from doorward.config.model import ToolRule, Upstream
from doorward.domain.catalog import Kind, Reversibility


def groups(annotations: object, **fields: Any) -> frozenset[str]:
    upstream = Upstream.model_validate({"url": "https://a.example.com", **fields})
    return parents(Kind.TOOL, "t", {"annotations": annotations}, upstream)


@pytest.mark.parametrize(
    "annotations", [None, {}, {"readOnlyHint": True}, {"readOnlyHint": True, "destructiveHint": False, "openWorldHint": False}]
)
def test_an_untrusted_servers_hints_make_nothing_harmless(annotations: object) -> None:
    assert groups(annotations) == UNKNOWN == {"write", "destructive", "external"}


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        (None, {"write", "destructive", "external"}),
        ({}, {"write", "destructive", "external"}),
        ({"readOnlyHint": True}, {"read", "external"}),
        ({"readOnlyHint": True, "openWorldHint": False}, {"read"}),
        ({"readOnlyHint": True, "destructiveHint": True}, {"write", "destructive", "external"}),
        ({"readOnlyHint": "yes"}, {"write", "destructive", "external"}),
        ({"readOnlyHint": 1}, {"write", "destructive", "external"}),
        ({"destructiveHint": False}, {"write", "external"}),
        ({"destructiveHint": False, "openWorldHint": False}, {"write"}),
        ({"destructiveHint": 0, "openWorldHint": None}, {"write", "destructive", "external"}),
    ],
)
def test_believed_hints_count_with_the_specifications_defaults(annotations: object, expected: set[str]) -> None:
    assert groups(annotations, hints="believe") == expected


def test_a_rule_wins_over_any_hint() -> None:
    rule = {"t": {"groups": ["read"]}}
    assert groups({"destructiveHint": True}, tools=rule, hints="believe") == {"read"}
    assert groups({"readOnlyHint": True}, tools={"t": {"groups": ["destructive"]}}, hints="believe") == {"write", "destructive"}
    assert groups({"readOnlyHint": True}, tools={"t": {"reversibility": "reversible"}}) == UNKNOWN


def test_what_is_no_tool_is_read() -> None:
    upstream = Upstream.model_validate({"url": "https://a.example.com", "tools": {"t": {"groups": ["write"]}}})
    assert {parents(kind, "t", {}, upstream) for kind in (Kind.PROMPT, Kind.RESOURCE, Kind.TEMPLATE, Kind.INSTRUCTIONS)} == {
        frozenset({"read"})
    }


def test_unknown_reversibility_is_irreversible() -> None:
    assert reversibility(None, UNKNOWN) is Reversibility.IRREVERSIBLE
    assert reversibility(ToolRule(groups=("write",)), frozenset({"write"})) is Reversibility.IRREVERSIBLE
    assert reversibility(ToolRule(groups=("read",)), frozenset({"read"})) is Reversibility.READ
    assert reversibility(ToolRule(reversibility=Reversibility.COMPENSABLE), UNKNOWN) is Reversibility.COMPENSABLE


def test_a_server_that_claims_worse_than_its_rule_is_doubted() -> None:
    rule = ToolRule(groups=("read",))
    assert len(list(doubts({"annotations": {"destructiveHint": True, "openWorldHint": True}}, rule))) == 2
    assert list(doubts({"annotations": {"readOnlyHint": True}}, rule)) == []
    assert list(doubts({}, rule)) == []
