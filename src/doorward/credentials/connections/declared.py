"""An upstream at which people have accounts of their own, as the configuration says it."""

import msgspec

from doorward.config.credentials_user import UserCredential
from doorward.config.model import Upstream
from doorward.credentials.oauth.plans import Way
from doorward.domain.ids import UpstreamId


class PerUser(msgspec.Struct, frozen=True):
    """Each person's own account, connected by that person."""

    audience: str
    upstream: UpstreamId
    url: str
    """Its MCP endpoint; the first of several replicas, and empty for a process."""
    way: Way
    """How the upstream itself is reached."""
    credential: UserCredential

    @property
    def place(self) -> str:
        """Where it is, as whoever connects it is shown: the origin of its first address, or its process."""
        return self.audience.partition(" ")[0]

    def is_at(self, place: str) -> bool:
        """Whether that is one of its addresses still."""
        return place in self.audience.split(" ")

    @property
    def provider_way(self) -> Way:
        """How its authorization server is reached."""
        credential = self.credential
        return Way(credential.private, credential.plain_http, credential.ca_file)


def per_user(name: str, upstream: Upstream, credential: UserCredential, audience: str) -> PerUser:
    """The plan of an upstream."""
    tls = upstream.tls
    shown = None if tls is None or tls.certificate is None or tls.key is None else (tls.certificate, tls.key)
    way = Way(upstream.private, upstream.plain_http, None if tls is None else tls.ca_file, shown)
    return PerUser(audience, UpstreamId(name), next(iter(upstream.addresses), ""), way, credential)


def texts(of: PerUser) -> tuple[str, ...]:
    """The texts of a plan that hold references."""
    credential = of.credential
    return tuple(text for text in (credential.client_secret, credential.client_key) if text is not None)
