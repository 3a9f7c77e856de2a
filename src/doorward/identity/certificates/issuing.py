"""Gives certificates to agents that have proven themselves, and remembers each before it leaves the house."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from msgspec.structs import replace

from doorward.domain.actors import AuthnMethod, Principal
from doorward.domain.ids import AgentId
from doorward.domain.naming import OWN
from doorward.domain.reasons import Reason, Refused
from doorward.domain.receipts import Event, Scalar
from doorward.identity.certificates.ca import Ca, IssuedRecord, RequestError
from doorward.identity.certificates.source import Agents
from doorward.identity.registry import Registry

MOST_LIVE = 1000
"""Certificates of one agent that are valid at the same time: instances of a large fleet, and no way to fill the database."""
_HOUR_SECONDS = 3600.0
_PROVING = frozenset({AuthnMethod.AGENT_KEY, AuthnMethod.CERTIFICATE})
"""What an agent proves itself with to get a certificate: a token acts for somebody else, or was handed on."""


class IssuedStore(Protocol):
    """Where issued certificates are remembered. Raises `StoreError` when it cannot answer."""

    async def add(self, record: IssuedRecord) -> None:
        """Keeps one more, durable on return."""
        ...

    async def all(self, agent: AgentId | None = None) -> tuple[IssuedRecord, ...]:
        """Those of one agent, or of every agent, the latest first."""
        ...

    async def forget(self, before: float) -> int:
        """Drops those that had ended by then; gives how many."""
        ...


def descended(records: Iterable[IssuedRecord], credential: str) -> frozenset[str]:
    """The ids of the certificates that a key or certificate got, itself or through renewals: what goes with it when it is stolen."""
    by_proof: dict[str, list[str]] = {}
    for record in records:
        by_proof.setdefault(record.proven_by.partition(" ")[2], []).append(record.id)
    found: set[str] = set()
    open_ends = [credential]
    while open_ends:
        fresh = [one for one in by_proof.get(open_ends.pop(), ()) if one not in found]
        found.update(fresh)
        open_ends += fresh
    return frozenset(found)


class Issuing:
    """One authority at work."""

    __slots__ = ("_agents", "_ca", "_now", "_registry", "_seconds", "_store", "_told")

    def __init__(
        self,
        ca: Ca,
        store: IssuedStore,
        agents: Agents,
        registry: Registry,
        told: Callable[[Event], Awaitable[object]],
        now: Callable[[], float],
    ) -> None:
        """`told` writes an event's leaf, durable on return; raises `UnrecordedError`."""
        self._ca = ca
        self._store = store
        self._agents = agents
        self._registry = registry
        self._told = told
        self._now = now
        self._seconds = _HOUR_SECONDS

    def lasting(self, hours: float) -> None:
        """From now on certificates last so long."""
        self._seconds = hours * _HOUR_SECONDS

    async def issued(self, principal: Principal, request: bytes) -> str:
        """A certificate and its root (PEM) for the agent that asks.

        Raises `RequestError` for its request, `Refused` FORBIDDEN for one that proves itself otherwise than with a key or certificate of
        ours, UNAUTHENTICATED for an agent that may not use certificates, and `DoorwardError` where it cannot be remembered.
        """
        agent = principal.agent.id
        if principal.method not in _PROVING or principal.subject is not None or principal.actors:
            raise Refused(Reason.FORBIDDEN, f"a certificate is asked for by {principal.method}")
        self._agents.standing(agent, AuthnMethod.CERTIFICATE)
        given = await self._store.all(agent)
        if principal.method is AuthnMethod.CERTIFICATE and all(one.id != principal.credential for one in given):
            # Whoever ends a certificate of others, by a list or with its root, must not have to look for one of ours that came of it.
            raise Refused(Reason.FORBIDDEN, "a certificate is asked for with one of another authority")
        record, now = self._registry.standing(agent), self._now()
        made = self._ca.issue(agent, request, now, min(now + self._seconds, now if record is None else record.expires_at))
        if sum(one.not_after > now for one in given) >= MOST_LIVE:
            raise RequestError(f"expected an agent with less than {MOST_LIVE} certificates that are valid")
        proven_by = f"{principal.method} {principal.credential}"
        await self._store.add(replace(made.record, proven_by=proven_by))
        fields: dict[str, Scalar] = {
            "agent": agent,
            "certificate": made.record.id,
            "serial": made.record.serial,
            "not_after": int(made.record.not_after),
        }
        await self._told(Event("certificate_issued", OWN, {**fields, "proven_by": proven_by}))
        return made.chain
