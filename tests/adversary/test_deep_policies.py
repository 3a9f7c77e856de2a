"""A candidate of policies that is nested so deeply that whoever parses it falls over: it is refused before, whoever sends it."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorward.control.operators import Operator, Role
from doorward.policy.rules import Source, parse
from tests.control.plane import plane

HEAD = '@id("a")\n@reason("b")\npermit (principal, action, resource) when { '
UID = 61_012


def deep(kind: str, levels: int) -> str:
    """A policy of about so many levels."""
    bodies = {
        "brackets": "(" * levels + "1" + ")" * levels + " == 1",
        "sets": "[" * levels + "1" + "]" * levels + " == 1",
        "records": "{a:" * levels + "1" + "}" * levels + " == 1",
        "negations": "!(" * levels + "true" + ")" * levels,
        "conditions": "if true then " * levels + "true" + " else true" * levels,
        "tests": "if " * levels + "true" + " then true else true" * levels,
        "conjunction": " && ".join(["true"] * levels),
        "disjunction": " || ".join(["true"] * levels),
        "sum": " + ".join(["1"] * levels) + " == 1",
        "product": " * ".join(["1"] * levels) + " == 1",
        "path": "context" + ".a" * levels,
        "index": "context" + '["a"]' * levels,
        "calls": "context.contains(" * levels + "1" + ")" * levels,
        "functions": "ip(" * levels + '"1"' + ")" * levels,
        "presence": "context has " + ".".join(["a"] * levels),
        "comparison": " == ".join(["1"] * levels),
        "unclosed": "(" * levels,
        "closed": ")" * levels,
        "mixed": "(1 + [{a: !(" * levels,
    }
    return f"{HEAD}{bodies[kind]} }};"


KINDS = (
    "brackets sets records negations conditions tests conjunction disjunction sum product path index calls functions presence comparison "
    "unclosed closed mixed"
)


@pytest.mark.parametrize("levels", [400, 20_000])
@pytest.mark.parametrize("kind", KINDS.split())
def test_policy_of_too_many_levels_is_a_problem_and_not_the_end(kind: str, levels: int) -> None:
    rules, problems = parse(Source("p.cedar", deep(kind, levels)))
    assert (rules, len(problems) >= 1) == ((), True)


@pytest.mark.parametrize("kind", ["sets", "records", "negations", "conditions", "conjunction", "disjunction", "sum", "path", "calls"])
def test_policy_of_as_many_levels_as_cedar_takes_is_still_one(kind: str) -> None:
    rules, problems = parse(Source("p.cedar", deep(kind, 90)))
    assert (len(rules), problems) == (1, ())


def test_long_policy_of_many_conditions_with_long_paths_is_still_one() -> None:
    one = 'context.input.a.b.c.d like "x*" && (principal in Team::"t" || resource.team == "u")'
    rules, problems = parse(Source("p.cedar", f"{HEAD}{' && '.join([one] * 45)} }};"))
    assert (len(rules), problems) == (1, ())


@pytest.mark.anyio
async def test_viewer_who_compares_such_a_candidate_is_told_so(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        it.operators[UID] = Operator("vic", Role.VIEWER)
        body = {"candidate": [{"path": "p.cedar", "text": deep("brackets", 20_000)}]}
        status, said = await it.ask("POST", "/v1/policies/diff", body, uid=UID)
        assert (status, len(said["problems"])) == (200, 1)
