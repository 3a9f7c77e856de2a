"""Admin API: why a recorded call was decided as it was: the policies of its time asked again, and those of today."""

import asyncio
from collections.abc import Mapping

import msgspec
from msgspec.structs import replace
from pydantic import Field

from doorward.audit.auditor import Auditor
from doorward.audit.query import Located
from doorward.audit.recorder import Recorder
from doorward.control.candidates import registered
from doorward.control.explained import Explained, explained
from doorward.control.operators import Role
from doorward.control.replays import VerdictView
from doorward.control.routes import Ask, ControlError, Route, Shape
from doorward.control.turns import Turns
from doorward.domain.catalog import Standing
from doorward.domain.decisions import Decision
from doorward.domain.ids import CallId, Digest
from doorward.domain.receipts import Event
from doorward.identity.registry import Registry
from doorward.policy.engine import Policies
from doorward.policy.history import PolicySets
from doorward.policy.problems import Problems
from doorward.policy.twin import twin
from doorward.runtime.build import Rigour, compiled
from doorward.runtime.generations import Generations
from doorward.runtime.replay.causes import SENTENCES, Cause
from doorward.runtime.replay.recorded import Recorded, Verdict, person, recorded, verdict
from doorward.runtime.replay.restored import Present, Restored, Restorer, Text, present
from doorward.runtime.replay.run import text_of
from doorward.runtime.replay.tally import said
from doorward.runtime.snapshot import Snapshot

_DECIDED = frozenset({"intent", "refusal"})
_SETTLED: Mapping[str, str] = {
    "": "the log does not say which policies decided it",
    "gone": "the set of policies that decided it is not kept any more",
    "otherwise": "derived facts are declared otherwise by now than when it was decided",
}


class PastDecision(Shape):
    """A recorded call explained.

    `then` is what the policies of its time say of it now, null where that cannot be said; `lost` says what of the call or of its
    policies could not be restored. `today` is what the policies in force would say; null where nobody can.
    """

    call: str
    at: str
    agent: str
    recorded: VerdictView | None = Field(description="What policy decided; null where something else refused the call")
    reason: str = Field(description="Why it was refused; empty where it was not")
    detail: str
    policy_set: str = Field(description="The digest of the policies that decided; empty in leaves of earlier versions")
    generation: int
    then: Explained | None
    lost: tuple[str, ...]
    agrees: bool | None = Field(
        description="Whether they say now what was recorded; where not, the catalogue, or what is known of the agent, is another one by now"
    )
    today: VerdictView | None
    today_lost: tuple[str, ...]
    differs: bool | None = Field(description="Whether policies would decide otherwise today; null where nobody can say")


class Past(msgspec.Struct, frozen=True):
    """The explanation of recorded calls."""

    generations: Generations
    registry: Registry
    recorder: Recorder
    auditor: Auditor
    sets: PolicySets
    turns: Turns = msgspec.field(default_factory=Turns)

    def routes(self) -> tuple[Route, ...]:
        """Its row of the route table."""
        summary = "Explain how a recorded call was decided"
        return (Route("GET", "/v1/policies/explain/{call}", Role.AUDITOR, summary, self.explain, gives=PastDecision),)

    async def explain(self, ask: Ask) -> PastDecision:
        """The decision on a call of the log; 404 where the log knows none. That somebody looked is told to the log before."""
        async with self.turns.taken():
            return await self._explained(ask)

    async def _explained(self, ask: Ask) -> PastDecision:
        call = CallId(ask.path["call"])
        located, leaf = await self._leaf(call)
        await self.recorder.note(Event("contents_read", ask.operator.name, {"call": call}))
        text = text_of(leaf, located.index, await self.auditor.contents([located.index]))
        current = self.generations.current
        snapshot = replace(current, policies=twin(current.policies))
        there = present(snapshot, registered(self.registry, snapshot.document), self.recorder.pseudonym)
        policies, doubts = await self._of_that_time(Digest(leaf.decision.set), snapshot)
        then, lost = (None, ()) if policies is None else await _explained(replace(snapshot, policies=policies), there, leaf, text)
        today = await asyncio.to_thread(Restorer(snapshot.policies, there).decide, leaf, text)
        return _view(leaf, then, (*doubts, *lost), today)

    async def _leaf(self, call: CallId) -> tuple[Located, Recorded]:
        leaves = [(located, recorded(located.leaf)) for located in await self.auditor.of_call(call)]
        found = next((one for one in leaves if one[1].type in _DECIDED), None)
        if found is None:
            raise ControlError(404, "unknown_call", f"the log knows no decision on a call {call[:64]!r}")
        return found

    async def _of_that_time(self, digest: Digest, snapshot: Snapshot) -> tuple[Policies | None, tuple[str, ...]]:
        """The set that decided, over the catalogue of now, and what keeps it from being what it was."""
        if digest == snapshot.policies.digest:
            return snapshot.policies, ()
        sources = await self.sets.sources(digest)
        if sources is None:
            return None, (_SETTLED["gone" if digest else ""],)
        found = await asyncio.to_thread(compiled, sources, snapshot.document, snapshot.index, Rigour.LENIENT)
        if isinstance(found, Problems):
            return None, ("the policies that decided it do not fit the configuration and catalogue of now:", *map(str, found.items))
        return found, () if found.digest == digest else (_SETTLED["otherwise"],)


async def _explained(snapshot: Snapshot, there: Present, leaf: Recorded, text: Text) -> tuple[Explained | None, tuple[str, ...]]:
    """How the policies of a snapshot decide a recorded call, or what is missing for that."""
    found = await asyncio.to_thread(Restorer(snapshot.policies, there).restore, leaf, text)
    if not isinstance(found, Restored):
        return None, (SENTENCES[found],)
    if found.lost:
        return None, tuple(SENTENCES[cause] for cause in found.lost)
    return await explained(snapshot, found.call, found.at, Standing.APPROVED), ()


def _view(leaf: Recorded, then: Explained | None, lost: tuple[str, ...], today: Decision | tuple[Cause, ...]) -> PastDecision:
    before = verdict(leaf)
    now = None if isinstance(today, tuple) else said(today)
    return PastDecision(
        call=leaf.call,
        at=leaf.ts,
        agent=person(leaf.principal).agent,
        recorded=_shown(before),
        reason=leaf.decision.reason or "",
        detail=leaf.detail,
        policy_set=leaf.decision.set,
        generation=leaf.decision.generation,
        then=then,
        lost=lost,
        agrees=None if then is None or before is None else then.effect == before.effect,
        today=_shown(now),
        today_lost=tuple(SENTENCES[cause] for cause in today) if isinstance(today, tuple) else (),
        differs=None if now is None or before is None else now.effect is not before.effect,
    )


def _shown(verdict: Verdict | None) -> VerdictView | None:
    return None if verdict is None else VerdictView(effect=verdict.effect, policies=verdict.policies)
