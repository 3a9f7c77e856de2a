"""What goes with a refusal (RFC 9110 §11.6.1): what would have been a good credential, and where there is one (RFC 6750, 9449, 9728)."""

from doorward.domain.actors import Principal
from doorward.domain.ids import UpstreamId
from doorward.domain.reasons import Refused
from doorward.identity.bearer import is_bearer
from doorward.identity.chain import Presented
from doorward.identity.metadata import Advertised
from doorward.identity.resources import Resources
from doorward.identity.tokens.dpop import INVALID_PROOF

_REALM = 'Bearer realm="doorward"'
_DPOP = "dpop"


class Challenges:
    """The values of `WWW-Authenticate`, as a configuration has them.

    Where nobody gives out tokens for us, nothing of OAuth is said: a client that should have an agent key is not sent to look for a server.
    """

    __slots__ = ("_offer", "_resources")

    def __init__(self, offer: Advertised | None, resources: Resources) -> None:
        self._offer = offer
        self._resources = resources

    def unauthenticated(self, presented: Presented, refused: Refused) -> tuple[str, ...]:
        """With a 401: an error only where a token was presented, and never why it failed. `Bearer` comes first: many clients read no other."""
        if self._offer is None:
            return (challenge(presented),)
        terms = self._terms(self._offer, presented.endpoint, " ".join(self._offer.scopes))
        error = ""
        if _is_dpop(presented):
            error = f'error="{INVALID_PROOF if refused.extra.get("error") == INVALID_PROOF else "invalid_token"}", '
        return f"{challenge(presented)}, {terms}", f"DPoP {error}{_algorithms(self._offer)}, {terms}"

    def insufficient(self, presented: Presented, principal: Principal, scope: str) -> tuple[str, ...]:
        """With a 403 that another token would cure: under the scheme that was used, with the scope to ask for."""
        if self._offer is None:
            return (f'{_REALM}, error="insufficient_scope", scope="{scope}"',)
        terms = self._terms(self._offer, presented.endpoint, self._offer.asked(principal.proof.issuer, scope))
        if _is_dpop(presented):
            return (f'DPoP error="insufficient_scope", {_algorithms(self._offer)}, {terms}',)
        return (f'{_REALM}, error="insufficient_scope", {terms}',)

    def _terms(self, offer: Advertised, endpoint: UpstreamId | None, scope: str) -> str:
        where = f'resource_metadata="{self._resources.metadata_url(endpoint)}"'
        return f'{where}, scope="{scope}"' if scope else where


def challenge(presented: Presented) -> str:
    """A challenge that knows bearer tokens alone."""
    authorization = presented.authorization
    if authorization is None or not is_bearer(authorization):
        return _REALM
    return f'{_REALM}, error="invalid_token"'


def silent() -> Challenges:
    """The challenges of a house where nobody gives out tokens."""
    return _SILENT


_SILENT = Challenges(None, Resources("http://localhost"))


def _is_dpop(presented: Presented) -> bool:
    return presented.authorization is not None and presented.authorization.partition(" ")[0].lower() == _DPOP


def _algorithms(offer: Advertised) -> str:
    return f'algs="{" ".join(offer.dpop_algorithms)}"'
