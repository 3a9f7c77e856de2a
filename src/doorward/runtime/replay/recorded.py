"""What a leaf says of a decision and of the call that it was made on, read from its bytes."""

from enum import StrEnum

import msgspec

from doorward.domain.reasons import Reason
from doorward.policy.concerns import OWN_ANSWERS, OWN_FINDINGS


class Effect(StrEnum):
    """What policy says of a call."""

    ALLOW = "allow"
    ASK = "ask"
    DENY = "deny"


class Verdict(msgspec.Struct, frozen=True):
    """An effect, and the policies that made it."""

    effect: Effect
    policies: tuple[str, ...]


class Link(msgspec.Struct, frozen=True):
    """An agent of the chain; leaves of earlier versions do not have its team."""

    agent: str = ""
    issuer: str = ""
    team: str | None = None
    id: str = ""


class Person(msgspec.Struct, frozen=True):
    """To whom a call was attributed; leaves of earlier versions do not have the person's issuer and groups."""

    agent: str = ""
    team: str = ""
    subject: str | None = None
    subject_issuer: str | None = None
    groups: tuple[str, ...] | None = None
    groups_cut: bool = False
    act: tuple[Link, ...] = ()
    act_cut: bool = False
    method: str = ""
    issuer: str = ""
    client: str = ""
    certificate: str = ""
    bound: str = "nothing"
    scopes: tuple[str, ...] | None = None


class _Would(msgspec.Struct, frozen=True):
    effect: str
    policies: tuple[str, ...] = ()


class Decided(msgspec.Struct, frozen=True):
    """What the leaf says of the decision."""

    effect: str = ""
    policies: tuple[str, ...] = ()
    would: _Would | None = None
    observed: _Would | None = None
    reason: str | None = None
    waiver: str | None = None
    set: str = ""
    generation: int = 0


class _Arguments(msgspec.Struct, frozen=True):
    commitment: str = ""


class _Approval(msgspec.Struct, frozen=True):
    id: str = ""


class _Tainted(msgspec.Struct, frozen=True):
    pointer: str = ""
    source: str = ""
    prose: bool = False


class Session(msgspec.Struct, frozen=True):
    """What policy read of the context; of taint only where it was looked for."""

    integrity: str = "untrusted"
    confidentiality: str = "restricted"
    categories: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    calls: int = 0
    writes: int = 0
    externals: int = 0
    too_confidential: bool = False
    too_untrusted: bool = False
    tainted: tuple[_Tainted, ...] | None = None
    cut: bool = False


class Recorded(msgspec.Struct, frozen=True):
    """The first leaf of a call, as far as it is about the decision."""

    ts: str
    type: str
    call: str = ""
    method: str = ""
    principal: msgspec.Raw = msgspec.Raw(b"{}")
    """Undecoded: most calls come from the same few."""
    upstream: str = ""
    kind: str = ""
    name: str = ""
    definition: str | None = None
    arguments: _Arguments | None = None
    decision: Decided = Decided()
    approval: _Approval | None = None
    session: Session | None = None
    side: str | None = None
    detail: str = ""


recorded = msgspec.json.Decoder(Recorded).decode
"""A leaf's bytes, read; raises `msgspec.ValidationError` for what is no leaf of a call."""
person = msgspec.json.Decoder(Person).decode
"""A leaf's principal, read."""

_ASKED = frozenset({Reason.PENDING, Reason.REJECTED, Reason.GRANT_GONE})


def verdict(leaf: Recorded) -> Verdict | None:
    """What policy decided, whatever a posture, a waiver, a finding or a person made of it; None where the leaf does not say."""
    decided = leaf.decision
    if leaf.type == "intent":
        if OWN_ANSWERS in decided.policies:
            return None  # nothing was made: an answer that people were asked about was shown
        if decided.would is not None:
            return Verdict(Effect(decided.would.effect), decided.would.policies)
        return _asked(decided.policies) if decided.effect == Effect.ASK else Verdict(Effect(decided.effect), decided.policies)
    if decided.reason in _ASKED:
        # Who will not wait for an answer is turned away before policy is asked again.
        return _asked(decided.policies) if leaf.arguments is not None else None
    # What approvers had put in was denied, or would have had to be asked about anew: the leaf does not tell these apart.
    if decided.reason == Reason.FORBIDDEN and leaf.approval is None:
        return Verdict(Effect.DENY, decided.policies)
    return None


def shadow(leaf: Recorded) -> Verdict | None:
    """What the rules with `@mode("observe")` that matched would have made of the decision; None where none did."""
    observed = leaf.decision.observed
    return None if observed is None else Verdict(Effect(observed.effect), observed.policies)


def _asked(policies: tuple[str, ...]) -> Verdict:
    """A question as far as policy put it: what findings alone ask, it allows."""
    named = tuple(policy for policy in policies if policy != OWN_FINDINGS)
    return Verdict(Effect.ASK, named) if named or not policies else Verdict(Effect.ALLOW, ())
