"""Ending what was granted (RFC 7009): a client gives back a token, and everything that came of the same grant ends with it."""

from typing import Final

from doorward.domain.receipts import Event
from doorward.identity.authority import signed
from doorward.identity.authority.families import Family
from doorward.identity.authority.grants.kit import Kit
from doorward.identity.authority.keys import ALGORITHM, SigningKeys
from doorward.identity.authority.mint import REFRESH_PREFIX, TYPE
from doorward.identity.authority.port import Client, OAuthError
from doorward.identity.authority.signed import SignedError, Wanted

_WHAT: Final = "token"
_WANTED: Final = Wanted(_WHAT, frozenset({TYPE}), frozenset({ALGORITHM}))
_LATELY_SECONDS: Final = 7_200.0
"""Longer than an access token can live."""


class Revocation:
    """Ends families."""

    __slots__ = ("_keys", "_kit", "_said")

    def __init__(self, kit: Kit, keys: SigningKeys) -> None:
        self._kit = kit
        self._keys = keys
        self._said: frozenset[str] = frozenset()

    async def revoke(self, client: Client, token: str) -> None:
        """Ends the family of a client's token; nothing for one that is unknown or over. Raises `OAuthError`, and a `DoorwardError`."""
        family = await self._family(client, token)
        if family is None:
            return
        if family.client != client.id:
            raise OAuthError("unauthorized_client", "the token was given to another client")
        kit = self._kit
        if await kit.store.end(family.id, "given_back", kit.now()):
            await kit.ended(family.id, "given_back")
            await kit.told(Event("family_revoked", "doorward", {"family": family.id, "client": client.id, "why": "given_back"}))

    async def repeat(self) -> None:
        """Says of each family that has ended lately that it has: a process that died after ending one may not have."""
        ended = await self._kit.store.ended_since(self._kit.now() - _LATELY_SECONDS)
        for family in ended:
            if family.id not in self._said:
                await self._kit.ended(family.id, family.ended_why)
        self._said = frozenset(family.id for family in ended)

    async def _family(self, client: Client, token: str) -> Family | None:
        if token.startswith(REFRESH_PREFIX):
            name = self._kit.mint.family(token)
        else:
            name = await self._of_access_token(client, token)
        return None if name is None else await self._kit.store.family(name)

    async def _of_access_token(self, client: Client, token: str) -> str | None:
        """The family of an access token of ours, expired or not; None for anything else."""
        try:
            claims = await signed.verified(signed.read(token, _WHAT), self._keys, _WANTED)
            if "act" in claims and claims.get("client_id") == client.id:
                # It is part of its parent's grant, which is not this client's to end.
                raise OAuthError("unsupported_token_type", "a token that came of an exchange ends by itself, or with its parent")
            return signed.text(claims, "fam", _WHAT)
        except SignedError:
            return None
