"""The examples of `docs/policies/facts.md` load, and do what the page says."""

import re
from pathlib import Path

import pytest

from doorward.config.ground import Ground
from doorward.config.load import read
from doorward.domain.catalog import Target
from doorward.domain.decisions import Allow
from doorward.policy import engine
from doorward.policy.engine import Policies
from doorward.policy.rules import Source
from doorward.runtime.facts import declared
from tests.policy.world import NOON, TEXT, call, entry, target

PAGE = (Path(__file__).parents[2] / "docs" / "policies" / "facts.md").read_text("utf-8")
POLICIES = re.findall(r"```cedar\n(.*?)```", PAGE, re.DOTALL)
DOCUMENTS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)

FETCH, SAVE, SEND, QUERY = target("web", "fetch"), target("web", "save"), target("mail", "send"), target("db", "query")
ARGUMENT = {"fetch": "url", "save": "path", "send": "to", "query": "sql"}
ENTRIES = (
    entry(FETCH, "url", url=TEXT),
    entry(SAVE, "path", path=TEXT),
    entry(SEND, "to", to={"type": "array", "items": TEXT}),
    entry(QUERY, "sql", sql=TEXT),
)


@pytest.fixture(scope="module")
def policies() -> Policies:
    document = read(DOCUMENTS[0].encode(), Path("doorward.yaml"), Ground(Path("/nonexistent"), {})).document
    sources = [Source(f"{number}.cedar", text) for number, text in enumerate(POLICIES)]
    found = engine.compile(sources, ENTRIES, [entry.target.upstream for entry in ENTRIES], declared=declared(document))
    assert isinstance(found, Policies), [str(problem) for problem in found.items]
    assert found.warnings == ()
    return found


@pytest.mark.parametrize("text", DOCUMENTS)
def test_every_document_is_one(text: str) -> None:
    read(text.encode(), Path("doorward.yaml"), Ground(Path("/nonexistent"), {}))


@pytest.mark.parametrize(
    ("tool", "argument", "is_allowed"),
    [
        (FETCH, "https://docs.acme.example/a", True),
        (FETCH, "https://docs.acme.example.evil.example/a", False),
        (FETCH, "https://evil.example\\@docs.acme.example/", False),
        (FETCH, "http://docs.acme.example/a", False),
        (SAVE, "q3/summary.txt", True),
        (SAVE, "/srv/reports/../../etc/passwd", False),
        (SAVE, "..%2f..%2fetc/passwd", False),
        (SEND, ["ann@acme.example"], True),
        (SEND, ["ann@acme.example", "eve@evil.example"], False),
        (QUERY, "SELECT count(*) FROM customers WHERE lower(name) = 'x'", True),
        (QUERY, "select * from financials", False),
        (QUERY, "select 1; delete from customers", False),
        (QUERY, "with x as (delete from customers returning *) select * from x", False),
        (QUERY, "select pg_read_file('/etc/passwd') from customers", False),
        (QUERY, "do $$ begin delete from customers; end $$", False),
    ],
)
def test_calls_are_decided_as_the_page_says(policies: Policies, tool: Target, argument: object, is_allowed: bool) -> None:
    question = call(tool, {ARGUMENT[tool.name]: argument})
    assert isinstance(policies.decide(question, NOON), Allow) == is_allowed
