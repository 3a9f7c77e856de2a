"""Enrolment rules: which verified identities they take, and as which agents."""

from collections.abc import Mapping

import msgspec

from doorward.config.identity import Enrol
from doorward.domain.actors import Agent, AuthnMethod
from doorward.domain.ids import AgentId, TeamId
from doorward.identity.identities import Identity, IdentityKind
from doorward.identity.names import RegistryError, check
from doorward.identity.patterns import matches
from doorward.identity.records import NEVER, Terms

_NAME = "{name}"
_LONGEST_ID = 64
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_INNER = frozenset("-._")
_DAY_SECONDS = 86_400.0


class Enrolling(msgspec.Struct, frozen=True):
    """What an identity becomes by a rule."""

    agent: Agent
    expires_at: float
    terms: Terms


class Rule:
    """One rule of the configuration."""

    __slots__ = ("_enrol", "_kind", "_pattern", "most", "names_each", "text")

    def __init__(self, enrol: Enrol) -> None:
        self._enrol = enrol
        self._kind, self._pattern = _selects(enrol)
        self.names_each = _NAME in enrol.agent
        """Whether each identity becomes an agent of its own: a second one that comes to the same name is another's, and refused."""
        self.most = enrol.most
        self.text = _text(enrol)
        """What it takes and as what: rules of the same text are the same rule, before and after a reload."""

    def takes(self, identity: Identity, claims: Mapping[str, object]) -> bool:
        """Whether a verified identity, with what its token says, is one that this rule enrols."""
        return self.could_take(identity) and all(_says(claims, name, value) for name, value in self._enrol.claims.items())

    def could_take(self, identity: Identity) -> bool:
        """Whether it may be one that this rule enrols, if its token says the right things."""
        is_ours = identity.kind is self._kind and identity.issuer == (self._enrol.issuer or "")
        return is_ours and matches(self._pattern, identity.name)

    def enrolling(self, identity: Identity, method: AuthnMethod, now: float) -> Enrolling:
        """What the identity becomes; raises `RegistryError` where no name can be made of it."""
        rule = self._enrol
        agent = Agent(AgentId(_filled(rule.agent, identity)), rule.owner, TeamId(rule.team), rule.kind)
        check(agent)
        methods = frozenset(AuthnMethod(allowed) for allowed in rule.methods) or frozenset({method})
        end = NEVER if rule.days is None else now + rule.days * _DAY_SECONDS
        return Enrolling(agent, end, Terms(rule.purpose, methods, (identity,), f"rule {self.text}"))


def _selects(enrol: Enrol) -> tuple[IdentityKind, str]:
    """The kind and pattern of a rule. The check of the configuration has seen that it says one."""
    if enrol.spiffe is not None:
        return IdentityKind.SPIFFE, enrol.spiffe
    if enrol.dns is not None:
        return IdentityKind.DNS, enrol.dns
    return IdentityKind.CLIENT, enrol.client


def _text(enrol: Enrol) -> str:
    kind, pattern = _selects(enrol)
    issuer = f"{enrol.issuer}:" if kind is IdentityKind.CLIENT else ""
    claims = "".join(f" with {name}={value!r}" for name, value in sorted(enrol.claims.items()))
    return f"{kind}:{issuer}{pattern}{claims} as {enrol.agent}"


def _says(claims: Mapping[str, object], name: str, wanted: str | bool | int) -> bool:
    """Whether a claim is the wanted value, or a list that holds it; `true` is not 1."""
    found = claims.get(name)
    values = found if isinstance(found, list | tuple) else (found,)
    return any(type(value) is type(wanted) and value == wanted for value in values)


def _filled(template: str, identity: Identity) -> str:
    room = _LONGEST_ID - len(template.replace(_NAME, ""))
    if _NAME not in template:
        return template
    name = _plain(_last(identity))[: max(room, 0)].rstrip("-._")
    if not name:
        raise RegistryError("expected letters or digits that an agent can be named for, there are none")
    return template.replace(_NAME, name)


def _last(identity: Identity) -> str:
    """What tells an identity from others of its rule: the first label of a DNS name, else the last part of a path."""
    if identity.kind is IdentityKind.DNS:
        return identity.name.partition(".")[0]
    return identity.name.rstrip("/").rpartition("/")[2]


def _plain(text: str) -> str:
    """A text in the letters of an agent's name: lower case, others a single `-`, none of them at an end."""
    made: list[str] = []
    for letter in text.lower():
        kept = letter if letter in _PLAIN or letter in _INNER else "-"
        if kept in _INNER and (not made or made[-1] in _INNER):
            continue
        made.append(kept)
    return "".join(made).rstrip("-._")
