"""Whose access tokens are accepted, and the habits by which they say who acts: presets for the providers that companies have.

Each preset is what its vendor documents; the place is named beside it. Whatever the configuration says of claims and types comes first.
"""

from collections.abc import Mapping
from typing import Final, assert_never

import msgspec
from msgspec.structs import replace

from doorward.config import identity as config
from doorward.config.identity import Preset

OWN: Final = "self"
"""The name of our own authority among the issuers."""
EVERY: Final = "*"
"""In `scopes`: what every token of the issuer may, whatever it says of scopes."""
MOST_ACTORS: Final = 8
"""Links of a delegation chain: longer ones are a loop, or an attack."""
NO_TYPE: Final = ""
"""Among the accepted types: a token without `typ`."""

_ACCESS = frozenset({"at+jwt"})
_PLAIN = frozenset({"at+jwt", "jwt"})


class Habits(msgspec.Struct, frozen=True):
    """Where an issuer's access tokens say what. Of client and subject the first claim that is there counts; groups and scopes are joined."""

    types: frozenset[str] = _ACCESS
    """Accepted `typ`, in lower case without `application/`."""
    client: tuple[str, ...] = ("client_id", "azp")
    subject: tuple[str, ...] = ("sub",)
    groups: tuple[str, ...] = ("groups",)
    scopes: tuple[str, ...] = ("scope", "scp")
    alone: tuple[str, ...] = ()
    """Where scopes stand in a token that was given to a client for itself; empty: as in the others."""
    groups_url: str | None = None
    """Who is asked for the groups that a token leaves out; `{subject}` stands for the person."""
    says: Mapping[str, frozenset[str]] = msgspec.field(default_factory=dict)
    """Claims that an access token has with one of these values, and other tokens of the issuer do not."""
    grants: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """As `scopes` of the configuration, where that says nothing."""
    is_id_token: bool = False
    """Its access tokens are ID tokens: there are no others that can be verified."""


class Issuer(msgspec.Struct, frozen=True):
    """An issuer of access tokens. INVARIANT: its algorithms are asymmetric ones."""

    name: str
    url: str
    """Compared with `iss`, character by character."""
    preset: Preset
    habits: Habits
    algorithms: frozenset[str]
    audiences: frozenset[str] = frozenset()
    """What `aud` must hold one of; empty: the resource of the endpoint that is called."""
    scopes: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """What its scopes mean here."""
    leeway_seconds: float = 60
    longest_seconds: float | None = None
    """Of a token, from `iat` to `exp`."""
    longest_chain: int = MOST_ACTORS
    """Links of a delegation chain."""
    jwks_url: str | None = None
    is_plain: bool = False
    """Its metadata may lead to http."""

    @property
    def is_own(self) -> bool:
        """Whether it is our own authority: then subjects, groups and actors are named as they are here."""
        return self.name == OWN


def issuer(name: str, declared: config.Issuer) -> Issuer:
    """The issuer of a name in the configuration."""
    usual = preset(declared.preset)
    claims = declared.claims
    habits = replace(
        usual,
        types=frozenset(kind.lower().removeprefix("application/") for kind in declared.types) or usual.types,
        client=claims.client or usual.client,
        subject=claims.subject or usual.subject,
        groups=claims.groups or usual.groups,
        scopes=claims.scopes or usual.scopes,
        alone=() if claims.scopes else usual.alone,
        groups_url=declared.groups_url or usual.groups_url,
    )
    algorithms = frozenset[str](declared.algorithms)
    return Issuer(
        name=name,
        url=declared.url,
        preset=declared.preset,
        habits=habits,
        # Two names of one algorithm (RFC 9864): providers change from the old one to the new one without a word.
        algorithms=algorithms | {"Ed25519"} if "EdDSA" in algorithms else algorithms,
        audiences=frozenset(declared.audiences),
        scopes=declared.scopes or usual.grants,
        leeway_seconds=declared.leeway_seconds,
        longest_seconds=declared.longest_seconds,
        longest_chain=declared.longest_chain,
        jwks_url=declared.jwks_url,
        is_plain=declared.plain_http,
    )


def own(url: str) -> Issuer:
    """Our own authority as an issuer, at its URL: RFC 9068 tokens with names as they are here."""
    return Issuer(OWN, url, "generic", Habits(client=("client_id",), scopes=("scope",)), frozenset({"ES256"}), leeway_seconds=5)


def preset(name: Preset) -> Habits:
    """The habits of a vendor."""
    match name:
        case "generic":
            # RFC 9068 §2.1, §2.2; `azp` and `scp` are what many wrote before it.
            return Habits()
        case "auth0":
            # auth0.com/docs, "Access Token Profiles": `azp` and typ JWT in its own profile, `client_id` and at+jwt in that of RFC 9068.
            # Groups are custom claims (Actions, `api.accessToken.setCustomClaim`).
            return Habits(types=_PLAIN, client=("azp", "client_id"), scopes=("scope",))
        case "entra":
            return _entra()
        case "google":
            # developers.google.com/identity, "OpenID Connect", and cloud.google.com/docs/authentication/token-types: access tokens are
            # opaque, ID tokens are what can be verified; `azp` is the client or the service account, `hd` the Workspace domain.
            # They know no scopes: audience and policy alone limit them.
            return Habits(types=_PLAIN, client=("azp",), groups=("hd",), scopes=(), grants={EVERY: ("mcp",)}, is_id_token=True)
        case "keycloak":
            # keycloak.org, Server Administration Guide, "OIDC token and SAML assertion mappings" (groups by a Group Membership mapper) and
            # "Using DPoP": the claim `typ` tells access tokens (Bearer, DPoP) from ID and Refresh tokens of the same keys.
            return Habits(types=_PLAIN, client=("azp", "client_id"), scopes=("scope",), says={"typ": frozenset({"Bearer", "DPoP"})})
        case "okta":
            # developer.okta.com/docs/reference/api/oidc, "Access token": no `typ`, client in `cid`, scopes in `scp`. `sub` is a login name,
            # which can change hands; `uid` is the person for good, and absent where a client acts for itself.
            return Habits(types=frozenset({*_PLAIN, NO_TYPE}), client=("cid",), subject=("uid",), scopes=("scp",))
        case _:
            assert_never(name)


def _entra() -> Habits:
    """learn.microsoft.com/entra/identity-platform/access-token-claims-reference: typ JWT; `azp` (v2.0) or `appid` (v1.0); `oid` is the person
    in the whole directory while `sub` differs with each application; `scp` for a person's tokens, `roles` for an application's own;
    too many groups are left out (`hasgroups`, `_claim_names`), and asked for by learn.microsoft.com/graph/api/directoryobject-getmemberobjects.
    """
    return Habits(
        types=_PLAIN,
        client=("azp", "appid"),
        subject=("oid",),
        scopes=("scp",),
        alone=("roles",),
        groups_url="https://graph.microsoft.com/v1.0/users/{subject}/getMemberObjects",
    )
