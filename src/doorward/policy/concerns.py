"""What people are asked about findings: where the configuration names who answers for them, a finding that would stop a call asks instead.

INVARIANT: more findings never loosen. A finding that asks makes a question of what was allowed and adds itself to what is asked
about; it takes nothing away. A yes is to these findings: with another one among them it is another question.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256

from doorward.domain.decisions import Allow, Ask, Decision, Deny, Need
from doorward.domain.findings import Finding
from doorward.domain.ids import AgentId, Digest, PolicyId
from doorward.policy.delegation import together
from doorward.policy.rules import OWN
from doorward.wire.canonical import canonical

OWN_FINDINGS = PolicyId(f"{OWN}findings")
"""What asks, where findings do: it stands in no file."""
OWN_ANSWERS = PolicyId(f"{OWN}answers")
"""What asks whether the answer of a call that has run may be shown; it stands in no file either."""

_NAMED = 8
"""Findings that the question names; the leaf and the facts have more of them."""

Concern = tuple[str, str, str]
"""Guard, rule and pointer of a finding: what a yes is to."""


def concerns(findings: Iterable[Finding]) -> frozenset[Concern]:
    """What people are asked about, of these findings."""
    return frozenset((finding.guard, finding.rule, finding.pointer) for finding in findings)


def asked(decision: Allow | Ask, who: AgentId, findings: Sequence[Finding], team: str) -> Allow | Ask:
    """A decision with these findings, each of which asks: whatever policy asks for besides is asked for as well."""
    if not findings:
        return decision
    both: Decision = together([(who, decision), (who, _question(findings, team))])
    assert not isinstance(both, Deny)
    return both


def _question(findings: Sequence[Finding], team: str) -> Ask:
    # A pointer may hold a name that is a value: people are shown the call itself.
    names = list(dict.fromkeys(f"{finding.guard}/{finding.rule}" for finding in findings))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    # With who is asked: the configuration says that, and a yes of others is none once it says otherwise.
    basis = sha256(canonical([OWN_FINDINGS, team, *sorted(map(list, concerns(findings)))])).hexdigest()
    return Ask((OWN_FINDINGS,), (Need(team),), f"guards found {', '.join(names[:_NAMED])}{more}", Digest(basis))
