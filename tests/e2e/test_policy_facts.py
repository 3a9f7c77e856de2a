"""Derived facts of every kind on a running gateway, as an operator declares them: what they let through, and that what cannot be derived denies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.client import Client, Json
from tests.e2e.commands import told
from tests.e2e.log import of_call
from tests.e2e.witness import Witness, witnessing
from tests.gateway import PERMIT_ALL, Running, doorward, http_upstream, write_config

FACTS: dict[str, tuple[str, Json, str]] = {
    "url": ("x", {"of": "/x", "kind": "url"}, 'fact.host == "acme.example" && context.derived.fact.scheme == "https"'),
    "path": ("x", {"of": "/x", "kind": "path", "base": "/srv", "roots": {"reports": "/srv/reports"}}, 'fact.root == "reports"'),
    "email": ("many", {"of": "/many/*", "kind": "email"}, 'fact.domains == ["acme.example"] && context.derived.fact.count <= 2'),
    "sql": ("x", {"of": "/x", "kind": "sql", "dialect": "postgres"}, 'fact.kinds == ["select"] && context.derived.fact.tables == ["t"]'),
    "decimal": ("x", {"of": "/x", "kind": "decimal"}, 'fact.lessThanOrEqual(decimal("500.0"))'),
    "length": ("x", {"of": "/x", "kind": "length", "unit": "bytes"}, "fact <= 5"),
    "match": ("x", {"of": "/x", "kind": "match", "pattern": "[A-Z]{2}-[0-9]+"}, "fact"),
    "member": ("number", {"of": "/number", "kind": "member", "values": ["4711", "4712"]}, "fact"),
}
"""By kind, which is the tool's name too: the argument, the declaration, and what the policy asks of it."""

SAID: dict[str, list[tuple[Any, str]]] = {
    "url": [
        ("https://ACME.example:443/a/../b", ""),
        ("http://acme.example/", "no-url"),
        ("https://acme.example@evil.org/", "no-url"),
        ("https:\\\\acme.example/", "underived"),
    ],
    "path": [("reports/./q3", ""), ("/srv/reports2", "no-path"), ("reports/../../etc/passwd", "no-path"), ("~/reports", "underived")],
    "email": [
        (["Ann <ann@acme.example>", "bob@ACME.EXAMPLE"], ""),
        (["ann@acme.example", "eve@evil.org"], "no-email"),
        (["a@acme.example", "b@acme.example", "c@acme.example"], "no-email"),
        (["ann@acme.example (eve@evil.org)"], "underived"),
    ],
    "sql": [("select * from T", ""), ("delete from t", "no-sql"), ("select 1 from t, u", "no-sql"), ("select from from", "underived")],
    "decimal": [("500.0000", ""), ("500.0001", "no-decimal"), ("5e2", "underived"), ("500,00", "underived"), ("0.00001", "underived")],
    "length": [("grün", ""), ("grüne", "no-length"), ("\ud800", "underived")],
    "match": [("DE-12", ""), ("DE-12\n", "no-match"), ("xDE-12", "no-match")],
    "member": [(4711, ""), (4713, "no-member")],
}
"""By kind: arguments, and why each is refused: by the policy, because nothing can be derived, or not at all."""

POLICIES = PERMIT_ALL + "".join(
    f'@id("no-{kind}")\n@reason("It does not fit: {kind}.")\n'
    f'forbid (principal, action == Action::"up/{kind}", resource) unless {{ context.derived.{wanted} }};\n'
    for kind, (_, _, wanted) in FACTS.items()
)
TYPES: Json = {"x": {"type": "string"}, "many": {"type": "array", "items": {"type": "string"}}, "number": {"type": "integer"}}


def of_kinds() -> Witness:
    """An upstream with a tool for each kind of fact."""
    made = Witness()
    made.tools = [
        {"name": kind, "description": "Of facts.", "inputSchema": {"type": "object", "properties": {name: TYPES[name]}, "required": [name]}}
        for kind, (name, _, _) in FACTS.items()
    ]
    return made


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    """An upstream."""
    with witnessing(of_kinds()) as made:
        yield made


def document(witness: Witness) -> Json:
    """A fact called `fact` for each tool."""
    return {
        "upstreams": {"up": http_upstream(witness.url, tools={kind: {"facts": {"fact": fact}} for kind, (_, fact, _) in FACTS.items()})}
    }


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, witness: Witness) -> Iterator[Running]:
    """A gateway with facts of every kind."""
    with doorward(tmp_path_factory.mktemp("facts"), document(witness), POLICIES) as gateway:
        yield gateway


@pytest.mark.parametrize(("kind", "value", "why"), [(kind, value, why) for kind, cases in SAID.items() for value, why in cases])
def test_a_fact_decides_and_what_cannot_be_derived_is_denied(running: Running, witness: Witness, kind: str, value: Any, why: str) -> None:
    name, calls = FACTS[kind][0], len(witness.calls(kind))
    with Client(running.url("up"), running.key()) as client:
        said = client.call(kind, {name: value})
    if not why:
        assert (said.reason, len(witness.calls(kind))) == ("", calls + 1)
        return
    assert len(witness.calls(kind)) == calls
    assert said.reason in ("forbidden", "malformed"), said
    if said.reason == "malformed":
        return  # half a character does not even get as far as policy
    [leaf] = of_call(running.directory / "state", said.receipt)
    assert leaf["decision"]["policies"] == [f"no-{kind}"]
    detail = leaf["detail"]
    assert ("cannot be decided on" in detail) is (why == "underived"), leaf


def test_the_real_check_tells_what_a_fact_cannot_be(running: Running, witness: Witness) -> None:
    """The facts are typed in the schema: a policy that reads one as something else does not come into force."""
    wrong = POLICIES.replace("context.derived.fact <= 5", 'context.derived.fact == "five"')
    write_config(running.directory, document(witness), wrong)
    try:
        code, said = told(None, "check", "-c", str(running.directory / "doorward.yaml"))
        assert (code, "no-length" in said) == (1, True), said
        assert told(running, "reload")[0] == 1
        missing = document(witness)
        missing["upstreams"]["up"]["tools"]["url"]["facts"] = {"fact": {"of": "/href", "kind": "url"}}
        write_config(running.directory, missing, POLICIES)
        code, said = told(None, "check", "-c", str(running.directory / "doorward.yaml"))
        assert (code, "the tool's schema has no argument /href" in said) == (0, True), said
        assert told(None, "check", "--strict", "-c", str(running.directory / "doorward.yaml"))[0] == 1
        assert told(running, "reload")[0] == 1
    finally:
        write_config(running.directory, document(witness), POLICIES)
    assert told(running, "reload")[0] == 0
    assert told(None, "check", "-c", str(running.directory / "doorward.yaml"))[0] == 0
