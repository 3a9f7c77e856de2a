"""What is done about findings by default."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.domain.findings import Direction, Disposition, Finding, Severity
from doorward.policy.dispose import DEFAULT, OTHER, Row, dispose, hardest

GUARDS = sorted({guard for guard, _ in DEFAULT} | {"unheard_of"})
findings = st.builds(Finding, st.sampled_from(GUARDS), st.just("rule"), st.sampled_from(Severity), st.just("/a"))
directions = st.sampled_from(Direction)
HARDNESS = list(Disposition)


def found(guard: str, severity: Severity) -> Finding:
    return Finding(guard, "rule", severity, "/a")


WHOLE = """
own_secrets request  block  block  block
own_secrets response redact redact redact
secrets     request  pass   ask    block
secrets     response pass   redact redact
pii         request  pass   pass   ask
pii         response pass   pass   redact
fields      request  pass   ask    block
fields      response pass   redact redact
dictionary  request  pass   ask    block
dictionary  response pass   redact redact
documents   request  pass   ask    block
documents   response pass   redact redact
unicode     request  pass   pass   block
unicode     response pass   redact redact
injection   request  pass   pass   ask
injection   response pass   redact redact
tricks      request  pass   pass   ask
links       request  pass   pass   block
links       response pass   redact redact
elicitation response pass   label  block
schema      request  pass   block  block
schema      response pass   block  block
size        request  pass   block  block
size        response pass   block  block
chain       request  pass   block  block
chain       response pass   redact block
"""
"""The whole table, by severity: low, medium, high. The last two stand for guards that have no rows."""


def test_the_defaults_are_these_and_no_others() -> None:
    rows = [line.split() for line in WHOLE.strip().splitlines()]
    for guard, way, *wanted in rows:
        met = [dispose(found(guard, severity), Direction(way)) for severity in (Severity.LOW, Severity.MEDIUM, Severity.HIGH)]
        assert (guard, way, [disposition.value for disposition in met]) == (guard, way, wanted)
    assert {(guard, way) for guard, way, *_ in rows} - {("chain", "request"), ("chain", "response")} == set(DEFAULT)


def test_an_operators_table_replaces_the_default() -> None:
    table = {("pii", Direction.REQUEST): Row(Disposition.PASS, Disposition.ASK, Disposition.BLOCK)}
    assert dispose(found("pii", Severity.MEDIUM), Direction.REQUEST, table) is Disposition.ASK
    assert dispose(found("own_secrets", Severity.HIGH), Direction.REQUEST, table) is Disposition.BLOCK


@pytest.mark.parametrize("row", [*DEFAULT.values(), *OTHER.values()])
def test_a_graver_finding_is_never_met_with_less(row: Row) -> None:
    met = [HARDNESS.index(row.of(severity)) for severity in (Severity.LOW, Severity.MEDIUM, Severity.HIGH)]
    assert met == sorted(met)


def test_nothing_found_passes() -> None:
    assert hardest([]) is Disposition.PASS


@given(st.lists(findings), findings, directions)
def test_more_findings_never_loosen(before: list[Finding], more: Finding, direction: Direction) -> None:
    once = [dispose(finding, direction) for finding in before]
    again = [dispose(finding, direction) for finding in [*before, more]]
    assert again[: len(once)] == once
    assert HARDNESS.index(hardest(again)) >= HARDNESS.index(hardest(once))
