"""What makes credentials, as the broker sees it: one `Mint` for each upstream, asked only under a recorded intent."""

from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar, Protocol

import msgspec

from doorward.domain.calls import Call
from doorward.domain.errors import DoorwardError
from doorward.domain.leases import Lease
from doorward.domain.record import record
from doorward.domain.secret import Secret

Header = tuple[str, Secret]

EVERYBODY = ""
"""The holder of a credential that is the same for all."""


Sign = Callable[[Mapping[str, object], str], Secret]
"""Gives a JWT of these claims and this `typ`, signed with the key that Doorward signs with now; it adds `iss` and the rest of the header.

Raises a `DoorwardError`.
"""


class CredentialError(DoorwardError):
    """A credential that cannot be had; the message is for operators and holds no value."""


@record(frozen=True, slots=True)
class Use:
    """One call that needs a credential: of an agent, or of the gateway's own principal (discovery, the start of a process)."""

    call: Call
    presented: Secret | None = None
    """The access token that its client presented, of an issuer outside; None for keys, certificates and the gateway itself.

    LAW: it is shown to an authorization server at most, never to an upstream.
    """


class Minted(msgspec.Struct, frozen=True):
    """A credential as it was made just now."""

    headers: tuple[Header, ...] = ()
    environment: tuple[tuple[str, Secret], ...] = ()
    secrets: tuple[Secret, ...] = ()
    """Every text that must be seen nowhere else."""
    account: str = ""
    """Whose account it opens: stays while the secret itself is renewed. Sessions with upstreams hang on it."""
    scope: str = ""
    seconds: float | None = None
    """How long it holds from now; None where nobody says."""
    renewed_after: float | None = None
    """After how many seconds it is made anew, although it holds as far as anybody knows."""
    is_current: Callable[[], bool] | None = None
    """Whether what it was made of is still the same; looked at once a second at most."""
    release: Callable[[], Awaitable[None]] | None = None
    """Gives it back to whoever issued it; raises a `DoorwardError`, and is bounded in time."""


class Mint(Protocol):
    """Makes the credentials of one upstream."""

    is_everybodys: ClassVar[bool] = False
    """Whether `holder` gives `EVERYBODY` for each use, so that nobody needs to ask."""

    def holder(self, use: Use) -> str | None:
        """Whose credential a use needs: uses of one holder share it. None: each use has its own.

        It waits for nothing. Raises `Refused` CONSENT_NEEDED where a person has to connect first, NO_CREDENTIAL where there can be none.
        """
        ...

    async def mint(self, use: Use) -> Minted:
        """A fresh credential for the holder of a use; raises a `DoorwardError` or `Refused`, and is bounded in time."""
        ...

    def turned_down(self, use: Use, lease: Lease, challenge: str) -> None:
        """The upstream has not accepted a lease of a use, which others may have taken the place of; `challenge` is its `WWW-Authenticate`, or
        empty. It waits for nothing."""
        del use, lease, challenge
