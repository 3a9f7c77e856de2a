"""Who is calling: the ordered sources of identity, and the one place where their answer becomes a principal or a refusal.

INVARIANTS: a principal comes from a source that verified a credential, or (declared, and on loopback) from a caller who presented
none; whatever goes wrong in a source is "not authenticated", never "somebody" (CVE-2026-59822).
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

from doorward.domain.actors import Principal
from doorward.domain.ids import UpstreamId
from doorward.domain.reasons import Reason, Refused
from doorward.identity.certificate import Certificate

_MOST_WAITS = 3
"""Things that one request may make us fetch or write before it is known: an issuer's document, its keys, an enrolment."""


@dataclass(slots=True)
class Presented:
    """What a request brought along to say who sends it. Nobody changes it: it is not frozen as one is made for each request, and that costs."""

    authorization: str | None
    """The value of the only `Authorization` header; None if there was none. An empty one is there, and wrong."""
    network: str
    """The peer's address as text."""
    loopback: bool
    """Whether the listener it came through is bound to a loopback address."""
    endpoint: UpstreamId | None = None
    """The upstream of `/mcp/{upstream}`, None for `/mcp`: it says which audience a token must be for."""
    method: str = "POST"
    """The HTTP method, which a DPoP proof signs."""
    dpop: str | None = None
    """The value of the only `DPoP` header."""
    certificate: Certificate | None = None
    """The client certificate, its possession and path already proven: by our own TLS, or by a proxy that is trusted to."""
    request: int = 0
    """Tells requests apart within this process: the same proof presented again under the same number is not replayed."""
    digest: bytes = field(init=False, repr=False, compare=False)
    """SHA-256 of the whole `authorization` (CVE-2026-35030: never of a part), for all sources and both looks at a request; empty for none."""

    def __post_init__(self) -> None:
        authorization = self.authorization
        self.digest = b"" if authorization is None else sha256(authorization.encode()).digest()

    def __repr__(self) -> str:
        return f"Presented(network={self.network!r})"


def again(before: Presented, certificate: Certificate | None, request: int) -> Presented:
    """The same head once more on its connection, with the certificate that is shown now: the very same where nobody can tell them apart."""
    if certificate is before.certificate and before.dpop is None:
        return before
    return Presented(
        before.authorization,
        before.network,
        before.loopback,
        before.endpoint,
        before.method,
        before.dpop,
        certificate,
        request,
    )


class NotYetError(Exception):
    """An answer that needs something fetched or written first: `prepare` does it, then the source is asked again."""

    def __init__(self, prepare: Callable[[], Awaitable[None]]) -> None:
        super().__init__("not yet")
        self.prepare = prepare
        """Raises nothing but `Refused`, and is bounded in time."""


def has_to_wait(refused: Refused) -> bool:
    """Whether a refusal of `Chain.identify` stands for an answer that is not there yet: `Chain.identified` waits for it."""
    return isinstance(refused.__cause__, NotYetError)


class Source(Protocol):
    """One way to be known."""

    def identify(self, presented: Presented) -> Principal | None:
        """The principal behind a credential of this source's kind; None if it is of another kind.

        Raises `Refused` UNAUTHENTICATED or REVOKED where the credential is of its kind and does not hold, `NotYetError` where
        that cannot be told before something has been fetched or written.
        """
        ...


class Chain:
    """Asks each source in turn; the first to recognise the credential decides alone."""

    __slots__ = ("_sources",)

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = tuple(sources)

    def adopt(self, sources: Sequence[Source]) -> None:
        """Goes on with other sources: what is declared in the configuration has changed."""
        self._sources = tuple(sources)

    async def identified(self, presented: Presented) -> Principal:
        """As `identify`, waiting for what has to be fetched or written first. Raises `Refused` UNAUTHENTICATED or REVOKED alone."""
        for _ in range(_MOST_WAITS):
            try:
                return self.identify(presented)
            except Refused as error:
                refused = error
            await _prepared(refused)
        return self.identify(presented)

    def identify(self, presented: Presented) -> Principal:
        """The principal behind what was presented; raises `Refused` UNAUTHENTICATED or REVOKED, and nothing else."""
        try:
            principal = self._first(presented)
        except NotYetError as error:
            raise Refused(Reason.UNAUTHENTICATED, "what verifies this credential is not there yet") from error
        except Refused as refused:
            if refused.reason in (Reason.UNAUTHENTICATED, Reason.REVOKED):
                raise
            raise Refused(Reason.UNAUTHENTICATED, f"refused as {refused.reason} while identifying") from refused
        except Exception as error:
            # An authenticator that fails lets nobody in, whatever failed: this catch is the fix of CVE-2026-59822, not its cause.
            raise Refused(Reason.UNAUTHENTICATED, f"{type(error).__name__} while identifying") from error
        if isinstance(principal, Principal):
            return principal
        raise Refused(Reason.UNAUTHENTICATED, _unknown(presented))

    def _first(self, presented: Presented) -> object:
        """What the first source gave that gave anything: not taken for a principal before it has been looked at."""
        for source in self._sources:
            found = source.identify(presented)
            if found is not None:
                return found
        return None


async def _prepared(refused: Refused) -> None:
    """Does what an answer waits for, or raises its refusal where that is for good; whatever goes wrong in it lets nobody in."""
    wait = refused.__cause__
    if not isinstance(wait, NotYetError):
        raise refused
    try:
        await wait.prepare()
    except Refused:
        raise
    except Exception as error:
        raise Refused(Reason.UNAUTHENTICATED, f"{type(error).__name__} while preparing to identify") from error


def _unknown(presented: Presented) -> str:
    return "no credential was presented" if presented.authorization is None else "the credential is of no kind that is known here"
