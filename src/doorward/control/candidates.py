"""Policy files that an operator sends to be tried, and policy files that are kept, as the admin API words them."""

from collections.abc import Callable, Iterable

from pydantic import Field

from doorward.config.model import Document
from doorward.control.routes import ControlError, Shape
from doorward.domain.actors import Agent
from doorward.domain.ids import AgentId, Digest, TeamId
from doorward.identity.registry import Registry
from doorward.policy.history import PolicySets
from doorward.policy.rules import Source

CANDIDATE_BYTES = 4 * 1_048_576
"""A candidate's request: thousands of policies."""
FILES = 1_000
LEAST = 6
"""Digits of a digest that must be said; twelve are shown."""


class File(Shape):
    """A policy file: the path it is told by, its text, and the team whose layer it belongs to (empty: the global one)."""

    path: str = Field(min_length=1, max_length=4096)
    text: str
    team: str = Field("", max_length=64)


def sources(files: Iterable[File]) -> tuple[Source, ...]:
    """Files as policies are compiled from them."""
    return tuple(Source(file.path, file.text, file.team) for file in files)


def files(given: Iterable[Source]) -> tuple[File, ...]:
    """Sources as the admin API shows them."""
    return tuple(File(path=source.path, text=source.text, team=source.team) for source in given)


async def meant(sets: PolicySets, said: str) -> Digest:
    """The kept set whose digest begins so; raises `ControlError` 404 for none and 409 for several."""
    found = await sets.named(said.lower()) if len(said) >= LEAST else ()
    if len(found) > 1:
        raise ControlError(409, "ambiguous", f"several sets begin with {said[:64]}; say more of the digest")
    if not found:
        raise ControlError(404, "unknown_set", f"no set of policies {said[:64]!r} is kept (at least {LEAST} digits of its digest)")
    return found[0]


def registered(registry: Registry, document: Document) -> Callable[[AgentId], Agent | None]:
    """Which agent a name stands for now: one that is registered, or the one for callers without any credential."""

    def agent(name: AgentId) -> Agent | None:
        record = registry.agent(name)
        if record is not None:
            return record.agent
        anonymous = document.identity.anonymous
        if anonymous is not None and anonymous.agent == name:
            return Agent(name, "nobody", TeamId(anonymous.team), "anonymous")
        return None

    return agent
