"""The desk: asks people, takes their answers, and finds the grant for a call. The only mover of the state table.

A call that must be approved ends `pending`; its retry runs the whole spine again and finds the grant here. What the desk holds in
memory says where to look; that a grant is used once is decided by the store, in the transaction that writes the intent.
"""

import asyncio
from collections.abc import Callable, Mapping

from msgspec.structs import replace

from doorward.approval import room
from doorward.approval.answers import DeskError, with_edit, with_no, with_yes
from doorward.approval.binding import Binding, bind
from doorward.approval.elapsed import Elapsed, still
from doorward.approval.persons import Approver
from doorward.approval.question import Question, State
from doorward.approval.store import ApprovalStore
from doorward.approval.tally import told
from doorward.approval.terms import Terms
from doorward.approval.waiting import Waiting
from doorward.domain.approvals import Grant
from doorward.domain.calls import Call
from doorward.domain.decisions import Ask
from doorward.domain.ids import Digest, GrantId
from doorward.domain.moments import rfc3339
from doorward.domain.reasons import Reason, Refused

__all__ = ["Approver", "Desk", "DeskError", "Terms"]

Told = Callable[[Question], None]
"""Hears of a question as it stands now; must neither raise nor wait."""
Facts = tuple[tuple[str, str], ...]

_WAITING = (State.PENDING, State.APPROVED)
_LOOK_BACK_SECONDS = 7 * 86_400
"""How long a gateway may have been away, and still tell what has ended meanwhile."""
_TRIES = 100
"""Of one answer: each failure means that somebody else's was faster, and no question has so many."""


class Desk:
    """Questions and grants, written through to a store. Used from the tasks of one event loop."""

    __slots__ = (
        "_answered",
        "_asked",
        "_by_binding",
        "_callers",
        "_ended",
        "_new_id",
        "_now",
        "_questions",
        "_store",
        "_terms",
        "_unsure",
        "_waiting",
    )

    def __init__(
        self,
        store: ApprovalStore,
        terms: Terms,
        now: Callable[[], float],
        new_id: Callable[[], str],
        monotonic: Callable[[], float] = still,
    ) -> None:
        self._store = store
        self._terms = terms
        self._now = Elapsed(now, monotonic)
        self._new_id = new_id
        self._questions: dict[GrantId, Question] = {}
        # Where several questions have had the same binding, the last one counts.
        self._by_binding: dict[Binding, GrantId] = {}
        self._callers: dict[GrantId, Call] = {}
        # Somebody else was faster, or who moved these was cancelled meanwhile: only the store knows where they stand.
        self._unsure: set[GrantId] = set()
        self._ended: list[Question] = []
        self._waiting = Waiting()
        self._asked: list[Told] = []
        self._answered: list[Told] = []

    async def load(self, since: float = 0.0) -> None:
        """Takes over what the store holds; `since` is a moment that is known to have passed, whatever the clock says. Raises `StoreError`."""
        self._now.has_been(since)
        # Those that ended while nobody was there are ended by the first sweep, and told.
        for question in sorted(await self._store.load(self._now() - _LOOK_BACK_SECONDS), key=lambda question: question.asked_at):
            for moment in (question.asked_at, question.decided_at or 0.0, *(yes.at for yes in question.yeses)):
                self._now.has_been(moment)
            self._hold(question)

    def adopt(self, terms: Terms) -> None:
        """Takes other terms from now on; what is asked or granted already keeps its end."""
        self._terms = terms

    def on_asked(self, callback: Told) -> None:
        """Has somebody told of each new question, once it is durable."""
        self._asked.append(callback)

    def on_answered(self, callback: Told) -> None:
        """Has somebody told of each answer, once it is durable: a yes of several, the last one, a no, and the end of its time."""
        self._answered.append(callback)

    def close(self) -> None:
        """Lets everybody go who waits for an answer, and nobody wait any more; all else works on."""
        self._waiting.close()

    @property
    def waiting(self) -> int:
        """How many callers wait for an answer now."""
        return self._waiting.count

    async def clear(self, call: Call, decision: Ask, facts: Facts = ()) -> Grant:
        """The grant for exactly this call; raises `Refused` PENDING (with a reference, asked if need be) or REJECTED.

        `facts` are what a person should know of the call besides its arguments, name and text; those of the first asking stay.
        """
        binding = bind(call, decision)
        question = await self._found(binding)
        if question is None:
            question = await self._ask(_question(call, decision, binding, facts))
        match question.state:
            case State.APPROVED:
                return _grant(question)
            case State.REJECTED:
                detail = f"question {question.id} was rejected by {question.decided_by}"
                raise Refused(Reason.REJECTED, detail, policies=question.policies, extra={"approval": question.id})
            case _:
                self._callers[question.id] = call
                raise _pending(question)

    async def answered(self, reference: GrantId, seconds: float) -> State:
        """Where a question stands once it is not pending any more, or after `seconds`, or at once where nobody more may wait.

        EXPIRED for a question that is not known (any more). Asks no store while it waits.
        """
        question = await self._current(reference)
        if question is not None and question.state is State.PENDING:
            left = question.expires_at - self._now()
            await self._waiting.on(reference, min(seconds, left), self._terms.most_waiting)
            question = await self._current(reference)
        return State.EXPIRED if question is None else question.state

    def questions(self) -> tuple[Question, ...]:
        """Everything that waits for an answer or for its use, oldest first."""
        now = self._now()
        waiting = (question for question in self._questions.values() if question.state in _WAITING and not question.is_over(now))
        return tuple(sorted(waiting, key=lambda question: (question.asked_at, question.id)))

    def question(self, reference: GrantId) -> Question | None:
        """One question as it stands."""
        return self._questions.get(reference)

    def caller(self, reference: GrantId) -> Call | None:
        """The call that a pending question is about, with who made it last; None where nobody has since a restart."""
        return self._callers.get(reference)

    async def approve(
        self, reference: GrantId, by: Approver, edited: Mapping[str, object] | None = None, shown: Digest | None = None
    ) -> Question:
        """Says yes to exactly one call, or to the same call with other arguments; gives the question as it stands then.

        The last yes that is needed approves it. `shown` is the digest that this person was shown, by default that of now. Raises
        `DeskError` where this person may not, it is not pending any more, or another call than the shown one is asked by now.
        """

        def answer(question: Question, now: float) -> Question:
            nonlocal shown
            shown = shown or question.shown_digest
            if question.shown_digest != shown:
                raise DeskError(f"the call of {question.id} was edited meanwhile; look at it again")
            content = question if edited is None else with_edit(question, edited)
            return with_yes(content, by, now, self._terms.use_seconds)

        return await self._answer(reference, answer)

    async def reject(self, reference: GrantId, by: Approver) -> Question:
        """Says no, or takes an unused yes back; the same call is not asked again until the question's time is over. Raises `DeskError`."""
        return await self._answer(reference, lambda question, now: with_no(question, by, now, self._terms.use_seconds))

    def used(self, grant: Grant) -> None:
        """Told once an intent with this grant is durable; the store has known since the intent's transaction."""
        self._mirror(grant.id, State.APPROVED, State.USED)

    def released(self, grant: Grant) -> None:
        """Told once an outcome says that the call was not forwarded; the store has known since the outcome's transaction."""
        self._mirror(grant.id, State.USED, State.APPROVED)

    def gone(self, grant: Grant) -> None:
        """Told where the store would not let an intent have this grant: what is held here of it is not what stands there."""
        self._unsure.add(grant.id)

    async def sweep(self) -> tuple[Question, ...]:
        """Ends the questions and grants whose time is over; gives all that have ended so since the last sweep. Raises `StoreError`."""
        for reference in tuple(self._unsure):
            await self._settled(reference)
        now = self._now()
        for question in [question for question in self._questions.values() if question.is_over(now)]:
            await self._expire(question)
        for question in list(self._questions.values()):
            if question.state not in _WAITING and now >= question.expires_at:
                self._drop(question)
        ended, self._ended = tuple(self._ended), []
        return ended

    async def _found(self, binding: Binding) -> Question | None:
        reference = self._by_binding.get(binding)
        question = await self._current(reference) if reference else None
        if question is None or question.state is State.USED:
            return None
        return question if self._now() < question.expires_at else None

    async def _ask(self, fresh: Callable[[GrantId, float, float], Question]) -> Question:
        now = self._now()
        question = fresh(GrantId(self._new_id()), now, now + self._terms.answer_seconds)
        # `_found` may have waited for the store: somebody may have asked meanwhile.
        known = self._questions.get(self._by_binding.get(question.binding, question.id))
        if known is not None and known.state in _WAITING and not known.is_over(now):
            return known
        room.check(question, self._questions.values(), self._terms, now)
        # Held before it is written: a second call with this binding meanwhile finds the question instead of asking again.
        self._hold(question)
        try:
            await self._store.add(question)
        except BaseException:
            self._drop(question)
            raise
        _tell(self._asked, question)
        return question

    async def _answer(self, reference: GrantId, answer: Callable[[Question, float], Question]) -> Question:
        """Moves a question by an answer; one that comes second is tried again on what the first has made of it."""
        for _ in range(_TRIES):
            question = await self._current(reference)
            if question is None:
                raise DeskError(f"expected the reference of an open question, got {reference[:64]!r}")
            after = answer(question, self._now())
            if await self._moved(after, question):
                _tell(self._answered, after)
                return after
        raise DeskError(f"expected {reference} to stand still for a moment, others were always faster")

    async def _moved(self, after: Question, before: Question) -> bool:
        """Whether the store has taken a move; then it holds here, too, and whoever waits is told."""
        try:
            is_moved = await self._store.move(after, before)
        except asyncio.CancelledError:
            self._unsure.add(before.id)
            raise
        if is_moved:
            self._catch_up(after)
        else:
            self._unsure.add(before.id)
        return is_moved

    async def _current(self, reference: GrantId) -> Question | None:
        """A question as it stands now; None where there is none, or its time is over: then it ends here. Raises `StoreError`."""
        question = await self._settled(reference)
        while question is not None and question.is_over(self._now()):
            # Where somebody was faster, the store says with what.
            await self._expire(question)
            question = await self._settled(reference)
        return question

    async def _settled(self, reference: GrantId) -> Question | None:
        """A question, asked of the store where it alone knows; raises `StoreError`."""
        if reference in self._unsure:
            known = await self._store.find(reference)
            self._unsure.discard(reference)
            held = self._questions.get(reference)
            if held is not None and known is None:
                self._drop(held)
            elif held is not None and known is not None:
                self._catch_up(known)
        return self._questions.get(reference)

    async def _expire(self, question: Question) -> None:
        expired = replace(question, state=State.EXPIRED, revision=question.revision + 1)
        if not await self._moved(expired, question):
            return
        self._ended.append(expired)
        _tell(self._answered, expired)
        self._drop(question)

    def _mirror(self, grant: GrantId, before: State, after: State) -> None:
        question = self._questions.get(grant)
        if question is not None and question.state is before:
            self._hold(replace(question, state=after))

    def _catch_up(self, question: Question) -> None:
        """Holds what the store has said, unless something newer is held already."""
        known = self._questions.get(question.id)
        if known is None or known.revision <= question.revision:
            self._hold(question)

    def _hold(self, question: Question) -> None:
        self._questions[question.id] = question
        self._by_binding[question.binding] = question.id
        if question.state is not State.PENDING:
            self._callers.pop(question.id, None)
            self._waiting.wake(question.id)

    def _drop(self, question: Question) -> None:
        self._questions.pop(question.id, None)
        self._callers.pop(question.id, None)
        self._unsure.discard(question.id)
        if self._by_binding.get(question.binding) == question.id:
            del self._by_binding[question.binding]
        self._waiting.wake(question.id)


def _question(call: Call, decision: Ask, binding: Binding, facts: Facts) -> Callable[[GrantId, float, float], Question]:
    """The question about a call, but for its reference, when it is asked and when it ends."""

    def fresh(reference: GrantId, asked_at: float, expires_at: float) -> Question:
        principal, target = call.principal, call.target
        return Question(
            id=reference,
            binding=binding,
            agent=principal.agent.id,
            owner=principal.agent.owner,
            upstream=target.upstream,
            kind=target.kind,
            name=target.name,
            canonical=call.canonical,
            policies=decision.policies,
            approvers=decision.approvers,
            reason=decision.reason,
            asked_at=asked_at,
            state=State.PENDING,
            expires_at=expires_at,
            needs=decision.needs,
            subject=principal.subject.id if principal.subject else "",
            owners=tuple(dict.fromkeys(actor.agent.owner for actor in principal.actors)),
            reversibility=target.reversibility,
            facts=facts,
        )

    return fresh


def _tell(callbacks: list[Told], question: Question) -> None:
    for callback in callbacks:
        callback(question)


def _grant(question: Question) -> Grant:
    return Grant(
        id=question.id,
        digest=question.binding.digest,
        definition=question.binding.definition,
        principal=question.binding.principal,
        approved_by=", ".join(yes.by for yes in question.yeses) or question.decided_by,
        expires_at=rfc3339(question.expires_at),
        edited=question.edited,
    )


def _pending(question: Question) -> Refused:
    return Refused(
        Reason.PENDING,
        f"question {question.id} waits for {told(question)}",
        sentence=f"A person must approve this call. Ask again later with exactly the same arguments. Approval: {question.id}.",
        policies=question.policies,
        extra={"approval": question.id},
    )
