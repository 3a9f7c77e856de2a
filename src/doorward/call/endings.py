"""How a call ends: what its last leaf tells, and what its caller may know. Pure."""

from pathlib import PurePath

from doorward.call.asked import Track
from doorward.domain.approvals import Grant
from doorward.domain.calls import Call, Fault, Reply
from doorward.domain.catalog import Kind
from doorward.domain.findings import Finding
from doorward.domain.ids import PolicyId
from doorward.domain.leases import Lease
from doorward.domain.moments import rfc3339
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.domain.receipts import Outcome, Refusal, Status

_DELIVERED = Status.DELIVERED
"""Said of almost every call: the member of an enum costs seven times what a name costs (Python 3.11)."""

_HIDING = frozenset({Reason.DRIFTED})
"""Reasons that say publicly no more than that nothing of this name is offered (RULINGS 15)."""

_OF_EDIT = "The call was approved with other arguments than its own."
_TOLD = 32
"""Findings of one call that people who are asked about it are told of."""
_POINTER = 256
"""Characters of where one is."""

_UNRECORDED = {
    Ran.YES: "The call ran; its result is withheld, for it could not be recorded.",
    Ran.MAYBE: "The call may have run; what became of it could not be recorded.",
}
"""What is said besides the table's sentence, which is of a call that was not made."""


def ran(track: Track) -> Ran:
    """Whether the upstream may have acted by now."""
    if track.answer is not None:
        return Ran.YES
    return Ran.MAYBE if track.lease else Ran.NO


def outcome(track: Track, refused: Refused | None, now: float) -> Outcome:
    """The second leaf of a recorded call; `now` in monotonic seconds."""
    recorded, taken = track.recorded, track.taken
    assert recorded is not None
    if refused is None:
        status, reason, detail = _delivered(track.reply), None, ""
    else:
        status, reason, detail = _failed(refused), refused.reason, refused.detail
    return Outcome(
        call=recorded.intent.call,
        status=status,
        reason=reason,
        detail=detail,
        findings=track.findings,
        answer=track.answer,
        reply=track.reply,
        lease=track.lease,
        milliseconds=int((now - track.started) * 1000),
        endorsed="" if taken is None else taken.endorsed,
    )


def not_forwarded(track: Track, call: Call, reason: Reason, now: float) -> Outcome:
    """The outcome of an intent that may have become durable after its caller had gone."""
    return Outcome(
        call=call,
        status=Status.NOT_FORWARDED,
        reason=reason,
        detail="",
        findings=track.findings,
        answer=None,
        reply=None,
        lease={},
        milliseconds=int((now - track.started) * 1000),
    )


def leased(lease: Lease) -> dict[str, str]:
    """What the last leaf says of a credential, never its value."""
    told = {"kind": lease.kind, "id": lease.id, "audience": lease.audience, "scope": lease.scope}
    return told if lease.expires_at is None else {**told, "expires": rfc3339(lease.expires_at)}


def listed(track: Track) -> Refusal:
    """The only leaf of a list: shown, not refused."""
    return _single(track, None, "", ())


def refusal(track: Track, refused: Refused) -> Refusal:
    """The only leaf of a call that was refused before its intent."""
    approval = refused.extra.get("approval")
    return _single(track, refused.reason, refused.detail, refused.policies, approval if isinstance(approval, str) else "")


def _single(track: Track, reason: Reason | None, detail: str, policies: tuple[PolicyId, ...], approval: str = "") -> Refusal:
    asked, call = track.asked, track.call
    return Refusal(
        id=asked.id,
        principal=asked.principal,
        method=asked.method,
        upstream=call.target.upstream if call else "",
        kind=call.target.kind if call else Kind.UPSTREAM,
        name=call.target.name if call else asked.named,
        call=call,
        reason=reason,
        detail=detail,
        policies=policies,
        findings=track.findings,
        generation=asked.snapshot.generation,
        trace=asked.trace,
        policy_set=asked.snapshot.policies.digest,
        observed=track.observed,
        approval=approval,
        flowed=None if track.flowing is None else track.flowing.read(),
    )


def broken(track: Track, error: Exception) -> Refused:
    """The refusal for what failed inside: its kind and place for operators, and not its message, which may hold values of the call."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    place = f" in {PurePath(traceback.tb_frame.f_code.co_filename).name}, line {traceback.tb_lineno}" if traceback is not None else ""
    return Refused(Reason.INTERNAL, type(error).__name__ + place, ran=ran(track))


def unrecorded(detail: str, ran: Ran) -> Refused:
    """The refusal where the log could not be told, which says what became of the call."""
    return Refused(Reason.UNRECORDED, detail, sentence=_UNRECORDED.get(ran), ran=ran)


def public(track: Track, refused: Refused) -> Refused:
    """The refusal as its caller may know it: what hides behind `unknown` looks the same as what never was."""
    hidden = refused.reason in _HIDING or bool(refused.extra.get("hidden"))
    shown = Refused(Reason.UNKNOWN_TARGET) if hidden else refused
    shown.reference = track.asked.id
    return shown


def sentence(reason: Reason, finding: Finding) -> str | None:
    """What a caller is told of a finding that blocks: where its own arguments break the tool's schema, so that it can mend them."""
    if reason is not Reason.UNSAFE_REQUEST or finding.guard != "schema":
        return None
    where = finding.pointer.removeprefix("/arguments") or "the arguments as a whole"
    return f"The arguments do not fit the tool's schema: {finding.rule.removeprefix('schema_')} at {where}. Mend them and try again."


def of_edit(refused: Refused, grant: Grant) -> Refused:
    """The refusal of a call that its approvers have edited: it names the approval, and says that the arguments are not the caller's."""
    extra = {**refused.extra, "approval": grant.id}
    return Refused(
        refused.reason, refused.detail, sentence=f"{_OF_EDIT} {refused.public}", policies=refused.policies, ran=refused.ran, extra=extra
    )


def told(findings: tuple[Finding, ...]) -> tuple[tuple[str, str], ...]:
    """What a person who is asked about a call is told of the first findings in it: name and text."""
    return tuple(
        ("finding", f"{finding.guard}/{finding.rule}, {finding.severity}, at {finding.pointer[:_POINTER] or 'the whole'}")
        for finding in findings[:_TOLD]
    )


def _delivered(reply: Reply | None) -> Status:
    if reply is None:
        return _DELIVERED
    body = reply.body
    if isinstance(body, Fault):
        return Status.UPSTREAM_ERROR
    if body.get("isError") is True:
        return Status.TOOL_ERROR
    return Status.INPUT_REQUIRED if body.get("resultType") == "input_required" else _DELIVERED


def _failed(refused: Refused) -> Status:
    if refused.ran is Ran.YES:
        return Status.WITHHELD
    if refused.reason is Reason.CANCELLED:
        return Status.CANCELLED
    return Status.NOT_FORWARDED if refused.ran is Ran.NO else Status.FAILED
