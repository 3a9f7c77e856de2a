"""What our authority says of itself (RFC 8414)."""

from typing import Final

import msgspec

from doorward.identity.authority.grants import assertion
from doorward.identity.authority.port import Grant
from doorward.identity.authority.scopes import SUPPORTED
from doorward.identity.authority.signed import ALGORITHMS
from doorward.identity.tokens import dpop

AUTHORIZE: Final = "/oauth/authorize"
TOKEN: Final = "/oauth/token"
REVOKE: Final = "/oauth/revoke"
REGISTER: Final = "/oauth/register"
JWKS: Final = "/oauth/jwks"


class Abilities(msgspec.Struct, frozen=True):
    """What depends on the configuration."""

    documents: bool
    dynamic: bool
    assertions: bool
    certificates: bool
    secrets: bool = False
    """A declared client has a secret."""


def metadata(issuer: str, abilities: Abilities) -> dict[str, object]:
    """The document; also good as that of OpenID Connect Discovery for clients that look there."""
    methods = ["none", "private_key_jwt", *(("client_secret_basic", "client_secret_post") if abilities.secrets else ())]
    grants = [grant.wire for grant in Grant if grant is not Grant.ASSERTION or abilities.assertions]
    document: dict[str, object] = {
        "issuer": issuer,
        "authorization_endpoint": issuer + AUTHORIZE,
        "token_endpoint": issuer + TOKEN,
        "revocation_endpoint": issuer + REVOKE,
        "jwks_uri": issuer + JWKS,
        "scopes_supported": list(SUPPORTED),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": grants,
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": sorted(ALGORITHMS),
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": sorted(ALGORITHMS),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "client_id_metadata_document_supported": abilities.documents,
        "dpop_signing_alg_values_supported": sorted(dpop.ALGORITHMS),
        "tls_client_certificate_bound_access_tokens": abilities.certificates,
    }
    if abilities.assertions:
        document["authorization_grant_profiles_supported"] = [assertion.PROFILE]
    if abilities.dynamic:
        document["registration_endpoint"] = issuer + REGISTER
    return document
