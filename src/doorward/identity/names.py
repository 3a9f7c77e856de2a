"""What an agent may be called: so that names stand alone in logs, policies and principals, and nobody takes the gateway's."""

from doorward.domain.actors import Agent
from doorward.domain.errors import DoorwardError
from doorward.domain.ids import AgentId, TeamId

OWN = AgentId("doorward")
"""The gateway itself, among agents."""

_LONGEST = 64
_LONGEST_OWNER = 200
_INNER = frozenset("-._")
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")


class AgentError(DoorwardError):
    """A name that an agent cannot have."""


def described(agent: str, owner: str, team: str, kind: str) -> Agent:
    """An agent from what an operator wrote; raises `AgentError`."""
    if agent == OWN:
        raise AgentError(f"expected a name other than {OWN!r}, which is the gateway's own")
    for what, text in (("an agent's name", agent), ("a team", team), ("a kind", kind)):
        if not _is_name(text):
            raise AgentError(f"expected {what} of lower-case letters, digits and single . _ - between them, got {text[:_LONGEST]!r}")
    if not owner.strip() or len(owner) > _LONGEST_OWNER or not owner.isprintable():
        raise AgentError(f"expected an owner of 1 to {_LONGEST_OWNER} printable characters, got {owner[:_LONGEST]!r}")
    return Agent(AgentId(agent), owner.strip(), TeamId(team), kind)


def _is_name(text: str) -> bool:
    """Letters and digits, with single separators between: `/` in particular, which joins agent and subject, cannot be part of it."""
    if not 0 < len(text) <= _LONGEST or not _PLAIN.issuperset((text[0], text[-1])):
        return False
    return all(here in _PLAIN or (here in _INNER and after in _PLAIN) for here, after in zip(text, text[1:] + "a", strict=True))
