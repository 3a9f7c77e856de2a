"""The registry's word on names that an agent cannot have."""

from doorward.domain.actors import Agent
from doorward.domain.errors import DoorwardError
from doorward.domain.naming import misnamed


class RegistryError(DoorwardError):
    """A change that cannot be made to the registry."""


def check(agent: Agent) -> None:
    """Raises `RegistryError` unless the agent can be known by its names."""
    wrong = misnamed(agent)
    if wrong is not None:
        raise RegistryError(wrong)
