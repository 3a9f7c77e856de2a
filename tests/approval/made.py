"""Questions as tests need them: everything has a plain default."""

from typing import Any

from msgspec.structs import replace

from doorward.approval.binding import Binding
from doorward.approval.question import Question, State
from doorward.domain.decisions import Need
from doorward.domain.ids import AgentId, Digest, GrantId, PolicyId, UpstreamId
from tests.made import call

CALL = call({"amount": 7, "to": "eve"})
_PLAIN = Question(
    id=GrantId("q1"),
    binding=Binding(CALL.digest, Digest("d1"), "claude", Digest("b1")),
    agent=AgentId("claude"),
    owner="ada",
    upstream=UpstreamId("git"),
    kind="tool",
    name="commit",
    canonical=CALL.canonical,
    policies=(PolicyId("p1"),),
    approvers=frozenset({"finance"}),
    reason="payments need a yes",
    asked_at=1_000.0,
    state=State.PENDING,
    expires_at=2_000.0,
    needs=(Need("finance"),),
)


def question(**changed: Any) -> Question:
    """A question about a call of `claude`, which `ada` owns."""
    return replace(_PLAIN, **changed)
