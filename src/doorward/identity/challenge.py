"""The challenge that goes with a 401 (RFC 9110 §11.6.1, RFC 6750 §3): what would have been a good credential."""

from doorward.identity.bearer import is_bearer
from doorward.identity.chain import Presented

_REALM = 'Bearer realm="doorward"'


def challenge(presented: Presented) -> str:
    """The value of `WWW-Authenticate`: with an error only where a bearer token was presented, and never why it failed."""
    authorization = presented.authorization
    if authorization is None or not is_bearer(authorization):
        return _REALM
    return f'{_REALM}, error="invalid_token"'
