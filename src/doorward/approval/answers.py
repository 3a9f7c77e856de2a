"""What a person's answer makes of a question: another yes, the last one, an edit, or a no. Pure; raises `DeskError` for what may not be."""

from collections.abc import Mapping

from msgspec.structs import replace

from doorward.approval import tally
from doorward.approval.persons import Approver, is_owner, is_subject, may, said_by
from doorward.approval.question import MOVES, Question, State, Yes
from doorward.approval.shown import EDITABLE, call_of
from doorward.domain.errors import DoorwardError
from doorward.domain.ids import Digest
from doorward.domain.reasons import Refused
from doorward.wire.canonical import canonical, sha256
from doorward.wire.jsonrpc import Limits, check_value


class DeskError(DoorwardError):
    """An answer that the desk cannot take; the message is for the one who answers."""


def with_yes(question: Question, by: Approver, now: float, use_seconds: float) -> Question:
    """The question with one more yes; approved by the last one that is needed."""
    _check_pending(question)
    teams = _counting(question, by)
    earlier = [yes for yes in question.yeses if said_by(yes, by)]
    fresh = teams.difference(*(yes.teams for yes in earlier))
    if not fresh:
        raise DeskError(f"{by.name[:64]!r} has said yes already, and a person counts once; still needed: {tally.told(question)}")
    if earlier:
        merged = replace(earlier[0], teams=earlier[0].teams | fresh, names=earlier[0].names | {by.name, *by.names}, at=now)
        yeses = tuple(merged if yes is earlier[0] else yes for yes in question.yeses)
    else:
        yeses = (*question.yeses, Yes(by.name, fresh, now, by.names))
    said = replace(question, yeses=yeses, revision=question.revision + 1)
    if not tally.is_met(said):
        return said
    return replace(said, state=State.APPROVED, decided_by=by.name, decided_at=now, expires_at=now + use_seconds)


def with_edit(question: Question, arguments: Mapping[str, object]) -> Question:
    """The question with other arguments than the caller's: earlier yeses were to something else, and are void."""
    _check_pending(question)
    raw, digest = edited_call(question, arguments)
    if digest == question.shown_digest:
        return question
    if digest == question.binding.digest:
        return replace(question, yeses=(), edited=None, edited_digest=Digest(""))
    return replace(question, yeses=(), edited=raw, edited_digest=digest)


def with_no(question: Question, by: Approver, now: float, use_seconds: float) -> Question:
    """The question rejected, or an unused yes taken back: anybody of a team that is asked may, the agent's owner too."""
    if State.REJECTED not in MOVES[question.state]:
        raise DeskError(f"expected a question that can be rejected, {question.id} is {question.state}")
    _check_asked(question, by)
    end = max(question.expires_at, now + use_seconds)
    return replace(question, state=State.REJECTED, decided_by=by.name, decided_at=now, expires_at=end, revision=question.revision + 1)


def edited_call(question: Question, arguments: Mapping[str, object]) -> tuple[bytes, Digest]:
    """Canonical arguments, and the digest that the call has with them; raises `DeskError` for what could not be a call."""
    if question.kind not in EDITABLE:
        raise DeskError(f"expected a tool or a prompt, {question.kind} {question.name[:64]!r} has no arguments to edit")
    try:
        check_value(arguments, Limits())
        return canonical(arguments), sha256(canonical({**call_of(question), "arguments": arguments}))
    except (ValueError, TypeError, RecursionError) as error:
        raise DeskError(f"expected arguments that are JSON: {str(error)[:200]}") from error
    except Refused as refused:
        raise DeskError(f"expected arguments within the limits of a call: {refused.detail or refused.public}") from refused


def _counting(question: Question, by: Approver) -> frozenset[str]:
    """The teams that somebody's yes counts for; raises `DeskError` where there is none, and says why."""
    _check_asked(question, by)
    if is_subject(question, by):
        raise DeskError(f"expected somebody else than {question.subject!r}, whom the agent acts for")
    teams = frozenset(need.team for need in tally.needs(question) if may(question, by, need))
    if not teams and is_owner(question, by):
        owners = ", ".join(dict.fromkeys((question.owner, *question.owners)))
        raise DeskError(f"expected somebody else than {owners}, who owns the agent that asks")
    return teams


def _check_asked(question: Question, by: Approver) -> None:
    teams = sorted(need.team for need in tally.needs(question))
    if not by.name.strip() or by.teams.isdisjoint(teams):
        raise DeskError(f"expected somebody of {', '.join(teams) or 'nobody'}, got {by.name[:64]!r}")


def _check_pending(question: Question) -> None:
    # Not by `MOVES`: what was used becomes approved again when its call was not forwarded, never by a person.
    if question.state is not State.PENDING:
        raise DeskError(f"expected a question that is pending, {question.id} is {question.state}")
