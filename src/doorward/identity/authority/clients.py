"""Which client an id stands for: one that is declared here, one that a document describes, or one that has registered itself."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from doorward.config.identity import KnownClient
from doorward.domain.errors import DoorwardError
from doorward.identity.authority import documents
from doorward.identity.authority.documents import Documents
from doorward.identity.authority.families import AuthorityStore, Registered
from doorward.identity.authority.port import Client, Clientele, Grant, OAuthError, Origin

REGISTERED_PREFIX: Final = "dyn-"
_PUBLIC: Final = frozenset({Grant.CODE, Grant.REFRESH})


class DeclaredError(DoorwardError):
    """A declared client whose keys cannot be read."""


class Clients:
    """Finds clients by their ids."""

    __slots__ = ("_clientele", "_declared", "_documents", "_registered")

    def __init__(
        self, declared: Mapping[str, Client], described: Documents | None, registered: AuthorityStore | None, clientele: Clientele
    ) -> None:
        """`described`, `registered`: None where such clients are not dealt with."""
        self._clientele = clientele
        self._declared = declared
        self._documents = described
        self._registered = registered

    async def client(self, client_id: str) -> Client:
        """The client of an id; raises `OAuthError` `invalid_client`, `Refused` for one that is no agent here, and `StoreError`."""
        declared = self._declared.get(client_id)
        if declared is not None:
            return declared
        if self._documents is not None and documents.is_url(client_id):
            # Before anything is fetched: nobody can make us do that in the name of a client that would get nothing anyway.
            self._clientele.admit(client_id)
            return await self._documents.client(client_id)
        if self._registered is not None and client_id.startswith(REGISTERED_PREFIX):
            known = await self._registered.registered(client_id)
            if known is not None:
                return _registered(known)
        raise OAuthError("invalid_client", "no client of this id is known here", 401)


def declared(known: Mapping[str, KnownClient], root: Path) -> dict[str, Client]:
    """The clients of the configuration by id; raises `DeclaredError` where a file of keys cannot be read."""
    return {client_id: _declared(client_id, client, root) for client_id, client in known.items()}


def _declared(client_id: str, client: KnownClient, root: Path) -> Client:
    return Client(
        id=client_id,
        name=client.name,
        origin=Origin.DECLARED,
        redirect_uris=client.redirect_uris,
        grants=frozenset(Grant(name) for name in client.grants),
        scopes=frozenset(client.scopes),
        jwks=None if client.jwks_file is None else key_set(root / client.jwks_file),
        jwks_url=client.jwks_url,
        secret_sha256=client.secret_sha256 or "",
    )


def key_set(path: Path) -> dict[str, object]:
    """The JWKS of a file; raises `DeclaredError` where it is none."""
    try:
        value = msgspec.json.decode(path.read_bytes(), type=dict[str, object])
    except (OSError, msgspec.MsgspecError) as error:
        raise DeclaredError(f"a JWKS was expected in {path}: {error}") from error
    if not isinstance(value.get("keys"), list):
        raise DeclaredError(f"a list of keys was expected in {path}")
    return value


def _registered(known: Registered) -> Client:
    return Client(known.id, known.name, Origin.REGISTERED, known.redirect_uris, _PUBLIC, frozenset({"mcp"}))
