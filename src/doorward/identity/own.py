"""The gateway's own principal: whom its discoveries and process starts are attributed to."""

from doorward.domain.actors import Agent, AuthnMethod, Principal
from doorward.domain.ids import InstanceId, TeamId
from doorward.domain.naming import OWN


def own() -> Principal:
    """The gateway itself. It verifies no credential, so nothing that comes over a wire may lead here."""
    return Principal(
        agent=Agent(OWN, "doorward", TeamId("doorward"), "gateway"),
        subject=None,
        actors=(),
        method=AuthnMethod.OWN,
        instance=InstanceId("own"),
        credential="own",
        network="local",
    )
