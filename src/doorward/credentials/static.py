"""Static secrets: what a plan's references lead to right now, fit to be sent; the same for everybody."""

from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol, assert_never

from doorward.config.references import File, Pointer, Remote, references_in
from doorward.credentials.plan import Basic, Environment, Static, StaticHeader, pointers
from doorward.credentials.port import EVERYBODY, CredentialError, Mint, Minted, Use
from doorward.domain.errors import DoorwardError
from doorward.domain.ids import UpstreamId
from doorward.domain.leases import Lease
from doorward.domain.secret import Secret
from doorward.net.stamps import Stamp, stamp

KEPT_SECONDS = 60.0
"""How long a secret is shown at most before its references are read again, whatever the files' times say."""


class UnfitError(CredentialError):
    """A secret that cannot be sent as it is; the message never holds it."""


class Resolving(Protocol):
    """Reads references, as `config.references.Resolver` does."""

    def resolve(self, text: str) -> Secret:
        """The text with every reference replaced; raises a `DoorwardError` whose message names the reference, never a value."""
        ...


class Held(Resolving, Protocol):
    """What a credential is made of, for as long as it is used."""

    def is_current(self) -> bool:
        """Whether sources say the same still; of variables and files it knows nothing."""
        ...

    async def release(self) -> None:
        """Gives back what was borrowed; raises a `DoorwardError`."""
        ...


class Holding(Resolving, Protocol):
    """Reads references of every kind, as `sources.reading.Reading` does."""

    def hold(self, owner: str, pointers: Iterable[Pointer]) -> Awaitable[Held]:
        """What they lead to, until it is released; raises a `DoorwardError`. What is made for whoever asks is made once for each owner."""
        ...

    def doubt(self, owner: str) -> None:
        """A credential of an owner was not accepted: what it was made of is read again soon."""
        ...


@dataclass(frozen=True, slots=True)
class StaticMint(Mint):
    """Reads what one plan refers to; a changed file is read anew within a second: a rotated secret needs no restart."""

    is_everybodys: ClassVar[bool] = True
    upstream: UpstreamId
    plan: Static
    reading: Holding
    root: Path
    """What relative paths of references are relative to."""
    mark: Callable[[str], str]
    """Tells secrets apart without holding them (`Fingerprints.mark`)."""

    def holder(self, use: Use) -> str:
        """Everybody's."""
        del use
        return EVERYBODY

    async def mint(self, use: Use) -> Minted:
        """What the references lead to now; raises a `DoorwardError`."""
        del use
        # Files are small and local (64 KiB at most), and one read serves a minute of calls. Their times are taken first:
        # a change between the two is seen at the next look.
        stamps = self._stamps()
        held = await self.reading.hold(self.upstream, pointers(self.plan))
        try:
            return self._minted(held, stamps)
        except DoorwardError:
            await held.release()
            raise

    def turned_down(self, use: Use, lease: Lease, challenge: str) -> None:
        """Perhaps it was changed at its source."""
        del use, lease, challenge
        self.reading.doubt(self.upstream)

    def _minted(self, held: Held, stamps: tuple[Stamp, ...]) -> Minted:
        headers, environment = self._shown(held.resolve)
        shown = [secret for _, secret in (*headers, *environment)]
        # A user's name stands in honest texts too.
        secret = references_in(self.plan.password) if isinstance(self.plan, Basic) else pointers(self.plan)
        parts = tuple(held.resolve(str(pointer)) for pointer in secret)
        return Minted(
            headers=headers,
            environment=environment,
            secrets=parts if isinstance(self.plan, Environment) else (*parts, *shown),
            account=self.mark("\0".join(secret.reveal() for secret in shown)),
            renewed_after=KEPT_SECONDS,
            is_current=lambda: held.is_current() and self._stamps() == stamps,
            release=held.release if any(isinstance(pointer, Remote) for pointer in pointers(self.plan)) else None,
        )

    def _shown(self, resolve: Callable[[str], Secret]) -> tuple[tuple[tuple[str, Secret], ...], tuple[tuple[str, Secret], ...]]:
        match self.plan:
            case StaticHeader(_, header, text):
                value = _fit(resolve(text), _is_field_value, f"printable ASCII on one line for the header {header}")
                return ((header, value),), ()
            case Basic(_, username, password):
                return (("Authorization", _basic(resolve(username), resolve(password))),), ()
            case Environment(_, variables):
                values = tuple(
                    (name, _fit(resolve(text), _is_c_text, f"no NUL character for the variable {name}")) for name, text in variables
                )
                return (), values
            case _:
                assert_never(self.plan)

    def _stamps(self) -> tuple[Stamp, ...]:
        files = [pointer for pointer in pointers(self.plan) if isinstance(pointer, File)]
        return tuple(stamp(self.root / file.path) for file in files)


def _basic(username: Secret, password: Secret) -> Secret:
    name = _fit(username, lambda text: _is_c_text(text) and ":" not in text, "a user name without colon (RFC 7617)").reveal()
    return Secret("Basic " + b64encode(f"{name}:{password.reveal()}".encode()).decode())


def _fit(secret: Secret, is_fit: Callable[[str], bool], expected: str) -> Secret:
    if not is_fit(secret.reveal()):
        raise UnfitError(f"expected {expected}, the secret holds something else")
    return secret


def _is_c_text(text: str) -> bool:
    return "\0" not in text


def _is_field_value(text: str) -> bool:
    """RFC 9110 §5.5, without its obsolete bytes: nothing that could end the header and begin another."""
    return text.isascii() and text.isprintable() and text == text.strip() != ""
