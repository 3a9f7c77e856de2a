"""What the log holds of a call is enough to decide it again: by the set that decided it, it is decided the same, or nobody can say."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from doorward.audit.leaf import Bodies, encoded, frame, moment
from doorward.audit.veil import Veil, commitment
from doorward.call.resolve import Caller, make_call
from doorward.domain.actors import ALL_SCOPES, Actor, Principal, Proof
from doorward.domain.calls import Call
from doorward.domain.catalog import Kind, Target
from doorward.domain.decisions import Allow, Ask, Decision, Deny
from doorward.domain.ids import CallId, Generation, UpstreamId
from doorward.domain.reasons import Reason
from doorward.domain.receipts import Flowed, Intent, Refusal
from doorward.policy.engine import observe
from doorward.policy.question import Moment
from doorward.runtime.replay.causes import Cause
from doorward.runtime.replay.recorded import Effect, Recorded, recorded, verdict
from doorward.runtime.replay.restored import Present, Restorer
from doorward.runtime.replay.tally import said
from tests.policy.generated import MOMENTS, TARGETS, Written, asked, calls, compiled, moments, sets
from tests.policy.world import CREATE, FILE, NOON, principal, user

LATER = MOMENTS[1]
"""With something in its context."""
VEIL = Veil(b"k" * 32)
BODIES = Bodies("node", VEIL)
LINK = Actor("sub", "corp", principal("cursor", "finance").agent)
PEOPLE = (
    principal(),
    principal("cursor", "finance"),
    principal(user=user("alice", "staff", "admins")),
    principal("cursor", user=user("corp:bob", "staff", "others")),
    replace(principal(user=user("alice", "staff")), actors=(LINK,)),
    replace(principal(), proof=Proof(frozenset({"mcp:read"}), "corp", "c1", "f1", "t" * 43)),
    replace(principal(), proof=Proof(ALL_SCOPES, "corp", "c2")),
)
REGISTERED = {who.agent.id: who.agent for who in PEOPLE}


def known(upstream: UpstreamId | None, kind: Kind, name: str) -> Target | None:
    """What of the small catalogue has this name; resources have any."""
    if kind is Kind.RESOURCE:
        return replace(FILE, name=name)
    return next((one for one in TARGETS if (one.upstream, one.kind, one.name) == (upstream, kind, name)), None)


PRESENT = Present(known, MOMENTS[0].zone, REGISTERED.get, VEIL.pseudonym)


def whole(question: Call, who: Principal) -> Call:
    """A call of somebody, with its canonical bytes."""
    return make_call(CallId("call-1"), Caller(who, question.method), question.target, question.arguments, {"_meta": {"a": 1}})


open_or_not = sets | sets.map(lambda rest: [Written("permit", "principal", "action", "resource", "", False), *rest])
recordable = st.builds(whole, calls, st.sampled_from(PEOPLE))


def leaf(call: Call, decision: Decision, at: Moment, *, is_observed: bool = False) -> Recorded:
    """What the log would hold of a call that was decided so."""
    flowed = None if at.session is None else Flowed(replace(at.session.flow(), tainted=at.session.tainted()), is_traced=True)
    told = BODIES.arguments(commitment(b"s" * 16, call.canonical), call.arguments)
    if is_observed and not isinstance(decision, Allow):
        decision = observe(decision)
    if isinstance(decision, Allow):
        body = BODIES.intent(Intent(call, decision, (), None, "none", Generation(1), "", flowed=flowed), told, None)
    else:
        reason = Reason.PENDING if isinstance(decision, Ask) else Reason.FORBIDDEN
        where = (call.target.upstream, call.target.kind, call.target.name)
        by = decision.policies
        refusal = Refusal(call.id, call.principal, call.method, *where, call, reason, "", by, (), Generation(1), "", flowed=flowed)
        body = BODIES.refusal(refusal, told, None)
    return recorded(frame(encoded(body), 7, moment(int(at.unix_seconds * 1e6))))


@given(open_or_not, recordable, moments, st.booleans())
@settings(max_examples=400, deadline=None)
def test_the_set_that_decided_decides_the_same_again_or_reads_the_network(
    written: list[Written], call: Call, at: Moment, is_observed: bool
) -> None:
    policies = compiled(written)
    decision = policies.decide(call, at)
    told = leaf(call, decision, at, is_observed=is_observed)
    after = Restorer(policies, PRESENT).decide(told, call.canonical)
    if isinstance(after, tuple):
        assert after == (Cause.NETWORK,)
        assert any("network" in one.condition for one in written)
    else:
        assert (verdict(told), said(after)) == (said(decision), said(decision))


@given(open_or_not, recordable, st.sampled_from((Cause.ARGUMENTS, Cause.CUT, Cause.ALTERED)))
@settings(max_examples=300, deadline=None)
def test_without_the_arguments_what_is_said_holds_whatever_they_were(written: list[Written], call: Call, cause: Cause) -> None:
    policies = compiled(written)
    decision = policies.decide(call, LATER)
    after = Restorer(policies, PRESENT).decide(leaf(call, decision, LATER), cause)
    if not isinstance(after, tuple):
        assert said(after) == said(decision) or said(after).effect is said(decision).effect is Effect.DENY
    elif Cause.NETWORK not in after:
        assert after == (cause,)


@given(open_or_not, open_or_not, recordable)
@settings(max_examples=300, deadline=None)
def test_another_set_decides_a_recorded_call_as_it_would_the_call_itself(
    written: list[Written], candidate: list[Written], call: Call
) -> None:
    other = compiled(candidate)
    after = Restorer(other, PRESENT).decide(leaf(call, compiled(written).decide(call, LATER), LATER), call.canonical)
    assert isinstance(after, tuple) or said(after) == said(other.decide(call, LATER))


def test_a_question_that_observation_let_pass_is_told_apart_from_a_denial() -> None:
    call = whole(asked(CREATE, {"owner": "acme"}, PEOPLE[0]), PEOPLE[0])
    for decision, effect in ((Deny((), "no"), Effect.DENY), (Ask((), (), "so"), Effect.ASK), (Allow(()), Effect.ALLOW)):
        found = verdict(leaf(call, decision, NOON, is_observed=True))
        assert found is not None
        assert found.effect is effect


@given(open_or_not, recordable)
@settings(max_examples=200, deadline=None)
def test_of_a_context_that_no_leaf_tells_of_nothing_is_made_up(written: list[Written], call: Call) -> None:
    policies = compiled(written)
    told = leaf(call, policies.decide(call, LATER), NOON)
    after = Restorer(policies, PRESENT).decide(told, call.canonical)
    reads = any("session" in one.condition for one in written)
    if isinstance(after, tuple):
        assert set(after) <= {Cause.NETWORK, Cause.SESSION}
    elif reads:
        assert said(after) == said(policies.decide(call, LATER)) or said(after).effect is Effect.DENY
