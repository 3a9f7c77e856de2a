"""The question that Cedar is asked: a call and its moment as principal, action, resource, entities and context."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol

import msgspec

from doorward.domain import actors
from doorward.domain.actors import Agent, AuthnMethod, Proof, Subject
from doorward.domain.catalog import Target
from doorward.domain.ids import SubjectId, TeamId, UpstreamId
from doorward.domain.record import record
from doorward.policy.reads import Tree
from doorward.policy.session import Session, session_facts

LOCAL = "local"
"""The network of a caller that came over none, such as a Unix socket: the context then has no `network`."""

PROOF = frozenset({"issuer", "client", "bound", "certificate", "scopes"})
"""Attributes of the context that say how a principal was verified."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Uid = tuple[str, str]
"""Type and id of an entity."""


@record(frozen=True, slots=True)
class Moment:
    """When a call is decided, in whose time of day (the zone of `context.time`), and what has flowed into its context by then."""

    unix_seconds: float
    zone: tzinfo
    session: Session | None = None
    """None where nobody knows: what reads it cannot be decided then."""


class Speaker(Protocol):
    """Whoever policy is asked about: a principal, or an agent of its chain as if it spoke itself."""

    @property
    def agent(self) -> Agent: ...
    @property
    def subject(self) -> Subject | None: ...
    @property
    def actors(self) -> tuple[actors.Actor, ...]: ...
    @property
    def method(self) -> AuthnMethod: ...
    @property
    def network(self) -> str: ...
    @property
    def proof(self) -> Proof: ...


class Actor(msgspec.Struct, frozen=True):
    """Everything that policy can see of a principal except how it came: who it is, and for whom it acts."""

    agent: Agent
    subject: Subject | None

    def uids(self) -> frozenset[Uid]:
        """The agent and all that it stands in."""
        found = {("Agent", str(self.agent.id)), ("Team", str(self.agent.team))}
        if self.subject is not None:
            found |= {("User", str(self.subject.id)), *(("Group", group) for group in self.subject.groups)}
        return frozenset(found)


class Place(msgspec.Struct, frozen=True):
    """Everything that policy can see of an upstream."""

    upstream: UpstreamId
    team: TeamId

    def uids(self) -> frozenset[Uid]:
        """The upstream and the team that owns it."""
        return frozenset({("Upstream", str(self.upstream)), ("Team", str(self.team))})


def facts(principal: Speaker, target: Target, at: Moment, read: Tree) -> dict[str, object]:
    """The context but for the arguments, as plain values; time, proof, chain and session only if they are read."""
    found: dict[str, object] = {"authn": str(principal.method), "reversibility": str(target.reversibility)}
    if reads_proof(read):
        found |= proof_facts(principal.proof)
    if "actors" in read:
        found["actors"] = sorted(str(actor.agent.id) for actor in principal.actors)
    if principal.network != LOCAL:
        found["network"] = principal.network
    return found | moving_facts(at, read)


def moving_facts(at: Moment, read: Tree) -> dict[str, object]:
    """What of it is another one from call to call."""
    found: dict[str, object] = {}
    if "time" in read:
        found["time"] = time_facts(at)
    if at.session is not None and "session" in read:
        found["session"] = session_facts(at.session, read.below("session"))
    return found


def reads_proof(read: Tree) -> bool:
    """Whether anything is read of how a principal was verified, but for the method."""
    return read.is_whole or not PROOF.isdisjoint(read.parts)


def proof_facts(proof: Proof) -> dict[str, object]:
    """What policy can see of a proof; empty texts stand for what a credential does not have."""
    return {
        "issuer": proof.issuer,
        "client": proof.client,
        "bound": str(proof.bound),
        "certificate": bool(proof.certificate),
        "scopes": sorted(proof.scopes),
    }


def user_issuer(subject: SubjectId) -> str:
    """Who vouched for a person: the issuer's name before the first colon of their id; empty where there is none."""
    issuer, colon, _ = subject.partition(":")
    return issuer if colon else ""


def time_facts(at: Moment) -> dict[str, object]:
    """A moment as policy sees it: hour and minute of the zone, weekday from 1 (Monday) to 7, date, and the instant itself.

    Raises OverflowError outside the years 1 to 9999.
    """
    milliseconds = int(at.unix_seconds * 1000)
    here = (_EPOCH + timedelta(milliseconds=milliseconds)).astimezone(at.zone)
    return {
        "hour": here.hour,
        "minute": here.minute,
        "weekday": here.isoweekday(),
        "date": f"{here.year:04d}-{here.month:02d}-{here.day:02d}",
        "unix": milliseconds // 1000,
        "now": milliseconds,
    }


def entities(actor: Actor, place: Place, action: str, groups: frozenset[str]) -> str:
    """The entities of one question in Cedar's JSON: the agent and what it stands in, the upstream, the action."""
    agent, subject = actor.agent, actor.subject
    attributes: dict[str, object] = {
        "name": str(agent.id),
        "owner": agent.owner,
        "kind": agent.kind,
        "team": {"__entity": _uid("Team", agent.team)},
    }
    parents = [_uid("Team", agent.team)]
    found = []
    if subject is not None:
        attributes["user"] = {"__entity": _uid("User", subject.id)}
        members = [_uid("Group", group) for group in sorted(subject.groups)]
        parents += [_uid("User", subject.id), *members]
        found.append(_entity("User", subject.id, {"issuer": user_issuer(subject.id)}, members))
    found.append(_entity("Agent", agent.id, attributes, parents))
    team = _uid("Team", place.team)
    found.append(_entity("Upstream", place.upstream, {"name": str(place.upstream), "team": {"__entity": team}}, [team]))
    found.append(_entity("Action", action, {}, [_uid("Action", group) for group in sorted(groups)]))
    return msgspec.json.encode(found).decode()


def _uid(kind: str, identity: str) -> dict[str, str]:
    return {"type": kind, "id": str(identity)}


def _entity(kind: str, identity: str, attributes: Mapping[str, object], parents: list[dict[str, str]]) -> dict[str, object]:
    return {"uid": _uid(kind, identity), "attrs": attributes, "parents": parents}
