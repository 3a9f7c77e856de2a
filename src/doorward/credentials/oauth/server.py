"""One authorization server, as its client asks it for tokens (RFC 6749 §3.2, RFC 8414) and gives them back (RFC 7009).

LAW: what is said to a server goes to the endpoints that its own metadata names, or the configuration does; a redirect is an error, and
of what it answers nothing is repeated but the code of an error.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

import msgspec

from doorward.credentials.oauth.means import Means
from doorward.credentials.oauth.plans import Certified, Server
from doorward.credentials.oauth.proof import Field, proven
from doorward.credentials.port import CredentialError
from doorward.domain.errors import DoorwardError
from doorward.domain.secret import Secret
from doorward.net.errors import NetError
from doorward.net.fetch import Fetched, Web, json_object
from doorward.net.oauth.asking import FORM, error_code
from doorward.net.oauth.metadata import endpoint, metadata, texts
from doorward.net.single import Single

KEPT_SECONDS: Final = 3600.0
"""How long metadata counts before it is read again."""
RETRY_SECONDS: Final = 30.0
"""After metadata could not be read anew: the older reading goes on meanwhile."""


class Endpoints(msgspec.Struct, frozen=True):
    """Where a server is asked for what, and what it can do."""

    token: str
    revocation: str | None
    methods: frozenset[str] | None
    """How clients authenticate; None where nobody says."""


class Said(msgspec.Struct, frozen=True):
    """What a token endpoint answered, and the secrets that it was asked with."""

    answer: Mapping[str, object]
    secrets: tuple[Secret, ...]


class AuthorizationServer:
    """Asks one server."""

    __slots__ = ("_due", "_endpoints", "_means", "_reading", "_server", "_web")

    def __init__(self, server: Server, means: Means) -> None:
        self._server, self._means = server, means
        self._web: Web | None = None
        self._endpoints: Endpoints | None = None
        self._due = 0.0
        self._reading: Single[Endpoints] = Single()

    @property
    def server(self) -> Server:
        """Which one."""
        return self._server

    @property
    def audience(self) -> str:
        """What it calls itself in what is signed for it: its issuer, else its token endpoint."""
        return self._server.issuer or self._server.token_url or ""

    async def ask(self, fields: Mapping[str, Field]) -> Said:
        """The answer to a token request; raises a `DoorwardError`."""
        found = await self._found()
        answer, secrets = await self._post(found.token, fields, found)
        said = json_object(answer) if answer.status == 200 else {}
        # Some answer with 200 and an error in it.
        if answer.status != 200 or "error" in said:
            raise CredentialError(f"the token endpoint answered {answer.status}, {_error(answer)}")
        return Said(said, secrets)

    async def can_revoke(self) -> bool:
        """Whether tokens can be given back to it; raises a `DoorwardError`."""
        return (await self._found()).revocation is not None

    async def revoke(self, token: Secret) -> None:
        """Gives an access token back; raises a `DoorwardError`."""
        found = await self._found()
        if found.revocation is None:
            return
        answer, _ = await self._post(found.revocation, {"token": token, "token_type_hint": "access_token"}, found)
        if answer.status != 200:
            raise CredentialError(f"the revocation endpoint answered {answer.status}, {_error(answer)}")

    async def _post(self, url: str, fields: Mapping[str, Field], found: Endpoints) -> tuple[Fetched, tuple[Secret, ...]]:
        proof = proven(self._server, found.methods, self._means)
        form = {name: value.reveal() if isinstance(value, Secret) else value for name, value in {**fields, **proof.fields}.items()}
        return await self._reach().post(url, urlencode(form).encode(), (*FORM, *proof.headers)), proof.secrets

    async def _found(self) -> Endpoints:
        """Its endpoints, as they were read within the hour; an older reading goes on where it cannot be read again."""
        if self._server.token_url is not None:
            return Endpoints(self._server.token_url, None, None)
        known, now = self._endpoints, self._means.monotonic()
        if known is not None and now < self._due:
            return known
        try:
            found = await self._reading.run(self._read)
        except DoorwardError:
            if known is None:
                raise
            self._due = now + RETRY_SECONDS
            return known
        self._endpoints, self._due = found, now + KEPT_SECONDS
        return found

    async def _read(self) -> Endpoints:
        server = self._server
        document = await metadata(server, self._reach())
        aliases = document.get("mtls_endpoint_aliases")
        if isinstance(server.proving, Certified) and isinstance(aliases, dict):
            # RFC 8705 §5: where certificates are asked for, which may be elsewhere.
            document = {**document, **aliases}
        return Endpoints(
            token=endpoint(document, "token_endpoint", server),
            revocation=endpoint(document, "revocation_endpoint", server) if "revocation_endpoint" in document else None,
            methods=texts(document, "token_endpoint_auth_methods_supported"),
        )

    def _reach(self) -> Web:
        if self._web is None:
            self._web = self._means.web(self._server.way)
        return self._web


def _error(answer: Fetched) -> str:
    try:
        return error_code(json_object(answer))
    except NetError:
        return "without an error that is known"
