"""Which attributes a policy reads."""

import pytest
from cedarpy import policies_to_pst

from doorward.policy.reads import NOTHING, WHOLE, Reads, Tree, conditions, merged, together


def reads(condition: str) -> Reads:
    parsed = policies_to_pst(f"permit(principal, action, resource) {condition};")
    return conditions(next(iter(parsed.static_policies.values())))


def paths(condition: str) -> dict[str, list[str]]:
    found = reads(condition)
    named = {"principal": found.principal, "action": found.action, "resource": found.resource, "context": found.context}
    return {name: [".".join(path) for path in tree.paths()] for name, tree in named.items() if tree}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("", {}),
        ("when { 1 == 2 }", {}),
        ("when { context.input.a == 1 } unless { context.time.hour > 2 }", {"context": ["input.a", "time.hour"]}),
        ("when { context has network && context.network.isLoopback() }", {"context": ["network"]}),
        ("when { context.input has a }", {"context": ["input.a"]}),
        ("when { context.input has a.b.c }", {"context": ["input.a.b.c"]}),
        ('when { context["input"]["a b"] like "x*" }', {"context": ["input.a b"]}),
        ("when { context.input == {} }", {"context": ["input"]}),
        ("when { [context].isEmpty() }", {"context": [""]}),
        ('when { {"x": context.input}.x.a == 1 }', {"context": ["input"]}),
        ('when { {"x": context.input}.x has a }', {"context": ["input"]}),
        ("when { (if context.input.a then context.time else context.time).hour > 1 }", {"context": ["input.a", "time"]}),
        ("when { principal.team == resource.team }", {"principal": ["team"], "resource": ["team"]}),
        ('when { principal in Team::"x" && resource is Upstream }', {"principal": [""], "resource": [""]}),
        ('when { principal is Agent in Group::"x" || action in [Action::"a"] }', {"principal": [""], "action": [""]}),
        ("when { !(-(context.input.n) > 1) && context.input.n + 1 * context.input.m > 2 }", {"context": ["input.m", "input.n"]}),
        ('when { principal.hasTag("a") && principal.getTag(context.input.tag) == "x" }', {"principal": [""], "context": ["input.tag"]}),
        ('when { context.input.list.containsAny(["a", context.authn]) }', {"context": ["authn", "input.list"]}),
    ],
)
def test_a_condition_reads(condition: str, expected: dict[str, list[str]]) -> None:
    assert paths(condition) == expected


def test_what_is_only_looked_for_is_told_from_what_is_read() -> None:
    assert reads("when { context.input has a }").of_input == Tree(False, {"a": NOTHING})
    assert reads("when { context.input.a }").of_input == Tree(False, {"a": WHOLE})
    assert reads("when { context.input has a && context.input.a.b == 1 }").of_input == Tree(False, {"a": Tree(False, {"b": WHOLE})})


def test_a_tree_that_is_whole_contains_everything() -> None:
    assert "x" in WHOLE
    assert WHOLE.below("x") is WHOLE
    assert "x" not in NOTHING
    assert NOTHING.below("x") is NOTHING
    assert not NOTHING
    assert list(NOTHING.paths()) == [()]


def test_several_rules_read_what_each_reads() -> None:
    one, other = (
        reads("when { context.input.a == 1 && principal.kind == context.authn }"),
        reads("when { context.input has b && resource.name == 1 }"),
    )
    assert together([one, other]) == Reads(
        context=Tree(False, {"input": Tree(False, {"a": WHOLE, "b": NOTHING}), "authn": WHOLE}),
        principal=Tree(False, {"kind": WHOLE}),
        resource=Tree(False, {"name": WHOLE}),
    )
    assert merged(Tree(False, {"a": NOTHING}), WHOLE).is_whole
