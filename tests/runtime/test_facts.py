"""What a document declares becomes facts that can be derived; the parser of SQL is loaded for those who use it."""

import subprocess
import sys
from collections.abc import Mapping

from doorward.config.model import Document
from doorward.policy.facts.fact import Unfit
from doorward.runtime.facts import declared

TOOLS: Mapping[str, object] = {
    "t/x": {
        "facts": {
            "a": {"of": "/u~1rl", "kind": "url"},
            "b": {"of": "/path", "kind": "path", "base": "/srv/", "roots": {"reports": "/srv/reports/"}},
            "c": {"of": "/to/*", "kind": "email"},
            "d": {"of": "/query", "kind": "sql", "dialect": "sqlite"},
            "e": {"of": "/amount", "kind": "decimal"},
            "f": {"of": "/rows", "kind": "length", "unit": "items"},
            "g": {"of": "/id", "kind": "match", "pattern": "[a-z]+"},
            "h": {"of": "/who", "kind": "member", "values": ["ann"]},
            "i": {"of": "/who", "kind": "member", "file": "gone"},
        }
    }
}
ARGUMENTS = {
    "u/rl": "http://a.example/",
    "path": "reports/x",
    "to": ["ann@b.example"],
    "query": "select 1",
    "amount": "1.5",
    "rows": [1, 2],
    "id": "abc",
    "who": "ann",
}


def document(tools: Mapping[str, object]) -> Document:
    return Document.model_validate({"upstreams": {"a": {"url": "https://a.example.com", "tools": tools}}})


def test_every_kind_can_be_declared_and_derived() -> None:
    *facts, gone = declared(document(TOOLS))
    assert {fact.place for fact in facts} == {f'upstreams.a.tools["t/x"].facts.{name}' for name in "abcdefgh"}
    found = {fact.name: fact.derive(ARGUMENTS)[0] for fact in facts}
    assert found["b"] == {"path": "/srv/reports/x", "root": "reports"}
    assert found["d"] == {"kinds": ["select"], "tables": [], "functions": [], "statements": 1}
    assert [str(found[name]) for name in "efgh"] == ["1.5", "2", "True", "True"]
    assert isinstance(gone.kind, Unfit)


def test_the_text_of_facts_changes_with_each_of_their_options() -> None:
    other = {"t/x": {"facts": {**TOOLS["t/x"]["facts"], "e": {"of": "/price", "kind": "decimal"}}}}  # type: ignore[index]
    texts = [{fact.text for fact in declared(document(tools))} for tools in (TOOLS, TOOLS, other)]
    assert texts[0] == texts[1]
    assert len(texts[0] ^ texts[2]) == 2


def test_nobody_who_declares_no_sql_loads_its_parser() -> None:
    program = "import sys, doorward.runtime.build, doorward.policy.engine; print('sqlglot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "False\n"
