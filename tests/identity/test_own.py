"""The gateway's own principal."""

from doorward.domain.actors import AuthnMethod
from doorward.identity.own import own


def test_the_gateway_acts_under_a_name_and_method_that_no_agent_can_have() -> None:
    found = own()
    assert (found.id, found.method, found.agent.owner) == ("doorward", AuthnMethod.OWN, "doorward")
