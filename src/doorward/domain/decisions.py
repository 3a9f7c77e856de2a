"""What policy says of a call."""

from dataclasses import dataclass

from doorward.domain.ids import Digest, PolicyId, WaiverId


@dataclass(frozen=True, slots=True)
class Deny:
    """The call may not go on."""

    policies: tuple[PolicyId, ...]
    reason: str
    """For the operator: which rule, or that none permits."""
    sentence: str | None = None
    """The public `@reason` of the deciding policy, if it has one."""
    is_question: bool = False
    """Whether people would have been asked, had this not been let pass: only of an `Allow.would`."""


@dataclass(frozen=True, slots=True)
class Allow:
    """The call may go on. `would` is the denial that `posture: observe` or a waiver let pass, if there was one."""

    policies: tuple[PolicyId, ...]
    would: Deny | None = None
    waiver: WaiverId | None = None
    """The exception or break-glass without which it would have been denied."""


@dataclass(frozen=True, slots=True)
class Need:
    """People who must say yes: so many different ones of a team."""

    team: str
    people: int = 1
    owner_may: bool = False
    """Whether the owner of an agent that asks may be one of them; who the agent acts for never may."""


@dataclass(frozen=True, slots=True)
class Ask:
    """The call may go on once people have said yes to exactly this call."""

    policies: tuple[PolicyId, ...]
    needs: tuple[Need, ...]
    """What must be met, all of it; sorted by team, one for each team."""
    reason: str
    basis: Digest = Digest("")
    """SHA-256 over the texts of `policies`: a grant is bound to it (RULINGS 21); a question without one is never asked."""
    waiver: WaiverId | None = None
    """The exception or break-glass without which it would have been denied."""
    would: Deny | None = None
    """The denial that `posture: observe` or a waiver let pass, where something else than policy asks."""

    @property
    def approvers(self) -> frozenset[str]:
        """The teams that are asked."""
        return frozenset(need.team for need in self.needs)


Decision = Allow | Ask | Deny


@dataclass(frozen=True, slots=True)
class Observation:
    """What the rules with `@mode("observe")` would have done to a call."""

    policies: tuple[PolicyId, ...]
    """Those that matched."""
    would: Decision
    """The decision if they were enforced with all others."""
