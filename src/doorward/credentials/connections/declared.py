"""An upstream at which people have accounts of their own, as the configuration says it."""

from dataclasses import dataclass

from doorward.config.credentials_user import UserCredential
from doorward.domain.ids import UpstreamId
from doorward.net.addresses import Reach, Rule


@dataclass(frozen=True, slots=True)
class PerUser:
    """Each person's own account, connected by that person."""

    audience: str
    upstream: UpstreamId
    url: str
    """Its MCP endpoint; the first of several replicas."""
    reach: Rule
    """By which the upstream itself is reached."""
    credential: UserCredential

    @property
    def provider_reach(self) -> Rule:
        """By which its authorization server is reached."""
        return rule_of(self.credential.private, self.credential.plain_http)


def rule_of(is_private: object, is_plain: object) -> Rule:
    """The egress rule of two declarations (`private`, `plain_http`)."""
    return Rule(Reach.PRIVATE if is_private else Reach.PUBLIC, frozenset({"https", "http"} if is_plain else {"https"}))
