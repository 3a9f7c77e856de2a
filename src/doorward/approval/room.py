"""Whether another question may be asked: few enough of one principal to be read with care, and of one agent to leave others theirs. Pure."""

from collections.abc import Collection

from doorward.approval.question import Question, State
from doorward.approval.terms import Terms
from doorward.domain.reasons import Reason, Refused


def check(fresh: Question, kept: Collection[Question], terms: Terms, now: float) -> None:
    """Raises `Refused` where there is no room for one more: OVERLOADED if that is everybody's doing, else OVER_CONCURRENCY."""
    if len(kept) >= terms.most_kept:
        raise _full(f"{terms.most_kept} questions")
    if sum(map(_size, kept)) >= terms.most_bytes:
        raise _full(f"questions of {terms.most_bytes} bytes")
    of_agent = [question for question in kept if question.agent == fresh.agent]
    own = [question for question in of_agent if question.binding.principal == fresh.binding.principal]
    pending = sum(question.state is State.PENDING and not question.is_over(now) for question in own)
    if pending >= terms.most_pending:
        raise _too_many(f"{pending} questions of this principal wait for an answer", pending)
    for whose, questions, most in (("principal", own, terms.most_bytes_of_principal), ("agent", of_agent, terms.most_bytes_of_agent)):
        if questions and sum(map(_size, questions)) + _size(fresh) > most:
            raise _too_many(f"questions of this {whose} have more than {most} bytes", len(questions))
    if len(of_agent) >= terms.most_kept_of_agent:
        raise _too_many(f"{terms.most_kept_of_agent} questions of this agent are kept, which is the most", len(of_agent))


def _size(question: Question) -> int:
    return len(question.canonical) + len(question.edited or b"")


def _full(kept: str) -> Refused:
    return Refused(Reason.OVERLOADED, f"{kept} are kept, which is the most", extra={"retryAfterSeconds": 60})


def _too_many(detail: str, waiting: int) -> Refused:
    return Refused(
        Reason.OVER_CONCURRENCY, detail, sentence=f"{waiting} calls wait for approval already. Wait until some of them are answered."
    )
