"""Who called, from what a leaf says of them: persons and groups by pseudonym, told apart exactly as far as policies name them."""

from collections.abc import Callable, Collection, Mapping

import msgspec
from cedarpy import pst

from doorward.audit.leaf import GROUP_CHARACTERS, LISTED
from doorward.domain.actors import ALL_SCOPES, Actor, Agent, AuthnMethod, Bound, Principal, Proof, Subject
from doorward.domain.ids import AgentId, SubjectId, TeamId
from doorward.identity.supposed import supposed
from doorward.policy.engine import Policies
from doorward.policy.memo import Memo
from doorward.policy.question import LOCAL
from doorward.policy.rules import Mode, Rule
from doorward.policy.scope import covered
from doorward.runtime.replay.causes import Cause
from doorward.runtime.replay.recorded import Link, Person, person

PEOPLE = 4_096
"""Principals that are remembered."""


class Who(msgspec.Struct, frozen=True):
    """A principal as far as its leaf told it, and what of it is not known."""

    principal: Principal
    always: tuple[Cause, ...]
    """Without which no decision can be made, whatever policies read."""
    is_unregistered: bool
    """Of some agent of the chain nobody knows owner and kind."""
    has_more_groups: bool
    """The person may stand in groups that the leaf does not have."""
    is_of_unknown_issuer: bool
    is_cut: bool
    """Something that the credential said was too long for the leaf."""


class People:
    """Makes principals of leaves, for one set of policies."""

    __slots__ = ("_agents", "_groups", "_groups_of", "_known", "_users")

    def __init__(self, policies: Policies, agents: Callable[[AgentId], Agent | None], pseudonym: Callable[[str], str]) -> None:
        self._agents = agents
        self._known: Memo[bytes, Who | Cause] = Memo(PEOPLE)
        named = [(rule, _named(rule)) for rule in policies.rules if rule.mode is Mode.ENFORCE]
        self._users = {pseudonym(name): name for _, names in named for name in names["User"]}
        self._groups = {pseudonym(name)[:GROUP_CHARACTERS]: name for _, names in named for name in names["Group"]}
        grouped = [(action, names["Group"]) for rule, names in named if names["Group"] for action in covered(rule, policies.vocabulary)]
        self._groups_of: dict[str, set[str]] = {}
        for action, names in grouped:
            self._groups_of.setdefault(action, set()).update(names)

    def who(self, raw: bytes) -> Who | Cause:
        """The principal of a leaf; a cause where it is of no kind known here."""
        key = bytes(raw)
        known = self._known.get(key)
        return known if known is not None else self._known.put(key, self._made(key))

    def names_others(self, who: Who, action: str | None) -> bool:
        """Whether the policies on an action name a group that the person is not known to stand in."""
        subject = who.principal.subject
        held: Collection[str] = subject.groups if subject is not None else ()
        return any(name not in held for name in self._groups_of.get(action or "", ()))

    def _made(self, raw: bytes) -> Who | Cause:
        try:
            told = person(raw)
            method, bound = AuthnMethod(told.method), Bound(told.bound)
        except (msgspec.ValidationError, ValueError):
            return Cause.PERSON
        agent = self._agents(AgentId(told.agent))
        links = [(link, self._agents(AgentId(link.agent))) for link in told.act]
        scopes = ALL_SCOPES if told.scopes is None else frozenset(told.scopes)
        principal = supposed(
            _agent(told.agent, told.team, agent),
            method,
            LOCAL,
            self._subject(told),
            tuple(Actor("", link.issuer, _agent(link.agent, link.team, known)) for link, known in links),
            Proof(scopes, told.issuer, told.client, certificate=told.certificate, bound=bound),
        )
        return Who(
            principal=principal,
            always=tuple(_always(told, links)),
            is_unregistered=agent is None or any(known is None for _, known in links),
            has_more_groups=told.subject is not None and (told.groups is None or told.groups_cut),
            is_of_unknown_issuer=told.subject is not None and told.subject_issuer is None and told.subject not in self._users,
            is_cut=len(told.scopes or ()) >= LISTED or any(map(is_cut, (told.issuer, told.client, *scopes))),
        )

    def _subject(self, told: Person) -> Subject | None:
        """The person under the name that a policy knows them by, else under one that no policy has."""
        if told.subject is None:
            return None
        unnamed = f"?{told.subject}" if not told.subject_issuer else f"{told.subject_issuer}:?{told.subject}"
        groups = frozenset(self._groups[group] for group in told.groups or () if group in self._groups)
        return Subject(SubjectId(self._users.get(told.subject, unnamed)), groups)


def is_cut(text: str) -> bool:
    """Whether a text of a leaf may be what was left of another one."""
    return text.endswith("…") or "\N{REPLACEMENT CHARACTER}" in text


def _named(rule: Rule) -> Mapping[str, frozenset[str]]:
    """The persons and groups that a rule names."""
    uids = pst.entity_uids(rule.cedar)
    return {kind: frozenset(uid.id for uid in uids if str(uid.type) == kind) for kind in ("User", "Group")}


def _agent(name: str, team: str | None, known: Agent | None) -> Agent:
    """An agent of the team it had then, with the owner and kind that it has now."""
    if known is None:
        return Agent(AgentId(name), "", TeamId(team or ""), "")
    return Agent(known.id, known.owner, TeamId(team) if team is not None else known.team, known.kind)


def _always(told: Person, links: list[tuple[Link, Agent | None]]) -> list[Cause]:
    lost = [Cause.CHAIN] if told.act_cut else []
    return [*lost, Cause.AGENT] if any(link.team is None and known is None for link, known in links) else lost
