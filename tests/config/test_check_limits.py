"""Checks of limits: one rule each, and selections that lead somewhere."""

from collections.abc import Mapping

import pytest

from doorward.config.check_limits import MOST, limits
from doorward.config.model import Document

ONE = {"concurrent": 1}


def found(**rules: Mapping[str, object]) -> list[tuple[str, str]]:
    document = Document.model_validate({"upstreams": {"git": {"url": "https://git.test/mcp"}}, "limits": rules})
    return [(".".join(map(str, one.path)), one.message) for one in limits(document)]


def test_a_limit_of_either_sort_on_what_is_there_is_as_it_should_be() -> None:
    of = {"upstreams": ["git"], "tools": ["git/commit"], "users": ["corp:alice"], "methods": ["tools/call", "lists"]}
    assert found(a={"of": of, "per": ["user", "tool"], "rate": {"calls": 1}}, b=ONE) == []


@pytest.mark.parametrize(
    ("rule", "where", "message"),
    [
        ({}, "limits.a", "expected one of rate and concurrent, got neither"),
        ({**ONE, "rate": {"calls": 1}}, "limits.a", "expected one of rate and concurrent, got both"),
        ({**ONE, "per": ["agent", "agent"]}, "limits.a.per", "expected each thing once"),
        ({**ONE, "of": {"upstreams": ["gti"]}}, "limits.a.of.upstreams.0", 'there is no upstream "gti"; did you mean "git"?'),
        ({**ONE, "of": {"tools": ["gti/commit"]}}, "limits.a.of.tools.0", 'there is no upstream "gti"; did you mean "git"?'),
        ({**ONE, "of": {"tools": ["commit"]}}, "limits.a.of.tools.0", 'expected upstream/tool, got "commit"'),
        ({**ONE, "of": {"users": ["alice"]}}, "limits.a.of.users.0", 'expected issuer:name, got "alice"'),
        (
            {**ONE, "of": {"tools": ["git/commit"], "methods": ["lists"]}},
            "limits.a.of.methods",
            "no tool is called by these methods, so this is about nothing",
        ),
    ],
)
def test_what_cannot_be_meant_is_told_with_its_place(rule: Mapping[str, object], where: str, message: str) -> None:
    assert found(a=rule) == [(where, message)]


def test_more_limits_than_may_be_are_told() -> None:
    assert found(**{f"a{number}": ONE for number in range(MOST + 1)}) == [("limits", f"expected at most {MOST} limits, got {MOST + 1}")]
