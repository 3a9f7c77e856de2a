"""Sources of secrets, as the gateway sees them: a public port that other packages may implement (`doorward.secret_sources`).

A source is found by the scheme of a reference: `${aws-sm:prod/github#token}` asks the source `aws-sm` for the place `prod/github`, and the
field `token` is taken out of what it found.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from doorward.credentials.port import CredentialError
from doorward.domain.secret import Secret

WHOLE = ""
"""The field of a secret that is one text."""


class SourceError(CredentialError):
    """A secret that cannot be had from its source; the message names the place, never a value."""


class GoneError(SourceError):
    """A secret that is not there, or not for us: what was read of it before is used no longer."""


class EndedError(SourceError):
    """A loan that has ended, or cannot be renewed."""


class Loan(msgspec.Struct, frozen=True):
    """A secret that was made for us, and ends: its provider renews it for a while, and takes it back."""

    id: str
    """What its provider calls it. Not a secret, but only for operators."""
    seconds: float
    """How long it holds from when it was found."""
    is_renewable: bool
    renew: Callable[[], Awaitable[float]]
    """Makes it hold longer, and gives for how many seconds from now; raises `EndedError` if it cannot be, `SourceError` if nobody knows."""
    revoke: Callable[[], Awaitable[None]]
    """Gives it back; raises `SourceError`, and is bounded in time."""
    is_sound: Callable[[], bool]
    """Whether it still lives as long as was said; false when what it was borrowed under has ended."""


class Found(msgspec.Struct, frozen=True):
    """One secret as its source has it now."""

    fields: Mapping[str, Secret]
    """Its texts by name; `WHOLE` for one without fields."""
    version: str = ""
    """Changes with the secret; empty where the source does not say, and the texts are compared."""
    made_at: float | None = None
    """When this version was made, in Unix seconds; None where the source does not say."""
    loan: Loan | None = None
    """None for a secret that holds until it is changed."""


class SecretSource(Protocol):
    """One place where secrets are kept."""

    async def read(self, place: str) -> Found:
        """The secret there, asked of the source anew; raises `SourceError`, and is bounded in time.

        Where a secret is made for whoever asks, each reading makes one: the gateway reads once for each that it uses.
        """
        ...

    async def names(self) -> Sequence[str]:
        """The places that the operator declared to be this gateway's own, for naming what nothing refers to; raises `SourceError`."""
        ...

    async def upkeep(self) -> None:
        """Keeps the source's own access alive; asked every few seconds. Raises `SourceError`, and is bounded in time."""
        ...

    async def close(self) -> None:
        """Gives back what the source holds itself; raises `SourceError`, and is bounded in time."""
        ...


Opener = Callable[[Mapping[str, Secret]], SecretSource]
"""What an entry point of the group `doorward.secret_sources` is: makes a source of its settings; raises `SourceError`. It waits for nothing."""
