"""What becomes of an agent's record by each change, or why the change cannot be made: pure, so that one can look before one writes."""

from collections.abc import Sequence

from msgspec.structs import replace

from doorward.domain.actors import Agent, AuthnMethod
from doorward.domain.ids import AgentId
from doorward.identity import identities
from doorward.identity.identities import Identity
from doorward.identity.names import RegistryError, check, check_purpose
from doorward.identity.records import AGENT_METHODS, AgentRecord, Edit, State, Terms, Why, edited
from doorward.identity.roster import Roster

MOST_IDENTITIES = 256
"""Identities of one agent: a fleet of workloads that are one agent, and a record that is still quick to write whole."""


def known(roster: Roster, agent: AgentId) -> AgentRecord:
    """The record of an agent; raises `RegistryError` if there is none."""
    record = roster.agents.get(agent)
    if record is None:
        raise RegistryError(f"expected the id of an agent, got {agent[:64]!r}")
    return record


def added(roster: Roster, agent: Agent, expires_at: float, terms: Terms, now: float) -> AgentRecord:
    """A new agent's; raises `RegistryError` if the name cannot be one or was ever taken, or an identity is another agent's."""
    record = AgentRecord(
        agent=agent,
        state=State.ACTIVE,
        created_at=now,
        expires_at=expires_at,
        purpose=terms.purpose,
        methods=terms.methods,
        identities=terms.identities,
        enrolled_by=terms.enrolled_by,
    )
    _check(record, now)
    taken = roster.agents.get(agent.id)
    if taken is not None:
        raise RegistryError(f"expected a new name, {agent.id!r} is {taken.state}")
    _check_identities(roster, record.identities, agent.id)
    return record


def with_keys(record: AgentRecord) -> AgentRecord:
    """The same record; raises `RegistryError` unless the agent may prove itself by keys."""
    if AuthnMethod.AGENT_KEY not in record.methods:
        raise RegistryError(f"expected an agent that may prove itself by keys, {record.agent.id!r} may not")
    return record


def active(record: AgentRecord) -> AgentRecord:
    """The same record; raises `RegistryError` unless the agent may act."""
    if record.state is not State.ACTIVE:
        raise RegistryError(f"expected an active agent, {record.agent.id!r} is {record.state}")
    return record


def bound(roster: Roster, agent: AgentId, identity: Identity) -> AgentRecord:
    """With one identity more; raises `RegistryError`, above all where it is another agent's."""
    record = _changeable(roster, agent)
    names = record.identities if identity in record.identities else (*record.identities, identity)
    _check_identities(roster, names, agent)
    return replace(record, identities=names)


def unbound(roster: Roster, identity: Identity) -> AgentRecord:
    """Of the agent that an identity stands for, without it; raises `RegistryError`."""
    record = roster.holder(identity)
    if record is None:
        raise RegistryError(f"expected an identity that is bound to an agent, got {identities.shown(identity)}")
    return replace(record, identities=tuple(other for other in record.identities if other != identity))


def rewritten(roster: Roster, agent: AgentId, edit: Edit, now: float) -> AgentRecord:
    """After an edit; raises `RegistryError`."""
    record = edited(_changeable(roster, agent), edit)
    _check(record, now)
    return record


def suspended(roster: Roster, agent: AgentId) -> AgentRecord:
    """Kept out until it is resumed, by an operator's word where it was not kept out already; raises `RegistryError`."""
    record = _changeable(roster, agent)
    return replace(record, state=State.SUSPENDED, why=record.why if record.state is State.SUSPENDED else Why.ORDERED)


def orphaned(roster: Roster, owner: str) -> tuple[AgentRecord, ...]:
    """Every agent of an owner, by id, kept out until somebody else answers for it."""
    left = (record for record in roster.agents.values() if record.agent.owner == owner and record.state is not State.REVOKED)
    ordered = sorted(left, key=lambda record: record.agent.id)
    return tuple(replace(record, state=State.SUSPENDED, why=Why.OWNER_LEFT) for record in ordered)


def resumed(roster: Roster, agent: AgentId) -> AgentRecord:
    """May act again; raises `RegistryError` for one that nobody answers for."""
    record = _changeable(roster, agent)
    if record.state is State.SUSPENDED and record.why is Why.OWNER_LEFT:
        raise RegistryError(f"expected an agent that somebody answers for, the owner of {agent!r} ({record.agent.owner!r}) has left")
    return replace(record, state=State.ACTIVE, why=Why.ORDERED)


def revoked(roster: Roster, agent: AgentId) -> AgentRecord:
    """Kept out for good, under its name and identities; raises `RegistryError`."""
    return replace(known(roster, agent), state=State.REVOKED)


def check_end(seconds: float, what: str) -> None:
    """Raises `RegistryError` for what would have ended already."""
    if not seconds > 0:
        raise RegistryError(f"expected the {what} to end after now, got {seconds:g} seconds from now")


def _changeable(roster: Roster, agent: AgentId) -> AgentRecord:
    record = known(roster, agent)
    if record.state is State.REVOKED:
        raise RegistryError(f"expected an agent that is not revoked, got {agent!r}")
    return record


def _check(record: AgentRecord, now: float) -> None:
    check(record.agent)
    check_purpose(record.purpose)
    check_end(record.expires_at - now, "agent")
    strange = record.methods - AGENT_METHODS - {AuthnMethod.ANONYMOUS}
    if strange or not record.methods:
        raise RegistryError(f"expected one or more of {', '.join(sorted(AGENT_METHODS))}, got {', '.join(sorted(strange)) or 'none'}")


def _check_identities(roster: Roster, wanted: Sequence[Identity], agent: AgentId) -> None:
    if len(wanted) > MOST_IDENTITIES or len(set(wanted)) < len(wanted):
        raise RegistryError(f"expected at most {MOST_IDENTITIES} different identities, got {len(wanted)}")
    for identity in wanted:
        wrong, holder = identities.misnamed(identity), roster.holder(identity)
        if wrong is not None:
            raise RegistryError(wrong)
        if holder is not None and holder.agent.id != agent:
            raise RegistryError(f"expected a free identity, {identities.shown(identity)} stands for {holder.agent.id!r}")
