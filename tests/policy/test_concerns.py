"""What people are asked about findings: more of them never loosen, and a yes is to these."""

from hypothesis import given
from hypothesis import strategies as st

from doorward.domain.decisions import Allow, Ask, Deny, Need
from doorward.domain.findings import Finding, Severity
from doorward.domain.ids import AgentId, Digest, PolicyId, WaiverId
from doorward.policy.concerns import OWN_FINDINGS, asked, concerns

WHO = AgentId("claude")
ALLOW = Allow((PolicyId("all"),))
ASK = Ask((PolicyId("asks"),), (Need("finance", 2),), "money", Digest("b" * 64))

FINDINGS = st.lists(
    st.builds(
        Finding, st.sampled_from(["secrets", "pii"]), st.sampled_from(["a", "b"]), st.sampled_from(Severity), st.sampled_from(["/a", "/b"])
    ),
    max_size=6,
)
DECISIONS = st.sampled_from([ALLOW, ASK])


def hardness(decision: Allow | Ask) -> tuple[int, frozenset[str]]:
    return (0, frozenset()) if isinstance(decision, Allow) else (1, decision.approvers)


@given(DECISIONS, FINDINGS, FINDINGS)
def test_more_findings_never_loosen(decision: Allow | Ask, some: list[Finding], more: list[Finding]) -> None:
    before, after = asked(decision, WHO, some, "security"), asked(decision, WHO, [*some, *more], "security")
    assert hardness(before)[0] <= hardness(after)[0]
    assert hardness(before)[1] <= hardness(after)[1]
    assert set(before.policies if isinstance(before, Ask) else ()) <= set(after.policies)


@given(DECISIONS, FINDINGS, FINDINGS)
def test_a_yes_is_to_these_findings_whatever_their_order_and_to_no_others(
    decision: Allow | Ask, some: list[Finding], others: list[Finding]
) -> None:
    one, other = asked(decision, WHO, some, "security"), asked(decision, WHO, others, "security")
    if isinstance(one, Ask) and isinstance(other, Ask):
        assert (one.basis == other.basis) is (concerns(some) == concerns(others))


def test_a_finding_asks_besides_what_policy_asks() -> None:
    found = Finding("secrets", "key", Severity.MEDIUM, "/arguments/token")
    assert asked(ALLOW, WHO, (), "security") == ALLOW
    alone, both = asked(ALLOW, WHO, (found,), "security"), asked(ASK, WHO, (found,), "finance")
    assert isinstance(alone, Ask)
    assert isinstance(both, Ask)
    assert (alone.policies, alone.needs, alone.reason) == ((OWN_FINDINGS,), (Need("security"),), "guards found secrets/key")
    assert (both.policies, both.needs) == (("asks", OWN_FINDINGS), (Need("finance", 2),))
    assert len({alone.basis, both.basis, ASK.basis}) == 3


def test_what_was_let_pass_is_told_all_the_same() -> None:
    would = Deny((PolicyId("no"),), "never")
    found = Finding("secrets", "key", Severity.MEDIUM, "/arguments/token")
    after = asked(Allow((), would, WaiverId("glass")), WHO, (found,), "security")
    assert isinstance(after, Ask)
    assert (after.would, after.waiver) == (would, WaiverId("glass"))
