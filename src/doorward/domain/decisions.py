"""What policy says of a call."""

from dataclasses import dataclass

from doorward.domain.ids import Digest, PolicyId


@dataclass(frozen=True, slots=True)
class Deny:
    """The call may not go on."""

    policies: tuple[PolicyId, ...]
    reason: str
    """For the operator: which rule, or that none permits."""
    sentence: str | None = None
    """The public `@reason` of the deciding policy, if it has one."""


@dataclass(frozen=True, slots=True)
class Allow:
    """The call may go on. `would` is the denial that `posture: observe` let pass, if there was one."""

    policies: tuple[PolicyId, ...]
    would: Deny | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """The call may go on once the named approvers have said yes to exactly this call."""

    policies: tuple[PolicyId, ...]
    approvers: frozenset[str]
    reason: str
    basis: Digest = Digest("")
    """SHA-256 over the texts of `policies`: a grant is bound to it (RULINGS 21); a question without one is never asked."""


Decision = Allow | Ask | Deny
