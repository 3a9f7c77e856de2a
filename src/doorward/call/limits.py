"""What a credential was limited to (OAuth scopes), asked once policy has had its say: no scope cures what policy denies.

INVARIANT: `posture: observe` does not reach so far: it makes nothing of our rules, but a scope is the word of whoever gave the credential.
"""

from collections.abc import Iterable

from doorward.domain.actors import ALL_SCOPES, Principal
from doorward.domain.calls import Call
from doorward.domain.catalog import Kind, Reversibility, Target
from doorward.domain.ids import TeamId, UpstreamId
from doorward.domain.reasons import Reason, Refused
from doorward.identity.tokens.scopes import covers, needed
from doorward.identity.tokens.scopes import reaches as scopes_reach

EVERY = UpstreamId("*")
"""The upstream that a list over all of them is aimed at."""


def listing(upstream: UpstreamId, kind: Kind) -> Target:
    """What a list is aimed at: everything of a kind on an upstream, or on every one."""
    return Target(upstream, kind, "*", None, TeamId(""), frozenset({"read"}), Reversibility.READ)


def check(call: Call) -> None:
    """Raises `Refused` INSUFFICIENT_SCOPE, with the scope that would do, where a call is outside of what its credential was limited to."""
    scopes = call.principal.proof.scopes
    if not covers(scopes, call):
        raise Refused(
            Reason.INSUFFICIENT_SCOPE,
            f"the credential is limited to {' '.join(sorted(scopes)) or 'nothing'}",
            extra={"scope": needed(call)},
        )


def check_list(call: Call, upstreams: Iterable[UpstreamId]) -> None:
    """As `check`; a list on all upstreams is within the limits if that of any of them is, and shows no other (`reaches`)."""
    if call.target.upstream != EVERY or not any(reaches(call.principal, name) for name in upstreams):
        check(call)


def reaches(principal: Principal, upstream: UpstreamId) -> bool:
    """Whether lists may show a principal anything of an upstream, as far as its credential goes."""
    scopes = principal.proof.scopes
    return scopes is ALL_SCOPES or scopes_reach(scopes, upstream)
