"""Calls that a plane's policies decided and its log was told of, as the pipeline tells it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC
from itertools import count

from doorward.call.resolve import Caller, make_call
from doorward.domain.actors import Principal
from doorward.domain.catalog import Kind
from doorward.domain.decisions import Allow, Ask, Decision, Deny
from doorward.domain.ids import CallId, UpstreamId
from doorward.domain.reasons import Reason
from doorward.domain.receipts import Intent, Refusal
from doorward.policy.engine import observe
from doorward.policy.question import Moment
from tests import made
from tests.control.plane import Plane

_NUMBERS = count(1)


async def decided(
    it: Plane, arguments: Mapping[str, object] | None = None, by: Principal | None = None, name: str = "read_file", upstream: str = "git"
) -> tuple[CallId, Decision]:
    """A call of a tool, decided at the clock's time, with its first leaf."""
    snapshot = it.generations.current
    entry = snapshot.index.resolve(UpstreamId(upstream), Kind.TOOL, name)
    assert entry is not None
    call_id = CallId(f"call-{next(_NUMBERS)}")
    who = by or replace(made.principal(), network="local")
    call = make_call(call_id, Caller(who, "tools/call"), entry.target, arguments if arguments is not None else {"path": "a"}, {})
    at = Moment(it.clock(), UTC)
    decision = snapshot.policies.decide(call, at)
    taken = observe(decision) if snapshot.is_observed(UpstreamId(upstream)) else decision
    watched = snapshot.policies.observed(call, at)
    digest, generation = snapshot.policies.digest, snapshot.generation
    match taken:
        case Allow():
            await it.recorder.intend(Intent(call, taken, (), None, "none", generation, "", digest, watched))
        case Ask() | Deny():
            reason = Reason.PENDING if isinstance(taken, Ask) else Reason.FORBIDDEN
            where = (upstream, "tool", name)
            refusal = Refusal(call_id, who, "tools/call", *where, call, reason, "", taken.policies, (), generation, "", digest, watched)
            await it.recorder.refuse(refusal)
    return call_id, decision
