"""The desk: asks people, takes their answers, and finds the grant for a call. The only mover of the state table.

A call that must be approved ends `pending`; its retry runs the whole spine again and finds the grant here. What the desk holds in
memory says where to look; that a grant is used once is decided by the store, in the transaction that writes the intent.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum, auto

from doorward.approval.binding import Binding, bind
from doorward.approval.question import MOVES, Question, State
from doorward.approval.store import ApprovalStore
from doorward.domain.approvals import Grant
from doorward.domain.calls import Call
from doorward.domain.decisions import Ask
from doorward.domain.errors import DoorwardError
from doorward.domain.ids import GrantId
from doorward.domain.reasons import Reason, Refused


class DeskError(DoorwardError):
    """An answer that the desk cannot take; the message is for the one who answers."""


class OwnCalls(Enum):
    """Whether the owner of an agent may approve what that agent asks."""

    BY_OTHERS = auto()
    BY_OWNER_TOO = auto()


@dataclass(frozen=True, slots=True)
class Terms:
    """How long questions and grants live, and who may answer."""

    answer_seconds: float = 86_400
    """A day to answer; then it counts as no."""
    use_seconds: float = 3_600
    """An hour to make the call once it is approved: long for a retry, short for yesterday's facts."""
    most_pending: int = 20
    """Open questions of one principal: nobody reads more with care."""
    most_kept: int = 10_000
    """Questions of everybody that are not over."""
    own_calls: OwnCalls = OwnCalls.BY_OTHERS


_WAITING = (State.PENDING, State.APPROVED)


@dataclass(frozen=True, slots=True)
class Approver:
    """A person who answers, authenticated by the control plane."""

    name: str
    teams: frozenset[str]


class Desk:
    """Questions and grants, written through to a store."""

    __slots__ = ("_by_binding", "_new_id", "_now", "_questions", "_store", "_terms")

    def __init__(self, store: ApprovalStore, terms: Terms, now: Callable[[], float], new_id: Callable[[], str]) -> None:
        self._store = store
        self._terms = terms
        self._now = now
        self._new_id = new_id
        self._questions: dict[GrantId, Question] = {}
        # Where several questions have had the same binding, the last one counts.
        self._by_binding: dict[Binding, GrantId] = {}

    async def load(self) -> None:
        """Takes over what the store holds; raises `StoreError`."""
        for question in sorted(await self._store.load(self._now()), key=lambda question: question.asked_at):
            self._hold(question)

    async def clear(self, call: Call, decision: Ask) -> Grant:
        """The grant for exactly this call; raises `Refused` PENDING (with a reference, asked if need be) or REJECTED."""
        binding = bind(call, decision)
        question = await self._found(binding)
        if question is None:
            question = await self._ask(call, decision, binding)
        match question.state:
            case State.APPROVED:
                return _grant(question)
            case State.REJECTED:
                raise Refused(Reason.REJECTED, f"question {question.id} was rejected by {question.decided_by}")
            case _:
                raise _pending(question)

    def questions(self) -> tuple[Question, ...]:
        """Everything that waits for an answer or for its use, oldest first."""
        now = self._now()
        waiting = (question for question in self._questions.values() if question.state in _WAITING and not question.is_over(now))
        return tuple(sorted(waiting, key=lambda question: (question.asked_at, question.id)))

    def question(self, reference: GrantId) -> Question | None:
        """One question as it stands."""
        return self._questions.get(reference)

    async def approve(self, reference: GrantId, by: Approver) -> Question:
        """Says yes to exactly one call; raises `DeskError` if this person may not, or it is not pending any more."""
        question, now = self._answerable(reference, by), self._now()
        if self._terms.own_calls is OwnCalls.BY_OTHERS and _same_person(by.name, question.owner):
            raise DeskError(f"expected somebody else than {question.owner!r}, who owns the agent that asks")
        return await self._decide(question, State.APPROVED, by, now + self._terms.use_seconds)

    async def reject(self, reference: GrantId, by: Approver) -> Question:
        """Says no, or takes an unused yes back; the same call is not asked again until the question's time is over. Raises `DeskError`."""
        question = self._answerable(reference, by)
        return await self._decide(question, State.REJECTED, by, max(question.expires_at, self._now() + self._terms.use_seconds))

    def used(self, grant: Grant) -> None:
        """Told once an intent with this grant is durable; the store has known since the intent's transaction."""
        self._mirror(grant.id, State.APPROVED, State.USED)

    def released(self, grant: Grant) -> None:
        """Told once an outcome says that the call was not forwarded; the store has known since the outcome's transaction."""
        self._mirror(grant.id, State.USED, State.APPROVED)

    async def sweep(self) -> tuple[Question, ...]:
        """Ends the questions and grants whose time is over, and gives them; raises `StoreError`."""
        now = self._now()
        over = [question for question in self._questions.values() if question.is_over(now)]
        for question in over:
            await self._expire(question)
        for question in list(self._questions.values()):
            if question.state in (State.REJECTED, State.USED) and now >= question.expires_at:
                self._drop(question)
        return tuple(over)

    async def _found(self, binding: Binding) -> Question | None:
        reference = self._by_binding.get(binding)
        question = self._questions.get(reference) if reference else None
        if question is None or question.state is State.USED:
            return None
        if question.is_over(self._now()):
            await self._expire(question)
            return None
        return question if self._now() < question.expires_at else None

    async def _ask(self, call: Call, decision: Ask, binding: Binding) -> Question:
        now = self._now()
        self._check_room(binding.principal, now)
        question = Question(
            id=GrantId(self._new_id()),
            binding=binding,
            agent=call.principal.agent.id,
            owner=call.principal.agent.owner,
            upstream=call.target.upstream,
            kind=call.target.kind,
            name=call.target.name,
            canonical=call.canonical,
            policies=decision.policies,
            approvers=decision.approvers,
            reason=decision.reason,
            asked_at=now,
            state=State.PENDING,
            expires_at=now + self._terms.answer_seconds,
        )
        # Held before it is written: a second call with this binding meanwhile finds the question instead of asking again.
        self._hold(question)
        try:
            await self._store.add(question)
        except BaseException:
            self._drop(question)
            raise
        return question

    def _check_room(self, principal: str, now: float) -> None:
        if len(self._questions) >= self._terms.most_kept:
            raise Refused(
                Reason.OVERLOADED, f"{self._terms.most_kept} questions are kept, which is the most", extra={"retryAfterSeconds": 60}
            )
        pending = sum(
            question.state is State.PENDING and question.binding.principal == principal and not question.is_over(now)
            for question in self._questions.values()
        )
        if pending >= self._terms.most_pending:
            raise _too_many(pending)

    def _answerable(self, reference: GrantId, by: Approver) -> Question:
        question = self._questions.get(reference)
        if question is None or question.is_over(self._now()):
            raise DeskError(f"expected the reference of an open question, got {reference[:64]!r}")
        if not by.name.strip() or not question.approvers & by.teams:
            raise DeskError(f"expected somebody of {', '.join(sorted(question.approvers)) or 'nobody'}, got {by.name[:64]!r}")
        return question

    async def _decide(self, question: Question, state: State, by: Approver, expires_at: float) -> Question:
        if state not in MOVES[question.state]:
            raise DeskError(f"expected a question that can be {state}, {question.id} is {question.state}")
        decided = replace(question, state=state, decided_by=by.name, decided_at=self._now(), expires_at=expires_at)
        if not await self._store.move(decided, question.state):
            raise DeskError(f"expected {question.id} to be {question.state} still, somebody was faster")
        self._hold(decided)
        return decided

    async def _expire(self, question: Question) -> None:
        await self._store.move(replace(question, state=State.EXPIRED), question.state)
        self._drop(question)

    def _mirror(self, grant: GrantId, before: State, after: State) -> None:
        question = self._questions.get(grant)
        if question is not None and question.state is before:
            self._hold(replace(question, state=after))

    def _hold(self, question: Question) -> None:
        self._questions[question.id] = question
        self._by_binding[question.binding] = question.id

    def _drop(self, question: Question) -> None:
        self._questions.pop(question.id, None)
        if self._by_binding.get(question.binding) == question.id:
            del self._by_binding[question.binding]


def _grant(question: Question) -> Grant:
    return Grant(
        id=question.id,
        digest=question.binding.digest,
        definition=question.binding.definition,
        principal=question.binding.principal,
        approved_by=question.decided_by,
        expires_at=datetime.fromtimestamp(question.expires_at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    )


def _same_person(name: str, owner: str) -> bool:
    return name.strip().casefold() == owner.strip().casefold()


def _pending(question: Question) -> Refused:
    return Refused(
        Reason.PENDING,
        f"question {question.id} waits for {', '.join(sorted(question.approvers))}",
        sentence=f"A person must approve this call. Ask again later with exactly the same arguments. Approval: {question.id}.",
        policies=question.policies,
        extra={"approval": question.id},
    )


def _too_many(pending: int) -> Refused:
    return Refused(
        Reason.OVER_CONCURRENCY,
        f"{pending} questions of this principal wait for an answer",
        sentence=f"{pending} calls wait for approval already. Wait until some of them are answered.",
    )
