"""A yes is the yes of those who would be asked now: who is asked for belongs to what a grant is bound to."""

from __future__ import annotations

from doorward.domain.decisions import Allow, Ask
from doorward.domain.findings import Finding, Severity
from doorward.domain.ids import AgentId
from doorward.policy.concerns import asked

FINDING = Finding("pii", "iban", Severity.HIGH, "/arguments/note")


def test_a_yes_of_those_who_answered_for_findings_before_is_none_of_those_who_do_now() -> None:
    before, after = (asked(Allow(()), AgentId("claude"), (FINDING,), team) for team in ("interns", "security"))
    assert isinstance(before, Ask)
    assert isinstance(after, Ask)
    assert before.basis != after.basis
