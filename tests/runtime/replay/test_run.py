"""A replay over a log that a recorder wrote: within its bounds, page by page, and ended with its task."""

import asyncio
from collections.abc import Callable
from datetime import UTC

import pytest

from doorward.audit.query import MOST
from doorward.call.resolve import Caller, make_call
from doorward.domain.catalog import Kind, Target
from doorward.domain.decisions import Allow
from doorward.domain.ids import CallId, Generation, UpstreamId
from doorward.domain.reasons import Reason
from doorward.domain.receipts import Intent, Outcome, Refusal, Status
from doorward.policy.engine import Policies
from doorward.runtime.replay.restored import Present
from doorward.runtime.replay.run import Bounds, Replay, Span
from doorward.runtime.replay.tally import GROUPS
from tests.audit.recorders import VEIL, Bench, bench
from tests.policy.world import CREATE, NOON, loaded, policy, principal

pytestmark = pytest.mark.anyio

ALL = Span(None, None)
OPEN = policy("permit(principal, action, resource);", "open")
OURS = policy('forbid(principal, action == Action::"github/create_issue", resource) when { context.input.owner != "acme" };', "ours")
AGENTS = {who.agent.id: who.agent for who in (principal(), principal("cursor", "finance"))}


def known(upstream: UpstreamId | None, kind: Kind, name: str) -> Target | None:
    return CREATE if (upstream, kind, name) == (CREATE.upstream, CREATE.kind, CREATE.name) else None


PRESENT = Present(known, UTC, AGENTS.get, VEIL.pseudonym)


async def filled(policies: Policies, calls: int, refusals: int) -> Bench:
    """Calls for `acme` that were allowed, with their outcomes, and refusals of others."""
    at = bench()
    await at.recorder.start({})
    for number in range(calls + refusals):
        owner = "acme" if number < calls else "initech"
        call = make_call(CallId(f"call-{number}"), Caller(principal(), "tools/call"), CREATE, {"owner": owner}, {})
        decision = policies.decide(call, NOON)
        if isinstance(decision, Allow):
            await at.recorder.intend(Intent(call, decision, (), None, "none", Generation(1), "", policies.digest))
            await at.recorder.conclude(Outcome(call, Status.DELIVERED, None, "", (), None, None, {}, 3))
        else:
            await at.recorder.refuse(
                Refusal(
                    id=call.id,
                    principal=call.principal,
                    method=call.method,
                    upstream=CREATE.upstream,
                    kind=CREATE.kind,
                    name=CREATE.name,
                    call=call,
                    reason=Reason.FORBIDDEN,
                    detail="",
                    policies=decision.policies,
                    findings=(),
                    generation=Generation(1),
                    trace="",
                    policy_set=policies.digest,
                )
            )
    return at


def still() -> float:
    return 0.0


def ticking(seconds: float) -> Callable[[], float]:
    """A clock that goes on by so much with each look."""
    at = [0.0]

    def look() -> float:
        at[0] += seconds
        return at[0]

    return look


async def test_every_call_of_the_log_is_decided_once_outcomes_and_events_are_none() -> None:
    policies = loaded(OPEN, OURS)
    at = await filled(policies, MOST + 20, 30)
    done = await Replay(at.auditor, still).run(policies, PRESENT, ALL, Bounds())
    assert (done.tally.calls, done.tally.same, done.is_whole) == (MOST + 50, MOST + 50, True)
    done = await Replay(at.auditor, still).run(loaded(OPEN), PRESENT, ALL, Bounds())
    ((change, count),) = done.tally.changes.items()
    assert (change.before.effect, change.after.effect, count.calls, count.example) == ("deny", "allow", 30, f"call-{MOST + 49}")


@pytest.mark.parametrize(("most", "looked_at"), [(1, 1), (10, 10), (29, 29), (100, 50), (60, 50), (44, 44)])
async def test_the_newest_are_looked_at_within_the_bound_and_no_flood_of_refusals_takes_all_of_it(most: int, looked_at: int) -> None:
    policies = loaded(OPEN, OURS)
    at = await filled(policies, 20, 30)
    done = await Replay(at.auditor, still).run(policies, PRESENT, ALL, Bounds(most))
    assert done.tally.calls == (min(most // 2, 30) + min(most - min(most // 2, 30), 20))
    assert done.is_whole == (most // 2 >= 30 and done.tally.calls == 50)
    assert done.tally.calls <= looked_at


async def test_it_ends_when_its_time_is_up_and_says_that_there_is_more() -> None:
    policies = loaded(OPEN, OURS)
    at = await filled(policies, 2 * MOST, 0)
    done = await Replay(at.auditor, ticking(1.0)).run(policies, PRESENT, ALL, Bounds(seconds=1.5))
    assert (done.tally.calls, done.is_whole) == (MOST, False)


async def test_it_ends_with_its_task() -> None:
    policies = loaded(OPEN, OURS)
    at = await filled(policies, 2 * MOST, 0)
    looks: list[asyncio.Task[object]] = []

    def cancelling() -> float:
        if looks:
            looks[0].cancel()
        return 0.0

    looks.append(asyncio.ensure_future(Replay(at.auditor, cancelling).run(policies, PRESENT, ALL, Bounds())))
    with pytest.raises(asyncio.CancelledError):
        await looks[0]


async def test_it_ends_once_nobody_waits_for_it() -> None:
    policies = loaded(OPEN, OURS)
    at = await filled(policies, 2 * MOST, 0)
    looks = iter((False, True))

    async def gone() -> bool:
        return next(looks)

    done = await Replay(at.auditor, still).run(policies, PRESENT, ALL, gone=gone)
    assert (done.tally.calls, done.is_whole) == (MOST, False)


async def test_groups_beyond_those_told_apart_are_counted_together() -> None:
    at = bench()
    await at.recorder.start({})
    policies = loaded(OPEN)
    for number in range(GROUPS + 5):
        who = principal(f"agent-{number}")
        call = make_call(CallId(f"call-{number}"), Caller(who, "tools/call"), CREATE, {"owner": "initech"}, {})
        decision = policies.decide(call, NOON)
        assert isinstance(decision, Allow)
        await at.recorder.intend(Intent(call, decision, (), None, "none", Generation(1), "", policies.digest))
    done = await Replay(at.auditor, still).run(loaded(OPEN, OURS), PRESENT, ALL, Bounds())
    assert (len(done.tally.changes), done.tally.more_changes.calls, done.tally.changed) == (GROUPS, 5, GROUPS + 5)
