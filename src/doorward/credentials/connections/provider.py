"""The authorization server behind an upstream: as its metadata says (RFC 8414), or as the configuration does for one without any."""

from collections.abc import Mapping

import msgspec

from doorward.config.credentials_user import UserCredential
from doorward.domain.errors import DoorwardError
from doorward.net.fetch import Web
from doorward.net.oauth.metadata import endpoint, mcp_urls, metadata, texts


class ProviderError(DoorwardError):
    """An authorization server that is no use to us; for operators."""


class Provider(msgspec.Struct, frozen=True):
    """Where it is asked for what, and what it can do."""

    issuer: str
    """What tokens and registrations of it are kept under: its identifier, else the URL of its token endpoint."""
    said: str | None
    """Its issuer identifier, which `iss` must be (RFC 9207); None where nobody has said it."""
    authorization: str
    token: str
    revocation: str | None
    registration: str | None
    account: str | None
    authn: frozenset[str]
    """How it takes a client's word: `token_endpoint_auth_methods_supported`."""
    scopes: frozenset[str]
    """Those that it says it knows."""
    names_itself: bool
    takes_documents: bool
    """It knows clients by the URL of a document about themselves."""


class _Issuer(msgspec.Struct, frozen=True):
    """Whose metadata is read."""

    url: str
    is_plain: bool

    @property
    def name(self) -> str:
        """For operators."""
        return repr(self.url[:120])


def declared(credential: UserCredential) -> Provider | None:
    """The server that the configuration describes whole; None where it has metadata."""
    if credential.authorization_url is None or credential.token_url is None:
        return None
    return Provider(
        issuer=credential.issuer or credential.token_url,
        said=credential.issuer,
        authorization=credential.authorization_url,
        token=credential.token_url,
        revocation=credential.revocation_url,
        registration=None,
        account=credential.account_url,
        authn=frozenset({"client_secret_basic"}),
        scopes=frozenset(),
        names_itself=False,
        takes_documents=False,
    )


async def described(url: str, credential: UserCredential, web: Web) -> Provider:
    """The server of an issuer identifier, by its metadata; raises a `DoorwardError`.

    Without a word of PKCE with S256 it is not used (MCP, security considerations): a stolen code would be good for anybody.
    """
    issuer = _Issuer(url, credential.plain_http)
    document = await metadata(issuer, web, mcp_urls)
    if "S256" not in (texts(document, "code_challenge_methods_supported") or ()):
        raise ProviderError(
            f"{issuer.name} does not say that it knows PKCE with S256; where it does, declare its authorization_url and token_url"
        )
    return Provider(
        issuer=url,
        said=url,
        authorization=endpoint(document, "authorization_endpoint", issuer),
        token=endpoint(document, "token_endpoint", issuer),
        revocation=credential.revocation_url or _optional(document, "revocation_endpoint", issuer),
        registration=_optional(document, "registration_endpoint", issuer),
        account=credential.account_url or _optional(document, "userinfo_endpoint", issuer),
        authn=texts(document, "token_endpoint_auth_methods_supported") or frozenset({"client_secret_basic"}),
        scopes=texts(document, "scopes_supported") or frozenset(),
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
        takes_documents=document.get("client_id_metadata_document_supported") is True,
    )


def _optional(document: Mapping[str, object], name: str, issuer: _Issuer) -> str | None:
    return endpoint(document, name, issuer) if name in document else None
