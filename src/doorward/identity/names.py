"""The registry's word on names that an agent cannot have."""

from doorward.domain.actors import Agent
from doorward.domain.errors import DoorwardError
from doorward.domain.naming import misnamed

_LONGEST_PURPOSE = 256


class RegistryError(DoorwardError):
    """A change that cannot be made to the registry."""


def check(agent: Agent) -> None:
    """Raises `RegistryError` unless the agent can be known by its names."""
    wrong = misnamed(agent)
    if wrong is not None:
        raise RegistryError(wrong)


def check_purpose(text: str) -> None:
    """Raises `RegistryError` unless a text can say what an agent is for; an empty one says nothing."""
    if len(text) > _LONGEST_PURPOSE or not text.isprintable():
        raise RegistryError(f"expected a purpose of at most {_LONGEST_PURPOSE} printable characters, got {text[:64]!r}")
