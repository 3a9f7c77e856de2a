"""Token families, codes and registered clients: what our authority must remember, and the store that it needs for it.

A family is one grant: a person's consent to one client for one endpoint, or a client's own. Everything that comes of it (refreshed,
exchanged) belongs to it and ends with it. LAW: what may be used once is used in one conditional write, never read and then written.
"""

from enum import StrEnum
from typing import Protocol

import msgspec


class Family(msgspec.Struct, frozen=True):
    """One grant, and the refresh token that continues it."""

    id: str
    client: str
    subject: str
    """The person, as `corp:alice`; empty where a client acts for itself."""
    groups: tuple[str, ...]
    """The person's groups when signing in, sorted."""
    scopes: tuple[str, ...]
    """The most that any token of it was limited to, sorted."""
    resource: str
    """The endpoint its tokens are for."""
    created_at: float
    """Unix seconds, as are the others."""
    expires_at: float
    """Neither a refresh nor a token outlasts it."""
    holder: str = ""
    """Who must present its refresh tokens: a key or a certificate's names (`binding.py`); empty: whoever has them."""
    refresh: str = ""
    """SHA-256 of the one refresh token that is good; empty: it has none."""
    refreshed: int = 0
    """How often it was."""
    ended_at: float | None = None
    """When it was revoked."""
    ended_why: str = ""


class Code(msgspec.Struct, frozen=True):
    """An authorization code that was given out: never the code itself."""

    sha256: str
    family: str
    """The id of the family that it will make."""
    client: str
    redirect_uri: str
    challenge: str
    jkt: str
    """The DPoP key it is bound to; empty for none."""
    resource: str
    scopes: tuple[str, ...]
    subject: str
    groups: tuple[str, ...]
    expires_at: float


class Registered(msgspec.Struct, frozen=True):
    """A client that has registered itself."""

    id: str
    name: str
    redirect_uris: tuple[str, ...]
    created_at: float


class Use(StrEnum):
    """What became of something that can be used once."""

    FIRST = "first"
    """It was used, now and durably."""
    AGAIN = "again"
    """It had been used before: two parties have it. Its family has been ended by this very look."""
    NEVER = "never"
    """There is no such thing, or no longer."""


class AuthorityStore(Protocol):
    """Where these are kept. Every method is durable on return, and raises `StoreError` when it cannot answer."""

    async def keep(self, code: Code) -> None:
        """Keeps a new code."""
        ...

    async def code(self, sha256: str) -> Code | None:
        """The code of this hash, used or not."""
        ...

    async def redeem(self, sha256: str, family: Family) -> Use:
        """Uses a code that `family.created_at` is not past the end of, and opens the family in the same transaction.

        AGAIN ends the family that the first use has opened.
        """
        ...

    async def open(self, family: Family) -> None:
        """Keeps a new family that came of no code."""
        ...

    async def family(self, family: str) -> Family | None:
        """The family of this id, ended or not."""
        ...

    async def groups(self, subject: str, now: float) -> tuple[str, ...]:
        """Of the families of a person that stand, the groups of the newest that has any; none where there is no such family."""
        ...

    async def rotate(self, family: str, old: str, new: str, now: float) -> Use:
        """Puts a refresh token in place of the one that is good, where the family stands. AGAIN, where another is good, ends the family.

        Only for an `old` that was once given out for this family.
        """
        ...

    async def end(self, family: str, why: str, now: float) -> bool:
        """Ends one family; says whether it stood."""
        ...

    async def end_subject(self, subject: str, why: str, now: float) -> tuple[str, ...]:
        """Ends every family of a person, and voids the codes; gives the families that stood."""
        ...

    async def end_client(self, client: str, why: str, now: float) -> tuple[str, ...]:
        """Ends every family of a client, and voids its codes; gives the families that stood."""
        ...

    async def ended_since(self, moment: float) -> tuple[Family, ...]:
        """Families that were ended at this moment or later."""
        ...

    async def spend(self, name: str, until: float, now: float) -> bool:
        """Whether a name is new; it stays known until then. Of any number of calls with one name, one is told so."""
        ...

    async def add(self, client: Registered, most: int) -> bool:
        """Keeps a client that has registered, unless so many are kept already; says whether it did."""
        ...

    async def registered(self, client: str) -> Registered | None:
        """The client of this id that has registered itself."""
        ...

    async def sweep(self, now: float) -> None:
        """Forgets what has been over for a day, and registered clients that in a day got no family."""
        ...


DAY_SECONDS = 86_400.0
"""How long what is over is kept: a code that comes back within it ends its family."""
