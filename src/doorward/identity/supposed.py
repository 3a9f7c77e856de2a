"""A principal that nobody has proven to be: for operators who ask how policy would decide."""

from doorward.domain.actors import ALL_SCOPES, Actor, Agent, AuthnMethod, Principal, Proof, Subject
from doorward.domain.ids import InstanceId

UNLIMITED = Proof(ALL_SCOPES)
"""A credential with no limits of its own, and nothing else to it."""


def supposed(
    agent: Agent,
    method: AuthnMethod,
    network: str,
    subject: Subject | None = None,
    actors: tuple[Actor, ...] = (),
    proof: Proof = UNLIMITED,
) -> Principal:
    """An agent as if it were identified. No call may be made with it: nothing that comes over a wire may lead here."""
    return Principal(
        agent=agent,
        subject=subject,
        actors=actors,
        method=method,
        instance=InstanceId("supposed"),
        credential="supposed",
        network=network,
        proof=proof,
    )
