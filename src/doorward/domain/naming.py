"""What an agent may be called: so that names stand alone in logs, policies and principals, and nobody takes the gateway's."""

from doorward.domain.actors import Agent
from doorward.domain.ids import AgentId

OWN = AgentId("doorward")
"""The gateway itself, among agents."""

_LONGEST = 64
_LONGEST_OWNER = 256
_INNER = frozenset("-._")
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")


def misnamed(agent: Agent) -> str | None:
    """Why an agent cannot be known by these names; None where it can."""
    if agent.id == OWN:
        return f"expected a name other than {OWN!r}, which is the gateway's own"
    if not _is_name(agent.id):
        return f"expected an agent's name of a-z, 0-9 and single . _ - between them, got {agent.id[:_LONGEST]!r}"
    for what, text, longest in (("team", agent.team, _LONGEST), ("kind", agent.kind, _LONGEST), ("owner", agent.owner, _LONGEST_OWNER)):
        if not text.strip() or len(text) > longest or not text.isprintable():
            return f"expected a {what} of 1 to {longest} printable characters, got {text[:_LONGEST]!r}"
    return None


def _is_name(text: str) -> bool:
    """Letters and digits, with single separators between: `/` in particular, which joins agent and subject, cannot be part of it."""
    if not 0 < len(text) <= _LONGEST or not _PLAIN.issuperset((text[0], text[-1])):
        return False
    return all(here in _PLAIN or (here in _INNER and after in _PLAIN) for here, after in zip(text, text[1:] + "a", strict=True))
