"""What if: a call and its moment with one thing otherwise, as far as policy can see it.

INVARIANT: what comes out is asked of policy and never made: no supposition leads to a call that goes anywhere.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

import msgspec

from doorward.domain.actors import AuthnMethod, Bound, Principal, Proof, Subject
from doorward.domain.calls import Call
from doorward.domain.catalog import Kind
from doorward.domain.ids import AgentId, PolicyId, SubjectId, TeamId
from doorward.policy.question import LOCAL, Moment, user_issuer
from doorward.policy.session import Said, with_fact_of

SOMEBODY = "somebody"
"""The name of a person of whom nothing but an issuer or a group is said."""

_T = TypeVar("_T")


class Supposition(msgspec.Struct, frozen=True):
    """A call, its moment, and the policies that are thought away."""

    call: Call
    at: Moment
    without: frozenset[PolicyId] = frozenset()
    excepted: frozenset[PolicyId] = frozenset()
    """The `forbid`s that an exception for the agent that speaks would lift."""
    said: tuple[tuple[tuple[str, ...], object], ...] = ()
    """Facts that are taken as given, by the names below `context.derived`, whatever the arguments."""


def with_argument(supposed: Supposition, names: tuple[str, ...], value: object) -> Supposition | None:
    """With another value of an argument, by its names from the outside in; None where something else stands in the way."""
    call = supposed.call
    arguments = _put(call.arguments, names, value)
    if arguments is None:
        return None
    is_uri = call.target.kind is Kind.RESOURCE and names == ("uri",)
    target = replace(call.target, name=str(value)) if is_uri else call.target
    return msgspec.structs.replace(supposed, call=replace(call, arguments=arguments, target=target))


def without_argument(supposed: Supposition, names: tuple[str, ...]) -> Supposition | None:
    """Without an argument; None where it is not there."""
    arguments = _cut(supposed.call.arguments, names)
    return None if arguments is None else msgspec.structs.replace(supposed, call=replace(supposed.call, arguments=arguments))


def with_fact(supposed: Supposition, names: tuple[str, ...], value: object) -> Supposition:
    """With a derived fact as it is said to be; lists as tuples."""
    return msgspec.structs.replace(supposed, said=(*supposed.said, (names, tuple(value) if isinstance(value, list) else value)))


def argument(call: Call, names: tuple[str, ...]) -> tuple[object, bool]:
    """The value of an argument, and whether it is there."""
    value: object = call.arguments
    for name in names:
        if not isinstance(value, Mapping) or name not in value:
            return None, False
        value = value[name]
    return value, True


def _put(value: Mapping[str, object], names: tuple[str, ...], new: object) -> Mapping[str, object] | None:
    name, *rest = names
    if not rest:
        return {**value, name: new}
    inner = value.get(name, {})
    below = _put(inner, tuple(rest), new) if isinstance(inner, Mapping) else None
    return None if below is None else {**value, name: below}


def _cut(value: Mapping[str, object], names: tuple[str, ...]) -> Mapping[str, object] | None:
    name, *rest = names
    if name not in value:
        return None
    if not rest:
        return {key: inner for key, inner in value.items() if key != name}
    inner = value[name]
    below = _cut(inner, tuple(rest)) if isinstance(inner, Mapping) else None
    return None if below is None else {**value, name: below}


def with_time(supposed: Supposition, name: str, value: object) -> Supposition | None:
    """At another moment, by one of the facts of `context.time`; None where there is no such moment."""
    at = supposed.at
    here = datetime.fromtimestamp(at.unix_seconds, UTC).astimezone(at.zone)
    try:
        match name, value:
            case ("hour", int(hour)):
                moment = here.replace(hour=hour)
            case ("minute", int(minute)):
                moment = here.replace(minute=minute)
            case ("weekday", int(day)) if 1 <= day <= 7:
                moment = here + timedelta(days=(day - here.isoweekday()) % 7)
            case ("date", str(text)):
                day_of = date.fromisoformat(text)
                moment = here.replace(year=day_of.year, month=day_of.month, day=day_of.day)
            case ("unix", int(seconds)):
                moment = datetime.fromtimestamp(seconds, UTC)
            case ("now", int(milliseconds)):
                moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
            case _:
                return None
        return msgspec.structs.replace(supposed, at=replace(at, unix_seconds=moment.timestamp()))
    except (ValueError, OverflowError, OSError):
        return None


def with_proof(supposed: Supposition, name: str, value: object) -> Supposition | None:
    """With something else about how the principal was verified: authn, issuer, client, bound, certificate or network."""
    principal = supposed.call.principal
    match name, value:
        case ("authn", str(method)) if (found := _one_of(AuthnMethod, method)) not in (None, AuthnMethod.OWN):
            assert found is not None
            return _by(supposed, replace(principal, method=found))
        case ("network", str(address)):
            return _by(supposed, replace(principal, network=address or LOCAL))
        case ("bound", str(bound)) if (tied := _one_of(Bound, bound)) is not None:
            return _proven(supposed, replace(principal.proof, bound=tied))
        case ("issuer", str(issuer)):
            return _proven(supposed, replace(principal.proof, issuer=issuer))
        case ("client", str(client)):
            return _proven(supposed, replace(principal.proof, client=client))
        case ("certificate", bool(is_shown)):
            return _proven(supposed, replace(principal.proof, certificate="supposed" if is_shown else ""))
    return None


def with_session(supposed: Supposition, name: str, value: object) -> Supposition | None:
    """With something else about what has flowed into its context, by a fact of `context.session`; None where that cannot be."""
    at = supposed.at
    said = None if at.session is None else with_fact_of(Said(replace(at.session.flow(), tainted=at.session.tainted())), name, value)
    return None if said is None else msgspec.structs.replace(supposed, at=replace(at, session=said))


def with_scopes(supposed: Supposition, scopes: frozenset[str]) -> Supposition:
    """With a credential limited to these scopes."""
    return _proven(supposed, replace(supposed.call.principal.proof, scopes=scopes))


def without_actors(supposed: Supposition) -> Supposition:
    """By an agent that acts by its own rights."""
    return _by(supposed, replace(supposed.call.principal, actors=()))


def with_agent(supposed: Supposition, name: str, value: str, position: int = 0) -> Supposition | None:
    """With another name, owner, kind or team of the agent that speaks, or of the one at a position of its chain (from 1)."""
    principal = supposed.call.principal
    agent = principal.agent if position == 0 else principal.actors[position - 1].agent
    match name:
        case "name":
            agent = replace(agent, id=AgentId(value))
        case "owner":
            agent = replace(agent, owner=value)
        case "kind":
            agent = replace(agent, kind=value)
        case "team":
            agent = replace(agent, team=TeamId(value))
        case _:
            return None
    if position == 0:
        return _by(supposed, replace(principal, agent=agent))
    actors = list(principal.actors)
    actors[position - 1] = replace(actors[position - 1], agent=agent)
    return _by(supposed, replace(principal, actors=tuple(actors)))


def for_user(supposed: Supposition, user: str) -> Supposition:
    """For another person, of the same groups."""
    subject = supposed.call.principal.subject
    groups = frozenset[str]() if subject is None else subject.groups
    return _for(supposed, Subject(SubjectId(user), groups))


def for_nobody(supposed: Supposition) -> Supposition:
    """For no person."""
    return _for(supposed, None)


def for_issuer(supposed: Supposition, issuer: str) -> Supposition:
    """For a person for whom this issuer vouches; an empty one for nobody's."""
    subject = supposed.call.principal.subject
    own = str(subject.id) if subject is not None else SOMEBODY
    name = own.partition(":")[2] if subject is not None and user_issuer(subject.id) else own
    return for_user(supposed, f"{issuer}:{name}" if issuer else name)


def with_group(supposed: Supposition, group: str) -> Supposition:
    """For a person who is in this group besides."""
    subject = supposed.call.principal.subject
    if subject is None:
        issuer, colon, _ = group.partition(":")
        subject = Subject(SubjectId(f"{issuer}:{SOMEBODY}" if colon else SOMEBODY), frozenset())
    return _for(supposed, replace(subject, groups=subject.groups | {group}))


def without_group(supposed: Supposition, group: str) -> Supposition | None:
    """For a person who is not in this group; None for one who never was."""
    subject = supposed.call.principal.subject
    if subject is None or group not in subject.groups:
        return None
    return _for(supposed, replace(subject, groups=subject.groups - {group}))


def _for(supposed: Supposition, subject: Subject | None) -> Supposition:
    return _by(supposed, replace(supposed.call.principal, subject=subject))


def _proven(supposed: Supposition, proof: Proof) -> Supposition:
    return _by(supposed, replace(supposed.call.principal, proof=proof))


def _by(supposed: Supposition, principal: Principal) -> Supposition:
    return msgspec.structs.replace(supposed, call=replace(supposed.call, principal=principal))


def _one_of(words: type[_T], text: str) -> _T | None:
    try:
        return words(text)  # type: ignore[call-arg]  # an enum made from its value
    except ValueError:
        return None
