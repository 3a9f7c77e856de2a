"""A principal that nobody has proven to be: for operators who ask how policy would decide."""

from doorward.domain.actors import Agent, AuthnMethod, Principal
from doorward.domain.ids import InstanceId


def supposed(agent: Agent, method: AuthnMethod, network: str) -> Principal:
    """An agent as if it were identified. No call may be made with it: nothing that comes over a wire may lead here."""
    return Principal(
        agent=agent,
        subject=None,
        actors=(),
        method=method,
        instance=InstanceId("supposed"),
        credential="supposed",
        network=network,
    )
