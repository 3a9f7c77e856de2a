"""Calls and principals as tests need them: everything has a plain default, what matters is said."""

from collections.abc import Mapping

from doorward.domain.actors import Agent, AuthnMethod, Principal
from doorward.domain.calls import Call
from doorward.domain.catalog import Kind, Reversibility, Target
from doorward.domain.ids import AgentId, CallId, Digest, InstanceId, TeamId, UpstreamId
from doorward.wire.canonical import canonical, sha256


def principal(agent: str = "claude", *, method: AuthnMethod = AuthnMethod.AGENT_KEY, owner: str = "ada", key: str = "key1") -> Principal:
    """An agent that was identified."""
    return Principal(
        agent=Agent(AgentId(agent), owner, TeamId("support"), "client"),
        subject=None,
        actors=(),
        method=method,
        instance=InstanceId(f"key:{key}"),
        credential=key,
        network="10.0.0.1",
    )


def target(upstream: str = "git", name: str = "commit", kind: Kind = Kind.TOOL, definition: str | None = "d1") -> Target:
    """Something of an upstream."""
    return Target(
        upstream=UpstreamId(upstream),
        kind=kind,
        name=name,
        definition=None if definition is None else Digest(definition),
        team=TeamId("platform"),
        parents=frozenset({"write"}),
        reversibility=Reversibility.IRREVERSIBLE,
    )


def call(
    arguments: Mapping[str, object] | None = None,
    *,
    by: Principal | None = None,
    to: Target | None = None,
    method: str = "tools/call",
    extras: Mapping[str, object] | None = None,
) -> Call:
    """A call whose digest follows from its target, arguments and extras."""
    aimed = to or target()
    raw = canonical(
        {"arguments": arguments or {}, "extras": extras or {}, "method": method, "name": aimed.name, "upstream": aimed.upstream}
    )
    return Call(
        id=CallId("01hzy0000000000000000000aa"),
        principal=by or principal(),
        target=aimed,
        method=method,
        arguments=arguments or {},
        extras=extras or {},
        canonical=raw,
        digest=sha256(raw),
    )


class Clock:
    """A time that stands where it is put; call it to read it."""

    def __init__(self, at: float = 1_000_000.0) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at
