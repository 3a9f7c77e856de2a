"""From a verified identity to a registered agent: one that is not registered is refused, unless a rule of the configuration enrols it.

LAW: a rule gives nothing that its own lines do not say. It makes agents known under names that nobody has had; it never gives an
identity to an agent that an operator, or another rule, has made known; and its leaf is durable before the agent may act.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

import anyio

from doorward.config.identity import Enrol
from doorward.domain.actors import Agent, AuthnMethod
from doorward.domain.errors import DoorwardError
from doorward.domain.ids import AgentId
from doorward.domain.reasons import Reason, Refused
from doorward.domain.receipts import Event, Scalar
from doorward.identity import standing
from doorward.identity.chain import NotYetError
from doorward.identity.identities import Identity, IdentityKind, misnamed, shown
from doorward.identity.records import AgentRecord
from doorward.identity.registry import Registry, RegistryError
from doorward.identity.rules import Enrolling, Rule

_SECONDS = 10.0
"""For one enrolment, its wait for others included: a leaf and a row, each a write to a disk."""

OWN = "doorward"
"""Who enrols, in the log."""


class Enrolment:
    """Which agent a verified identity is."""

    __slots__ = ("_lock", "_now", "_registry", "_reserved", "_rules", "_seconds", "_told")

    def __init__(
        self, registry: Registry, told: Callable[[Event], Awaitable[object]], now: Callable[[], float], seconds: float = _SECONDS
    ) -> None:
        """`told` writes an event's leaf, durable on return; raises `UnrecordedError`. There are no rules before `adopt`."""
        self._registry = registry
        self._told = told
        self._now = now
        self._seconds = seconds
        self._rules: tuple[Rule, ...] = ()
        self._reserved: frozenset[AgentId] = frozenset()
        self._lock = anyio.Lock()

    def adopt(self, rules: Sequence[Enrol], reserved: frozenset[AgentId]) -> None:
        """Goes on with other rules; `reserved` are names that no rule may give, such as that of anonymous callers."""
        self._rules, self._reserved = tuple(Rule(rule) for rule in rules), reserved

    def agent(self, identity: Identity, method: AuthnMethod, claims: Mapping[str, object]) -> Agent:
        """The agent that a verified identity stands for, noted as seen. `claims` are what its token says (none of a certificate).

        Raises `Refused` UNAUTHENTICATED (unknown, expired, or not allowed to prove itself so) or REVOKED, and `NotYetError` where
        a rule enrols it: once prepared, ask again.
        """
        record = self._registry.by_identity(identity)
        if record is None:
            self._rule(identity, claims)
            raise NotYetError(partial(self._enrol, identity, method, dict(claims)))
        return self._in_good_standing(record, method)

    def standing(self, agent: AgentId, method: AuthnMethod) -> Agent:
        """The agent of a name that was verified already (an actor's, or in a token of our own); raises `Refused` as `agent` does."""
        record = self._registry.standing(agent)
        if record is None:
            raise Refused(Reason.UNAUTHENTICATED, f"agent {agent[:64]!r} is not registered")
        return self._in_good_standing(record, method)

    def until(self, agent: AgentId) -> float:
        """When an agent ends by itself (Unix seconds), as long as nothing changes in the registry; long ago for one that is not known."""
        record = self._registry.standing(agent)
        return float("-inf") if record is None else record.expires_at

    def could_enrol(self, identity: Identity) -> str:
        """The rule that would make an identity known, or let it join an agent, when it next calls; empty if none would."""
        method = AuthnMethod.ACCESS_TOKEN if identity.kind is IdentityKind.CLIENT else AuthnMethod.CERTIFICATE
        rule = next((rule for rule in self._rules if rule.could_take(identity)), None)
        if rule is None:
            return ""
        try:
            self._joins(rule.enrolling(identity, method, self._now()), rule, method)
        except (RegistryError, Refused):
            return ""
        return rule.text

    def _in_good_standing(self, record: AgentRecord, method: AuthnMethod) -> Agent:
        now = self._now()
        standing.check(record, method, now)
        self._registry.seen(record.agent.id, now)
        return record.agent

    def _rule(self, identity: Identity, claims: Mapping[str, object]) -> Rule:
        wrong = misnamed(identity)
        if wrong is not None:
            raise Refused(Reason.UNAUTHENTICATED, wrong)
        for rule in self._rules:
            if rule.takes(identity, claims):
                return rule
        raise Refused(Reason.UNAUTHENTICATED, f"{shown(identity)} is not registered, and no rule enrols it")

    async def _enrol(self, identity: Identity, method: AuthnMethod, claims: Mapping[str, object]) -> None:
        """Makes it known, durably; raises `Refused` alone."""
        try:
            # Shielded: a caller that hangs up between leaf and row would leave a log that tells of what was not done.
            with anyio.fail_after(self._seconds, shield=True):
                async with self._lock:
                    if self._registry.by_identity(identity) is None:
                        await self._enrolled(identity, method, self._rule(identity, claims))
        except DoorwardError as error:
            raise Refused(Reason.UNAUTHENTICATED, f"{shown(identity)} could not be enrolled: {error}") from error
        except TimeoutError as error:
            raise Refused(Reason.UNAUTHENTICATED, f"{shown(identity)} could not be enrolled in {self._seconds:g} seconds") from error

    async def _enrolled(self, identity: Identity, method: AuthnMethod, rule: Rule) -> None:
        enrolling = rule.enrolling(identity, method, self._now())
        known = self._joins(enrolling, rule, method)
        await self._told(Event("agent_enrolled", OWN, _told(enrolling, identity, rule)))
        try:
            if known is None:
                await self._registry.enter(enrolling.agent, enrolling.expires_at, enrolling.terms)
            else:
                await self._registry.bind(enrolling.agent.id, identity)
        except DoorwardError as error:
            await self._told(Event("change_failed", OWN, {"event": "agent_enrolled", "why": str(error)}))
            raise

    def _joins(self, enrolling: Enrolling, rule: Rule, method: AuthnMethod) -> AgentRecord | None:
        """The agent that the identity joins, None where it becomes one of its own; raises `RegistryError` where it may do neither."""
        agent = enrolling.agent
        known = self._registry.standing(agent.id)
        if agent.id in self._reserved:
            raise RegistryError(f"the name {agent.id!r} is anonymous callers'")
        if known is None:
            if self._registry.enrolled(enrolling.terms.enrolled_by) >= rule.most:
                raise RegistryError(f"the rule has made {rule.most} agents known, which is the most it may")
            if self._registry.has_left(agent.owner):
                raise RegistryError(f"the owner {agent.owner!r}, whom the rule names, has left")
            return None
        if known.enrolled_by != enrolling.terms.enrolled_by or rule.names_each:
            raise RegistryError(f"agent {agent.id!r} is there already, and not for this identity; an operator may bind it")
        if (known.agent.team, known.agent.kind) != (agent.team, agent.kind):
            raise RegistryError(
                f"agent {agent.id!r} is of team {known.agent.team!r} and kind {known.agent.kind!r}, the rule says otherwise"
            )
        standing.check(known, method, self._now())
        return known


def _told(enrolling: Enrolling, identity: Identity, rule: Rule) -> dict[str, Scalar]:
    agent = enrolling.agent
    return {
        "agent": agent.id,
        "identity": str(identity),
        "rule": rule.text,
        "team": agent.team,
        "owner": agent.owner,
        "kind": agent.kind,
        "methods": " ".join(sorted(enrolling.terms.methods)),
    }
