"""What a person who is asked is told besides the arguments: facts that the asking policies have read, few and short."""

from datetime import UTC

from doorward.domain.ids import PolicyId
from doorward.policy import engine
from doorward.policy.engine import Policies
from doorward.policy.question import Moment
from doorward.policy.rules import Source
from doorward.policy.schema import SchemaEntry
from doorward.policy.shown import shown
from tests import made

TEXT = """
@id("all") @reason("Everything.")
permit (principal, action, resource) when { context has network };
@id("late") @reason("Late.") @approval("ops")
forbid (principal, action, resource) when { context.time.hour >= 0 && context has bound && context.reversibility != "none" };
"""
AT = Moment(1_800_000_000, UTC)


def test_a_question_shows_what_its_policies_have_read_and_nothing_else() -> None:
    target = made.target()
    policies = engine.compile([Source("p.cedar", TEXT)], [SchemaEntry(target, {"type": "object"})], [target.upstream])
    assert isinstance(policies, Policies), policies
    call = made.call(to=target)
    assert shown(policies, call, (PolicyId("late"),), AT) == (("bound", "nothing"), ("time.hour", "8"))
    assert shown(policies, call, (PolicyId("all"),), AT) == (("network", call.principal.network),)
    assert shown(policies, call, (PolicyId("doorward.findings"),), AT) == ()
