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


@pytest.mark.parametrize(
    ("guard", "severity", "direction", "disposition"),
    [
        ("own_secrets", Severity.HIGH, Direction.REQUEST, Disposition.BLOCK),
        ("own_secrets", Severity.HIGH, Direction.RESPONSE, Disposition.REDACT),
        ("unicode", Severity.MEDIUM, Direction.REQUEST, Disposition.PASS),
        ("unicode", Severity.HIGH, Direction.REQUEST, Disposition.BLOCK),
        ("unicode", Severity.MEDIUM, Direction.RESPONSE, Disposition.REDACT),
        ("schema", Severity.HIGH, Direction.REQUEST, Disposition.BLOCK),
        ("schema", Severity.LOW, Direction.RESPONSE, Disposition.PASS),
        ("size", Severity.HIGH, Direction.RESPONSE, Disposition.BLOCK),
        ("pii", Severity.HIGH, Direction.REQUEST, Disposition.ASK),
        ("chain", Severity.HIGH, Direction.RESPONSE, Disposition.BLOCK),
        ("chain", Severity.MEDIUM, Direction.REQUEST, Disposition.BLOCK),
    ],
)
def test_the_defaults(guard: str, severity: Severity, direction: Direction, disposition: Disposition) -> None:
    assert dispose(found(guard, severity), direction) is disposition


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
