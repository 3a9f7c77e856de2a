"""Answers that wait for a person: the call has run, and what guards found in its answer is asked about before anybody sees it.

INVARIANT: such a call is not made again while its answer waits, nor by the retry that learns that the answer is gone: whoever retries is
told that it ran. Answers are kept in memory alone, few, for a while, and shown once, to the principal that made the call.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

import msgspec
from msgspec.structs import replace

from doorward.approval.desk import Desk
from doorward.approval.question import Question, State
from doorward.call.endings import told
from doorward.domain.approvals import Grant
from doorward.domain.calls import Answer, Call, Reply
from doorward.domain.decisions import Ask, Need
from doorward.domain.findings import Finding
from doorward.domain.ids import Digest, GrantId
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.inspection.view import response_body
from doorward.policy.concerns import OWN_ANSWERS, concerns
from doorward.wire.canonical import canonical

MOST = 64
"""Answers that wait."""
PER_PRINCIPAL = 8
"""Of one principal."""
MOST_BYTES = 16 * 2**20
"""Of all of them."""
LIFE_SECONDS = 3600.0
"""How long one is kept."""
MOST_KNOWN = 4096
"""Calls that are known to have run whose answers are gone."""

_Key = tuple[str, Digest, Digest | None]

_WAITS = "The call ran; its result waits for a person's yes. Ask again later with exactly the same arguments: it is not made again."
_NO = "The call ran; a person has said that its result is not shown. It was not made again."
_GONE = "The call ran; its result was kept for a person's yes and is gone now. It was not made again; the next call like it is a new one."
_FULL = "The call ran; its result is withheld."


class Kept(msgspec.Struct, frozen=True):
    """A call that has run, and its answer as it may be shown once a person says yes."""

    call: Call
    ask: Ask
    reference: GrantId
    reply: Reply | None
    """None where it is gone."""
    findings: tuple[Finding, ...]
    size_bytes: int
    ends: float
    """Monotonic seconds."""


class Keeping:
    """Every answer that waits."""

    __slots__ = ("_desk", "_kept", "_lost", "_monotonic")

    def __init__(self, desk: Desk, monotonic: Callable[[], float]) -> None:
        self._desk = desk
        self._monotonic = monotonic
        self._kept: dict[_Key, Kept] = {}
        # What people were asked before a restart: the answers are gone, and that the calls ran is not.
        self._lost: dict[_Key, GrantId] = {_key_of(one): one.id for one in desk.questions() if one.policies == (OWN_ANSWERS,)}

    def __len__(self) -> int:
        return sum(one.reply is not None for one in self._kept.values())

    def has(self, call: Call) -> bool:
        """Whether this very call has run, and nobody may see its answer yet."""
        return bool(self._kept or self._lost) and (_key(call) in self._kept or _key(call) in self._lost)

    async def keep(self, call: Call, answer: Answer, reply: Reply, findings: Sequence[Finding], team: str) -> Refused:
        """Asks people whether an answer may be shown, and keeps it; gives what the caller is told of that."""
        self._tidy()
        asked = tuple(finding for finding in findings)
        ask = _ask(answer, asked, team)
        if not self._has_room(call, answer.size_bytes):
            return _refused(_FULL, "no more answers are kept for people", None)
        try:
            await self._desk.clear(call, ask, told(asked))
        except Refused as refused:
            if refused.reason is not Reason.PENDING:
                return _refused(_FULL, f"nobody is asked: {refused.detail}", None)
            reference = GrantId(str(refused.extra["approval"]))
            self._kept[_key(call)] = Kept(call, ask, reference, reply, asked, answer.size_bytes, self._monotonic() + LIFE_SECONDS)
            return _refused(_WAITS, refused.detail, reference)
        # A yes to the very same answer of the very same call stands unused: the retry asks anew.
        return _refused(_FULL, "an earlier yes to the same answer was not used", None)

    async def released(self, call: Call) -> tuple[Kept, Reply, Grant]:
        """The answer, and the yes to it that is used up with the intent; raises `Refused` with what there is instead."""
        self._tidy()
        key = _key(call)
        kept = self._kept.get(key)
        if kept is None:
            raise _refused(_GONE, "the answer was kept before a restart", self._lost.pop(key, None))
        state = await self._desk.answered(kept.reference, 0.0)
        if state is State.REJECTED:
            # Said until that question's time is over: the same is neither asked again nor made again.
            self._empty(key)
            raise _refused(_NO, f"question {kept.reference} was rejected", kept.reference)
        if state is State.PENDING and kept.reply is not None:
            raise _refused(_WAITS, f"question {kept.reference} waits", kept.reference)
        if state is State.APPROVED and kept.reply is not None:
            return await self._granted(key, kept, kept.reply)
        raise self._over(key, kept)

    async def _granted(self, key: _Key, kept: Kept, reply: Reply) -> tuple[Kept, Reply, Grant]:
        grant = await self._desk.clear(kept.call, kept.ask)
        # It may have been stopped, or shown, meanwhile; and there is nothing in an answer that other arguments could be put into.
        if self._kept.get(key) is kept and grant.edited is None:
            return kept, reply, grant
        raise self._over(key, kept)

    def _over(self, key: _Key, kept: Kept) -> Refused:
        self._kept.pop(key, None)
        return _refused(_GONE, f"the answer of question {kept.reference} is gone", kept.reference)

    def shown(self, kept: Kept) -> None:
        """Forgets an answer whose yes is used up."""
        self._kept.pop(_key(kept.call), None)

    def drop(self, matches: Callable[[Call], bool]) -> None:
        """Forgets the answers of calls that match; that they ran stays known."""
        for key, kept in list(self._kept.items()):
            if matches(kept.call):
                self._empty(key)

    def _empty(self, key: _Key) -> None:
        self._kept[key] = replace(self._kept[key], reply=None, size_bytes=0)

    def _tidy(self) -> None:
        now = self._monotonic()
        for key, kept in list(self._kept.items()):
            if kept.ends <= now and kept.reply is not None:
                self._empty(key)
        for key in list(self._kept)[: max(0, len(self._kept) - MOST_KNOWN)]:
            del self._kept[key]

    def _has_room(self, call: Call, size_bytes: int) -> bool:
        waiting = [one for one in self._kept.values() if one.reply is not None]
        own = sum(one.call.principal.id == call.principal.id for one in waiting)
        return len(waiting) < MOST and own < PER_PRINCIPAL and sum(one.size_bytes for one in waiting) + size_bytes <= MOST_BYTES


def _ask(answer: Answer, findings: Iterable[Finding], team: str) -> Ask:
    """Bound to the answer: a yes is to these bytes and these findings."""
    names = ", ".join(dict.fromkeys(f"{finding.guard}/{finding.rule}" for finding in findings))
    said = sha256(canonical(response_body(answer.body))).hexdigest()
    basis = sha256(canonical([OWN_ANSWERS, team, said, *sorted(map(list, concerns(findings)))])).hexdigest()
    return Ask((OWN_ANSWERS,), (Need(team),), f"the call has run; guards found {names} in its result", Digest(basis))


def _refused(sentence: str, detail: str, reference: GrantId | None) -> Refused:
    extra: dict[str, object] = {} if reference is None else {"approval": reference}
    said = sentence if reference is None or sentence is not _WAITS else f"{sentence} Approval: {reference}."
    return Refused(Reason.UNSAFE_RESPONSE, detail, sentence=said, policies=(OWN_ANSWERS,), ran=Ran.YES, extra=extra)


def _key(call: Call) -> _Key:
    return call.principal.id, call.digest, call.target.definition


def _key_of(question: Question) -> _Key:
    binding = question.binding
    return binding.principal, binding.digest, binding.definition
